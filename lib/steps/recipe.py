"""What is done with a list of steps, whatever they are."""

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from lib import atomic
from lib.steps.step import PIXELS, Range, Step, decoded

if TYPE_CHECKING:
    import keras

Steps = tuple[Step, ...]


def cached_part(recipe: Steps) -> Steps:
    """The steps before the first one in the graph. Raises ValueError when a uint8 step follows a step of the graph."""
    first_in_graph = next((i for i, step in enumerate(recipe) if step.in_graph), len(recipe))
    late = [step.step for step in recipe[first_in_graph:] if not step.in_graph]
    if late:
        raise ValueError(f"recipe: {late} work on uint8 pixels and must stand before the steps of the graph")
    return recipe[:first_in_graph]


def graph_part(recipe: Steps) -> Steps:
    """The steps that belong to the network's graph."""
    return recipe[len(cached_part(recipe)) :]


def apply(recipe: Steps, image: np.ndarray, size: int) -> np.ndarray:
    """Run the uint8 steps on one image.

    image: (height, width) or (height, width, 3) uint8. Returns (size, size, channels) uint8.
    Raises ValueError naming the step that cannot take the image, or when the recipe has no `resize` and the result is no
    square of `size` pixels.
    """
    image = list(stages(recipe, image, size).values())[-1]
    if image.shape[:2] != (size, size):
        ends = f"{image.shape[1]} x {image.shape[0]} pixels, expected {size}"
        raise ValueError(
            f"recipe: ends at {ends}; add `resize`, without `size` and `share`, after all that changes the size"
        )
    return image[..., np.newaxis] if image.ndim == 2 else image


def stages(recipe: Steps, image: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """One image as it is decoded, and after each of the uint8 steps: number and name of the step -> image.

    Raises ValueError naming the step that cannot take the image, and for what is no decoded image.
    """
    made = {"decoded": decoded(image)}
    for number, step in enumerate(cached_part(recipe), start=1):
        try:
            image = step.apply(image, size)
        except (ValueError, cv2.error) as error:
            raise ValueError(f"step {number}, {step.step}: {' '.join(str(error).split())}") from None
        made[f"{number} {step.step}"] = image
    return made


def connect(recipe: Steps, tensor: "keras.KerasTensor") -> "keras.KerasTensor":
    """Add the steps of the graph: (batch, height, width, channels) within [0, 255] -> what enters the network."""
    values = PIXELS
    for step in graph_part(recipe):
        tensor, values = step.connect(tensor, values), step.range_after(*values)
    return tensor


def final_range(recipe: Steps) -> Range:
    """Range of the values that leave the recipe and enter the network; [0, 255] before any step of the graph."""
    low, high = PIXELS
    for step in graph_part(recipe):
        low, high = step.range_after(low, high)
    return low, high


def fingerprint(recipe: Steps) -> list[list[str]]:
    """Hashes of the code that a recipe depends on: what runs it, and each of its steps. Other steps are not in it."""
    modules = [sys.modules[__name__], sys.modules[Step.__module__]]
    runs_it = [atomic.code_sha256(Path(inspect.getfile(module)).read_text()) for module in modules]
    return [runs_it, *([step.step, *step.fingerprint()] for step in recipe)]
