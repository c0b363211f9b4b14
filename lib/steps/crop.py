"""Cropping to the region of interest (S0.14)."""

from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from lib.steps.step import PixelStep

DARKEST_SHARE = 0.5  # breast and disc fade at their edge: their threshold is so much of Otsu's
OPENING = 0.02  # of the shorter side: label text thinner than that is cut off the breast


class Crop(PixelStep):
    """The box around the largest bright thing.

    `brightest`: above Otsu's threshold. `breast`: the same with soft edges; all else, label text above all, becomes black.
    `disc`: the same for a round photograph of the fundus, whose dark spots inside stay. Where what is found
    covers less than `smallest` of the image, the image passes whole.
    """

    step: Literal["crop"] = "crop"
    region: Literal["brightest", "breast", "disc"] = "brightest"
    margin: float = Field(default=0, ge=0, le=0.5)  # around the box, share of its sides
    smallest: float = Field(default=0.05, ge=0, lt=1)  # share of the image

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) or (height, width, 3) uint8 -> (height', width'[, 3]) uint8."""
        region = self.found(image)
        if region.mean() < max(self.smallest, 1 / region.size):
            return image
        if self.region != "brightest":
            image = image * (region if image.ndim == 2 else region[..., np.newaxis])
        return np.ascontiguousarray(image[self._box(region)])

    def found(self, image: np.ndarray) -> np.ndarray:
        """The region: (height, width) uint8, 1 inside; all 0 where nothing is brighter than anything else."""
        grey = image if image.ndim == 2 else image.max(axis=2)
        threshold = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]
        if self.region != "brightest":
            threshold *= DARKEST_SHARE
        bright = (grey > max(threshold, grey.min())).astype(np.uint8)
        if self.region == "breast":
            width = 1 + 2 * round(OPENING * min(grey.shape) / 2)
            bright = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((width, width), np.uint8))
        region = _largest(bright)
        return region if self.region == "brightest" else _filled(region)

    def _box(self, region: np.ndarray) -> tuple[slice, slice]:
        left, top, width, height = cv2.boundingRect(region)
        beside, above = round(self.margin * width), round(self.margin * height)
        rows = slice(max(0, top - above), top + height + above)
        return rows, slice(max(0, left - beside), left + width + beside)


def _largest(bright: np.ndarray) -> np.ndarray:
    count, components, statistics, _ = cv2.connectedComponentsWithStats(bright)
    if count < 2:
        return bright
    return (components == 1 + statistics[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)


def _filled(region: np.ndarray) -> np.ndarray:
    outlines = cv2.findContours(region, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    return cv2.drawContours(region.copy(), outlines, -1, 1, cv2.FILLED)
