"""What every step of a recipe is."""

import inspect
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from lib import atomic
from lib.config import Strict

if TYPE_CHECKING:  # a recipe can be read, checked and hashed without loading a deep-learning library
    import keras

Range = tuple[float, float]
PIXELS: Range = (0.0, 255.0)  # of what is cached
MOST_CHANNELS = 4  # of an image: OpenCV resizes no more


class Step(Strict):
    """One step of a recipe: a validated setting with a field `step`, its name. Its result depends on nothing else."""

    in_graph: ClassVar[bool] = False

    def fingerprint(self) -> list[str]:
        """Hashes of what decides the result beside the setting itself: the code of the step's module.

        A step that depends on more (nested steps, a file of weights, further modules) adds the hashes of that.
        """
        return [atomic.code_sha256(Path(inspect.getfile(type(self))).read_text())]


class PixelStep(Step):
    """A step from uint8 to uint8, whose result is cached."""

    def apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) or (height, width, channels) uint8, which is left alone; size: of the run, in pixels.

        Returns uint8, of two axes where there is one channel. Raises ValueError as `decoded`, for a size that is no whole
        number above 0, and for channels that the step cannot take.
        """
        if not isinstance(size, Integral) or size < 1:
            raise ValueError(f"size is {size!r}; expected a whole number of pixels, 1 or more")
        return self._apply(decoded(image), size)

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """What the step does to an image that is one."""
        raise NotImplementedError


class GraphStep(Step):
    """A step within the network's graph, each image by itself: a network carries it wherever it goes."""

    in_graph: ClassVar[bool] = True

    def connect(self, tensor: "keras.KerasTensor", before: Range = PIXELS) -> "keras.KerasTensor":
        """tensor: (batch, height, width, channels) float with values within `before`."""
        raise NotImplementedError

    def range_after(self, low: float, high: float) -> Range:
        """Range of values after the step, given the range before it."""
        return low, high


def decoded(image: np.ndarray) -> np.ndarray:
    """The image itself; raises ValueError for anything but uint8 of two axes, or of three where there are channels."""
    is_array = isinstance(image, np.ndarray)
    what = f"{image.dtype.name} of shape {image.shape}" if is_array else type(image).__name__
    if not is_array or image.dtype != np.uint8 or image.ndim not in (2, 3) or 0 in image.shape:
        raise ValueError(f"images are (height, width) or (height, width, 3) uint8, this is {what}; decode it")
    if image.shape[2:] == (1,):
        raise ValueError(f"an image of one channel is (height, width) uint8, this is {what}; give image[..., 0]")
    return image


def colours(image: np.ndarray) -> np.ndarray:
    """An image of several channels itself; raises ValueError where they are not three."""
    if image.shape[2] != 3:
        raise ValueError(
            f"takes images of one or three channels, this has {image.shape[2]}; leave out what is no colour, such as alpha"
        )
    return image


def one_channel(step: Step, image: np.ndarray) -> None:
    """Raise ValueError for an image of several channels."""
    if image.ndim != 2:
        raise ValueError(f"takes images of one channel, this has {image.shape[2]}; put `grey` before {step.step!r}")
