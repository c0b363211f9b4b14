"""Part of the image hidden: what is left tells what a network can do without the rest."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from lib.steps.step import PixelStep


class Hide(PixelStep):
    """One value in place of the centre, or of all around it.

    which: what is hidden. share: of each side of the image, that the centre takes. fill: a grey value, or "mean": of what
    stays, channel by channel, so that nothing of what is hidden shows through; black where nothing stays.
    """

    step: Literal["hide"] = "hide"
    which: Literal["centre", "border"]
    share: float = Field(gt=0, lt=1)
    fill: Literal["mean"] | Annotated[int, Field(ge=0, le=255, strict=True)] = "mean"

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width[, channels]) uint8 -> the same shape."""
        hidden = self.hidden(*image.shape[:2])
        left = image.copy()
        left[hidden] = self._value(image[~hidden])
        return left

    def hidden(self, height: int, width: int) -> np.ndarray:
        """Where an image is hidden: (height, width) bool."""
        centre = np.zeros((height, width), bool)
        centre[_middle(height, self.share), _middle(width, self.share)] = True
        return centre if self.which == "centre" else ~centre

    def _value(self, left: np.ndarray) -> np.ndarray | int:
        """What is put in place: a grey value, one a channel where the mean is asked for. left: (n[, channels]) uint8."""
        if self.fill != "mean":
            return self.fill
        return np.rint(left.mean(axis=0)).astype(np.uint8) if len(left) else 0


def _middle(length: int, share: float) -> slice:
    """The pixels in the middle of a side: as near to that share of it as whole pixels come."""
    inside = round(share * length)
    first = (length - inside) // 2
    return slice(first, first + inside)
