"""Preprocessing steps and recipes: small validated configurations that know how to apply themselves.

A recipe is a list of steps. The first ones turn one decoded image into uint8 pixels and are cached; the last ones (the
tail) are part of the network's graph. Another step is one class here and its name in `AnyStep`.
"""

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

if TYPE_CHECKING:  # a recipe can be read, checked and hashed without loading a deep-learning library
    import keras


class Step(BaseModel):
    """One step of a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    in_graph: ClassVar[bool] = False


class Grey(Step):
    """One channel: the luminance (ITU-R BT.601) of a colour image; grey images pass."""

    step: Literal["grey"] = "grey"

    def apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) or (height, width, 3) uint8 -> (height, width) uint8."""
        return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


class Colour(Step):
    """Three channels: a grey image is repeated, a colour image passes."""

    step: Literal["colour"] = "colour"

    def apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) or (height, width, 3) uint8 -> (height, width, 3) uint8."""
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image


class Resize(Step):
    """A square of the run's size: area averaging when shrinking, cubic when enlarging (S3.7)."""

    step: Literal["resize"] = "resize"

    def apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width[, 3]) uint8 -> (size, size[, 3]) uint8."""
        shrinking = image.shape[0] >= size and image.shape[1] >= size
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)


class RepeatChannels(Step):
    """A grey image enters a network of several channels by repetition."""

    step: Literal["repeat_channels"] = "repeat_channels"
    count: PositiveInt = 3
    in_graph: ClassVar[bool] = True

    def connect(self, tensor: "keras.KerasTensor") -> "keras.KerasTensor":
        """tensor: (batch, height, width, channels) -> (batch, height, width, count); one channel is repeated.

        Raises ValueError for any other number of channels than one or `count`.
        """
        import keras

        if tensor.shape[-1] == self.count:
            return tensor
        if tensor.shape[-1] != 1:
            raise ValueError(
                f"repeat_channels: images of {tensor.shape[-1]} channels cannot become {self.count}; add `grey`"
            )
        return keras.layers.Concatenate(name=self.step)([tensor] * self.count)

    def range_after(self, low: float, high: float) -> tuple[float, float]:
        """Range of values after the step, given the range before it."""
        return low, high


AnyStep = Annotated[Grey | Colour | Resize | RepeatChannels, Field(discriminator="step")]
Recipe = tuple[AnyStep, ...]


def cached_part(recipe: Recipe) -> Recipe:
    """The steps before the first one in the graph. Raises ValueError when a uint8 step follows a step of the graph."""
    first_in_graph = next((i for i, step in enumerate(recipe) if step.in_graph), len(recipe))
    late = [step.step for step in recipe[first_in_graph:] if not step.in_graph]
    if late:
        raise ValueError(f"recipe: {late} work on uint8 pixels and must stand before the steps of the graph")
    return recipe[:first_in_graph]


def graph_part(recipe: Recipe) -> Recipe:
    """The steps that belong to the network's graph."""
    return recipe[len(cached_part(recipe)) :]


def apply(recipe: Recipe, image: np.ndarray, size: int) -> np.ndarray:
    """Run the uint8 steps on one image.

    image: (height, width) or (height, width, 3) uint8. Returns (size, size, channels) uint8.
    Raises ValueError when the recipe has no `resize` and the result is not a square of `size` pixels.
    """
    for step in cached_part(recipe):
        image = step.apply(image, size)
    if image.shape[:2] != (size, size):
        raise ValueError(f"recipe: ends at {image.shape[1]} x {image.shape[0]} pixels, expected {size}; add `resize`")
    return image[..., np.newaxis] if image.ndim == 2 else image


def final_range(recipe: Recipe) -> tuple[float, float]:
    """Range of the values that leave the recipe and enter the network; [0, 255] before any step of the graph."""
    low, high = 0.0, 255.0
    for step in graph_part(recipe):
        low, high = step.range_after(low, high)
    return low, high
