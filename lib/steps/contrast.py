"""Enhancements of contrast that stay within uint8."""

from typing import Literal

import cv2
import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from scipy import special

from lib.steps.step import PixelStep, colours

EXPONENTS = np.linspace(-3, 5, 161)  # among which the likeliest is looked for


class Clahe(PixelStep):
    """Contrast-limited adaptive histogram equalisation, of the lightness (CIE L*) where there is colour (S1.3).

    clip_limit: 2 is a usual one, 40 what OpenCV takes when it is told none. Source: Zuiderveld 1994, Graphics Gems IV.
    """

    step: Literal["clahe"] = "clahe"
    clip_limit: PositiveFloat = 2
    tiles: PositiveInt = 8  # per side; at most one a pixel

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) or (height, width, 3) uint8 -> the same shape."""
        grid = min(self.tiles, image.shape[1]), min(self.tiles, image.shape[0])
        equalise = cv2.createCLAHE(self.clip_limit, grid)
        if image.ndim == 2:
            return equalise.apply(image)
        lab = cv2.cvtColor(colours(image), cv2.COLOR_RGB2LAB)
        lab[..., 0] = equalise.apply(lab[..., 0])
        return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)


class MinMax(PixelStep):
    """The range between two percentiles is stretched to [0, 255], and what lies outside is cut off (S0.11).

    All channels are stretched together, so that colours keep their hue. An image without such a range passes.
    """

    step: Literal["min_max"] = "min_max"
    low: float = Field(default=1, ge=0, le=100)  # percentile
    high: float = Field(default=99, ge=0, le=100)  # percentile

    @model_validator(mode="after")
    def _ordered(self) -> "MinMax":
        if self.low >= self.high:
            raise ValueError(f"low {self.low:g} is not below high {self.high:g}; give two percentiles in order")
        return self

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width[, channels]) uint8 -> the same shape."""
        low, high = np.percentile(image, (self.low, self.high))
        if not low < high:
            return image
        return _looked_up(image, 255 * (np.arange(256) - low) / (high - low))


class Power(PixelStep):
    """Each image's intensities are brought near a normal distribution (S3.9), by the exponent that is likeliest for it.

    The transform is monotone, so that 256 intensities become at most 256 others: it needs no float. What lies within
    `clip` standard deviations is spread over [0, 255]. An image of one intensity passes.
    Source: Box and Cox 1964, Journal of the Royal Statistical Society B 26, 211-252, of the intensity plus 1.
    """

    step: Literal["power"] = "power"
    clip: PositiveFloat = 3  # standard deviations

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width[, channels]) uint8 -> the same shape."""
        if np.ptp(image) == 0:
            return image
        shares = np.bincount(image.ravel(), minlength=256) / image.size
        intensities = np.arange(256.0)
        changed = special.boxcox1p(intensities, EXPONENTS[:, np.newaxis])  # (exponents, intensities)
        means = changed @ shares
        variances = ((changed - means[:, np.newaxis]) ** 2) @ shares
        likelihood = -np.log(variances) / 2 + (EXPONENTS - 1) * (np.log1p(intensities) @ shares)  # per pixel
        best = likelihood.argmax()
        scaled = (changed[best] - means[best]) / (self.clip * np.sqrt(variances[best]))
        return _looked_up(image, 127.5 + 127.5 * scaled)


def _looked_up(image: np.ndarray, table: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(table, 0, 255)).astype(np.uint8)[image]
