"""U-Net: an encoder that halves, a decoder that doubles, and what each level saw handed across.

The encoder alone is a backbone for a classifier; with the decoder it is a segmentation network, or an autoencoder.
Source: Ronneberger, Fischer and Brox 2015, arXiv:1505.04597; batch normalisation after each convolution.
"""

from typing import Annotated

import keras
from keras import layers
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

INPUT_RANGE = (0.0, 255.0)  # rescaling is the network's first layer
MINIMUM_SIZE = 32  # the default halves three times and leaves 4 pixels a side


class Parameters(BaseModel):
    """Filters of each level, from the image down to the bottom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    filters: Annotated[tuple[PositiveInt, ...], Field(min_length=2, max_length=6)] = (8, 16, 32, 64)
    batch_norm_momentum: Annotated[float, Field(gt=0, lt=1)] = 0.9

    @property
    def multiple(self) -> int:
        """The decoder meets the encoder's levels only where the pixels a side are a multiple of this."""
        return 2 ** (len(self.filters) - 1)


def build(inputs: keras.KerasTensor, parameters: Parameters) -> keras.KerasTensor:
    """The encoder's bottom, features for a classifier.

    inputs: (batch, height, width, channels) in [0, 255] -> (batch, height / 8, width / 8, 64) by default.
    """
    return encoder(inputs, parameters)[-1]


def encoder(inputs: keras.KerasTensor, parameters: Parameters) -> list[keras.KerasTensor]:
    """What leaves each level, from the whole size down to the bottom: level k is (batch, height / 2^k, width / 2^k,
    filters[k]). Layers are named `encoder_<k>_...`, so that weights can be carried to another network."""
    x = layers.Rescaling(1 / 255, name="rescaling")(inputs)
    levels = []
    for level, filters in enumerate(parameters.filters):
        if level:
            x = layers.MaxPooling2D(2, name=f"encoder_{level}_pooling")(x)
        x = _twice(x, filters, f"encoder_{level}", parameters)
        levels.append(x)
    return levels


def decoder(levels: list[keras.KerasTensor], parameters: Parameters, across: bool = True) -> keras.KerasTensor:
    """From the bottom back to the whole size: (batch, height, width, filters[0]).

    levels: as `encoder` gives them. across: whether each level also sees the encoder's level of its size; an autoencoder
    that did would have nothing to learn. Raises ValueError where the sizes do not meet.
    """
    height, width = levels[0].shape[1:3]
    if height % parameters.multiple or width % parameters.multiple:
        raise ValueError(
            f"unet: images of {width} x {height} pixels do not halve {len(levels) - 1} times; "
            f"give a multiple of {parameters.multiple}"
        )
    x = levels[-1]
    for level in reversed(range(len(levels) - 1)):
        filters = parameters.filters[level]
        x = layers.Conv2DTranspose(filters, 2, strides=2, name=f"decoder_{level}_doubling")(x)
        if across:
            x = layers.Concatenate(name=f"decoder_{level}_across")([levels[level], x])
        x = _twice(x, filters, f"decoder_{level}", parameters)
    return x


def segmentation(size: int, channels: int, parameters: Parameters) -> keras.Model:
    """The network of a mask: (batch, size, size, channels) in [0, 255] -> logits (batch, size, size, 1).

    Raises ValueError where `size` is no multiple of what the levels halve to.
    """
    inputs = keras.Input((size, size, channels), name="image")
    x = decoder(encoder(inputs, parameters), parameters)
    return keras.Model(inputs, layers.Conv2D(1, 1, name="logits")(x), name="unet")


def _twice(x: keras.KerasTensor, filters: int, name: str, parameters: Parameters) -> keras.KerasTensor:
    for number in (1, 2):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_convolution_{number}")(x)
        normal = layers.BatchNormalization(
            momentum=parameters.batch_norm_momentum, name=f"{name}_normalisation_{number}"
        )
        x = layers.ReLU(name=f"{name}_activation_{number}")(normal(x))
    return x
