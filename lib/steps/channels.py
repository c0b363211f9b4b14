"""How many channels an image has."""

from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from pydantic import Field

from lib.steps.step import MOST_CHANNELS, PIXELS, GraphStep, PixelStep, Range, colours

if TYPE_CHECKING:
    import keras


class Grey(PixelStep):
    """One channel: the luminance (ITU-R BT.601) of a colour image; grey images pass."""

    step: Literal["grey"] = "grey"

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) or (height, width, 3) uint8 -> (height, width) uint8."""
        return image if image.ndim == 2 else cv2.cvtColor(colours(image), cv2.COLOR_RGB2GRAY)


class Colour(PixelStep):
    """Three channels: a grey image is repeated, a colour image passes."""

    step: Literal["colour"] = "colour"

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) or (height, width, 3) uint8 -> (height, width, 3) uint8."""
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else colours(image)


class RepeatChannels(GraphStep):
    """A grey image enters a network of several channels by repetition."""

    step: Literal["repeat_channels"] = "repeat_channels"
    count: int = Field(default=3, ge=1, le=MOST_CHANNELS)

    def connect(self, tensor: "keras.KerasTensor", before: Range = PIXELS) -> "keras.KerasTensor":
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
