"""Insertion and deletion: what becomes of a class's probability when the pixels that a map marks are shown, or taken away.

Source: Petsiuk, Das and Saenko 2018, "RISE", arXiv:1806.07421.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from lib.explain.explainer import Explainer

Baseline = Literal["blur", "mean"]
BASELINES: tuple[Baseline, ...] = ("blur", "mean")
BLUR = 1 / 10  # deviation of the blur as a share of the side: fine detail is gone
STEPS = 6


def curves(
    explainer: "Explainer",
    images: np.ndarray,
    classes: np.ndarray,
    maps: np.ndarray,
    baseline: Baseline,
    steps: int = STEPS,
) -> dict[str, np.ndarray]:
    """`insertion` and `deletion`: the probability of each image's class after 0, 1 ... all steps, (n, steps + 1) float.

    Insertion begins with the baseline and shows the pixels that are marked most first; deletion begins with the image and
    covers them first. images: (n, height, width, channels). classes: (n,) int. maps: (n, height, width); ties go to no side, by
    a fixed draw. baseline: what stands in place of pixels: the image blurred, or its mean.
    """
    whole, bare = images.astype(np.float32), replaced(images, baseline)
    place = _order(maps)
    found = {"insertion": np.empty((len(images), steps + 1)), "deletion": np.empty((len(images), steps + 1))}
    for step in range(steps + 1):
        marked = (place < step / steps)[..., None]
        shown = {"insertion": np.where(marked, whole, bare), "deletion": np.where(marked, bare, whole)}
        for kind, pictures in shown.items():
            found[kind][:, step] = explainer.probabilities(pictures)[np.arange(len(images)), classes]
    return found


def gain(found: Mapping[str, np.ndarray]) -> np.ndarray:
    """Area under insertion less area under deletion, of what `curves` gives: (n,) float in [-1, 1].

    Positive where marked pixels matter more than others; one number, because a method that does well in one of the two alone
    may do so by the baseline rather than by the map.
    """
    return area(found["insertion"]) - area(found["deletion"])


def area(curve: np.ndarray) -> np.ndarray:
    """Mean height of curves over the share of pixels: (n, steps + 1) -> (n,)."""
    return np.trapezoid(curve, dx=1 / (curve.shape[1] - 1), axis=1)


def replaced(images: np.ndarray, baseline: Baseline) -> np.ndarray:
    """What stands in place of an image's pixels: (n, height, width, channels) float32. Raises ValueError for another baseline."""
    pixels = images.astype(np.float32)
    if baseline == "mean":
        return np.broadcast_to(pixels.mean(axis=(1, 2), keepdims=True), pixels.shape).copy()
    if baseline != "blur":
        raise ValueError(f"baseline {baseline!r} does not exist; it is one of: {', '.join(BASELINES)}")
    blurred = [cv2.GaussianBlur(image, (0, 0), BLUR * image.shape[0]).reshape(image.shape) for image in pixels]
    return np.stack(blurred)


def _order(maps: np.ndarray) -> np.ndarray:
    """Place of each pixel from the most marked one (0) to the least (just below 1): the same shape."""
    flat = maps.reshape(len(maps), -1)
    drawn = np.random.default_rng(7).permutation(flat.shape[1])  # ties: no order of rows or columns
    ranks = np.empty_like(flat, dtype=float)
    ranks[:, drawn] = stats.rankdata(-flat[:, drawn], method="ordinal", axis=1) - 1
    return (ranks / flat.shape[1]).reshape(maps.shape)
