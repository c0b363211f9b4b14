"""Scaling to float values, in the network's graph, each image by itself."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat

from lib.steps.step import PIXELS, GraphStep, Range

if TYPE_CHECKING:
    import keras

AXES = (1, 2, 3)  # height, width and channels: one mean and one deviation an image
SMALLEST_DEVIATION = 1e-3  # of values in [0, 255]; below it, an image is constant and becomes zero


def _ordered(limits: Range) -> Range:
    if not limits[0] < limits[1]:
        raise ValueError(f"{list(limits)} is no range; give the lower end first")
    return limits


class ZScore(GraphStep):
    """Mean 0 and standard deviation 1 (S1.3); what lies beyond `clip` deviations is cut off. A constant image becomes 0."""

    step: Literal["z_score"] = "z_score"
    clip: PositiveFloat = 3  # standard deviations

    def connect(self, tensor: "keras.KerasTensor", before: Range = PIXELS) -> "keras.KerasTensor":
        """tensor: (batch, height, width, channels) -> the same shape, within [-clip, clip]."""
        from keras import ops

        centred = tensor - ops.mean(tensor, AXES, keepdims=True)
        deviation = ops.sqrt(ops.mean(ops.square(centred), AXES, keepdims=True))
        return ops.clip(centred / ops.maximum(deviation, SMALLEST_DEVIATION), -self.clip, self.clip)

    def range_after(self, low: float, high: float) -> Range:
        """Range of values after the step."""
        return -self.clip, self.clip


class GlobalContrastNormalisation(GraphStep):
    """Mean 0 and contrast 1 where there is contrast (S0.10): a z-score that leaves images of little contrast weak.

    `regularisation` is added to the variance, in squared grey values. Source: Goodfellow, Bengio and Courville 2016,
    Deep Learning, 12.2.1.1.
    """

    step: Literal["global_contrast_normalisation"] = "global_contrast_normalisation"
    regularisation: float = Field(default=100, gt=0)
    clip: PositiveFloat = 3

    def connect(self, tensor: "keras.KerasTensor", before: Range = PIXELS) -> "keras.KerasTensor":
        """tensor: (batch, height, width, channels) -> the same shape, within [-clip, clip]."""
        from keras import ops

        centred = tensor - ops.mean(tensor, AXES, keepdims=True)
        contrast = ops.sqrt(self.regularisation + ops.mean(ops.square(centred), AXES, keepdims=True))
        return ops.clip(centred / contrast, -self.clip, self.clip)

    def range_after(self, low: float, high: float) -> Range:
        """Range of values after the step."""
        return -self.clip, self.clip


class Rescale(GraphStep):
    """The range of values so far is mapped onto another: a network gets the range that it declares."""

    step: Literal["rescale"] = "rescale"
    to: Annotated[Range, AfterValidator(_ordered)] = PIXELS

    def connect(self, tensor: "keras.KerasTensor", before: Range = PIXELS) -> "keras.KerasTensor":
        """tensor: (batch, height, width, channels) within `before` -> the same shape, within `to`."""
        factor = (self.to[1] - self.to[0]) / (before[1] - before[0])
        return (tensor - before[0]) * factor + self.to[0]

    def range_after(self, low: float, high: float) -> Range:
        """Range of values after the step."""
        return self.to
