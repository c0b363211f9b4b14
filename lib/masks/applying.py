"""A mask found and applied as the source document does it (S1.2), on one image and without a network's library."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

LOWEST_COVERAGE, HIGHEST_COVERAGE = 0.05, 0.98  # beyond them a mask is a finding, not a mask

Predict = Callable[[np.ndarray], np.ndarray]  # (size, size, 1) float32 in [0, 255] -> logits (size, size)


@dataclass(frozen=True)
class Found:
    """The mask of one image."""

    mask: np.ndarray  # (height, width) bool
    coverage_fraction: float  # of the image, in [0, 1]

    @property
    def refused(self) -> bool:
        """Whether the mask covers so little or so much that the image is passed on without."""
        return not LOWEST_COVERAGE <= self.coverage_fraction <= HIGHEST_COVERAGE


def network_input(image: np.ndarray, size: int) -> np.ndarray:
    """What the network sees: grey, resized, from the image's own darkest to its brightest value.

    image: (height, width) or (height, width, 3) uint8. Returns (size, size, 1) float32 in [0, 255]; zeros for an image
    of one value.
    """
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    smaller = cv2.resize(grey, np.minimum(grey.shape[::-1], size).tolist(), interpolation=cv2.INTER_AREA)
    small = cv2.resize(smaller, (size, size), interpolation=cv2.INTER_CUBIC)
    low, high = float(small.min()), float(small.max())
    return ((small.astype(np.float32) - low) * (255 / max(high - low, 1)))[..., None]


def cleaned(mask: np.ndarray, parts: int) -> np.ndarray:
    """The mask without holes, and of its connected areas only the `parts` largest.

    mask: (height, width) bool. An area hangs together by edges, not by corners. Returns (height, width) bool.
    """
    filled = ndimage.binary_fill_holes(mask)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(filled.astype(np.uint8), connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count - 1 <= parts:
        return filled
    largest = np.argsort(-areas, kind="stable")[:parts] + 1
    return np.isin(labels, largest)


def find(image: np.ndarray, predict: Predict, parts: int, size: int) -> Found:
    """The mask of an image: predicted on `size` pixels a side, brought back to the image's size, cleaned.

    image: (height, width) or (height, width, 3) uint8. parts: as in `cleaned`.
    """
    height, width = image.shape[:2]
    logits = predict(network_input(image, size)).astype(np.float32)
    mask = cleaned(cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR) > 0, parts)
    return Found(mask, float(mask.mean()))


def apply(image: np.ndarray, found: Found) -> np.ndarray:
    """The image inside its mask; outside, its own darkest value. A refused mask changes nothing.

    That is what the document's steps come to: values brought to [0, 1], multiplied by the mask, brought back to the
    image's range of intensities. image: (height, width) or (height, width, 3) uint8; returns the same.
    """
    if found.refused:
        return image
    mask = found.mask if image.ndim == 2 else found.mask[..., None]
    return np.where(mask, image, image.min())


def iou(found: np.ndarray, true: np.ndarray) -> float:
    """Intersection over union of two masks of one shape, in [0, 1]; 1 where both are empty."""
    union = np.logical_or(found, true).sum()
    return float(np.logical_and(found, true).sum() / union) if union else 1.0
