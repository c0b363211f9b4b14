"""The reduced Xception of S3.26: a stem of two convolutions, residual blocks of separable ones, and a last one.

Source: Chollet 2017, arXiv:1610.02357; as reduced in the Keras example "Image classification from scratch".
"""

from typing import Annotated

import keras
from keras import layers
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

INPUT_RANGE = (0.0, 255.0)  # rescaling is the network's first layer
MINIMUM_SIZE = 8  # of which the stem leaves 4
SMALLEST_POOLED = 4  # pixels a side: a block that would leave less keeps its size


class Parameters(BaseModel):
    """Widths, and how slowly the averages of batch normalisation follow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stem: tuple[PositiveInt, PositiveInt] = (32, 64)
    sizes: Annotated[tuple[PositiveInt, ...], Field(min_length=2)] = (128, 256, 512, 728, 1024)  # the last: no block
    momentum: float = Field(default=0.99, ge=0, lt=1)  # share of an average that stays at each step
    dropout: float = Field(default=0, ge=0, lt=1)  # of what enters each convolution of a block, in training alone


def build(inputs: keras.KerasTensor, parameters: Parameters) -> keras.KerasTensor:
    """inputs: (batch, height, width, channels) in [0, 255] -> (batch, h, w, last size), float32.

    The stem and every block halve the image, rounded up, but no block below 4 pixels a side. With the defaults and a
    head of one output: 2,782,649 parameters at three channels. Source: S3.26.
    """
    x = layers.Rescaling(1 / 255, name="rescaling")(inputs)
    for number, (size, strides) in enumerate(zip(parameters.stem, (2, 1), strict=True), start=1):
        x = layers.Conv2D(size, 3, strides=strides, padding="same", name=f"stem_convolution_{number}")(x)
        x = _normalised(x, "stem", number, parameters)
        x = layers.Activation("relu", name=f"stem_activation_{number}")(x)
    for number, size in enumerate(parameters.sizes[:-1], start=1):
        x = _block(x, f"block_{number}", size, parameters)
    x = layers.SeparableConv2D(parameters.sizes[-1], 3, padding="same", name="final_separable_1")(x)
    x = _normalised(x, "final", 1, parameters)
    return layers.Activation("relu", name="final_activation_1")(x)


def blocks(parameters: Parameters) -> dict[str, str]:
    """The blocks in order, each with the name of its last layer: where a later part freezes up to."""
    names = [f"block_{number}" for number in range(1, len(parameters.sizes))]
    return {"stem": "stem_activation_2"} | {name: f"{name}_add" for name in names} | {"final": "final_activation_1"}


def _block(x: keras.KerasTensor, name: str, size: int, parameters: Parameters) -> keras.KerasTensor:
    """Two separable convolutions and a pooling, added to a projection of what enters."""
    start, pooled = x, (min(x.shape[1:3]) + 1) // 2
    strides = 2 if pooled >= SMALLEST_POOLED else 1
    for number in (1, 2):
        x = layers.Activation("relu", name=f"{name}_activation_{number}")(x)
        if parameters.dropout:
            x = layers.Dropout(parameters.dropout, name=f"{name}_dropout_{number}")(x)
        x = layers.SeparableConv2D(size, 3, padding="same", name=f"{name}_separable_{number}")(x)
        x = _normalised(x, name, number, parameters)
    x = layers.MaxPooling2D(3, strides, padding="same", name=f"{name}_pooling")(x)
    projection = layers.Conv2D(size, 1, strides, padding="same", name=f"{name}_projection")(start)
    return layers.Add(name=f"{name}_add")([x, projection])


def _normalised(x: keras.KerasTensor, name: str, number: int, parameters: Parameters) -> keras.KerasTensor:
    return layers.BatchNormalization(momentum=parameters.momentum, name=f"{name}_normalisation_{number}")(x)
