"""How many channels an image has."""

from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from pydantic import PositiveInt

from lib.steps.step import PIXELS, GraphStep, PixelStep, Range

if TYPE_CHECKING:
    import keras


class Grey(PixelStep):
    """One channel: the luminance (ITU-R BT.601) of a colour image; grey images pass."""

    step: Literal["grey"] = "grey"

    def apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) or (height, width, 3) uint8 -> (height, width) uint8."""
        return image if image.ndim == 2 else cv2.cvtColor(_colours(image), cv2.COLOR_RGB2GRAY)


class Colour(PixelStep):
    """Three channels: a grey image is repeated, a colour image passes."""

    step: Literal["colour"] = "colour"

    def apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) or (height, width, 3) uint8 -> (height, width, 3) uint8."""
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else _colours(image)


class RepeatChannels(GraphStep):
    """A grey image enters a network of several channels by repetition."""

    step: Literal["repeat_channels"] = "repeat_channels"
    count: PositiveInt = 3

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


def _colours(image: np.ndarray) -> np.ndarray:
    if image.shape[2] != 3:
        raise ValueError(f"takes images of one or three channels, this has {image.shape[2]}")
    return image
