"""Few intensities instead of many (S0.11)."""

from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from lib.steps.step import PixelStep, one_channel

FASTEST_CLASSES = 4  # above, an exhaustive search over 256 intensities takes seconds an image


class Otsu(PixelStep):
    """Black below and white above the threshold that separates the intensities best. Source: Otsu 1979."""

    step: Literal["otsu"] = "otsu"

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) uint8 -> the same shape, of 0 and 255; an image of one intensity becomes black."""
        one_channel(self, image)
        threshold = cv2.threshold(image, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]
        return np.where(image > max(threshold, image.min()), np.uint8(255), np.uint8(0))


class MultiOtsu(PixelStep):
    """Several levels of grey, evenly spaced, cut where they separate the intensities best.

    An image of fewer intensities than levels keeps them all apart. Source: Liao, Chen and Chung 2001.
    """

    step: Literal["multi_otsu"] = "multi_otsu"
    classes: int = Field(default=3, ge=2, le=FASTEST_CLASSES)

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) uint8 -> the same shape, of at most `classes` intensities from 0 to 255."""
        from skimage.filters import threshold_multiotsu

        one_channel(self, image)
        found = np.unique(image)
        thresholds = found[:-1] if len(found) <= self.classes else threshold_multiotsu(image, self.classes)
        levels = np.linspace(0, 255, self.classes).round().astype(np.uint8)
        return levels[np.searchsorted(thresholds, image)]
