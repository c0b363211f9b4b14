"""Removal of noise (S0.11)."""

from typing import Literal

import cv2
import numpy as np
from pydantic import Field, PositiveFloat, field_validator

from lib.steps.step import PixelStep, colours

LARGEST_WINDOW = 99  # pixels


class Median(PixelStep):
    """The median of a square window, channel by channel: single odd pixels go, edges stay."""

    step: Literal["median"] = "median"
    window: int = Field(default=3, ge=3, le=LARGEST_WINDOW)  # pixels per side, odd

    @field_validator("window")
    @classmethod
    def _window(cls, value: int) -> int:
        return _odd(value)

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width[, channels]) uint8 -> the same shape."""
        channels = [cv2.medianBlur(channel, self.window) for channel in _split(image)]
        return channels[0] if image.ndim == 2 else np.dstack(channels)


class NonLocalMeans(PixelStep):
    """Pixels are averaged with those whose surroundings look alike, of colour images lightness and hue separately.

    Source: Buades, Coll and Morel 2005, doi:10.1109/CVPR.2005.38.
    """

    step: Literal["non_local_means"] = "non_local_means"
    strength: PositiveFloat = 10  # in grey values; about the noise's standard deviation
    patch: int = Field(default=7, ge=3, le=LARGEST_WINDOW)  # pixels per side that are compared, odd
    search: int = Field(default=21, ge=3, le=LARGEST_WINDOW)  # pixels per side that are searched, odd

    @field_validator("patch", "search")
    @classmethod
    def _window(cls, value: int) -> int:
        return _odd(value)

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) or (height, width, 3) uint8 -> the same shape."""
        if image.ndim == 2:
            return cv2.fastNlMeansDenoising(image, None, self.strength, self.patch, self.search)
        strengths = self.strength, self.strength
        return cv2.fastNlMeansDenoisingColored(colours(image), None, *strengths, self.patch, self.search)


def _odd(value: int) -> int:
    """The value itself; raises ValueError for an even one, which has no middle."""
    if value % 2 == 0:
        raise ValueError(f"a window of {value} pixels has no middle; give an odd number such as {value + 1}")
    return value


def _split(image: np.ndarray) -> list[np.ndarray]:
    """The channels of an image, one by one: (height, width) uint8 each."""
    return [image] if image.ndim == 2 else [np.ascontiguousarray(image[..., i]) for i in range(image.shape[2])]
