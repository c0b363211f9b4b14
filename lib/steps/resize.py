"""How many pixels an image has."""

from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

from lib.steps.step import PixelStep

LARGEST = 4096  # pixels per side of a result


class Resize(PixelStep):
    """A square: area averaging along what shrinks, cubic along what grows (S3.7).

    It has the run's size, or that of `size`; `share` is taken of either. With `padding`, the aspect ratio stays, and what
    is left of the square is black; without, the image is stretched.
    """

    step: Literal["resize"] = "resize"
    size: Annotated[int, Field(ge=1, le=LARGEST, strict=True)] | None = None  # pixels per side
    share: float = Field(default=1, gt=0, le=1)
    padding: bool = False

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width[, channels]) uint8 -> (side, side[, channels]) uint8."""
        side = max(1, round(self.share * (self.size or size)))
        if not self.padding:
            return _resized(image, side, side)
        height, width = (max(1, round(side * length / max(image.shape[:2]))) for length in image.shape[:2])
        above, left = (side - height) // 2, (side - width) // 2
        square = np.zeros((side, side, *image.shape[2:]), np.uint8)
        square[above : above + height, left : left + width] = _resized(image, height, width)
        return square


def _resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """An image of another size, each axis by its own rule: (height, width[, channels]) uint8."""
    least = min(width, image.shape[1]), min(height, image.shape[0])
    smaller = cv2.resize(image, least, interpolation=cv2.INTER_AREA)  # what has its size already is copied
    return cv2.resize(smaller, (width, height), interpolation=cv2.INTER_CUBIC)
