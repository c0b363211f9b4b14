"""The simple network of S3.11: two strided convolutions."""

import keras
from keras import layers
from pydantic import BaseModel, ConfigDict, PositiveInt

INPUT_RANGE = (0.0, 255.0)  # rescaling is the network's first layer
MINIMUM_SIZE = 18  # below it, nothing is left to pool


class Parameters(BaseModel):
    """Widths of the two convolutions, and whether values are brought to [0, 1] first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    filters: tuple[PositiveInt, PositiveInt] = (32, 32)
    rescaling: bool = True


def build(inputs: keras.KerasTensor, parameters: Parameters) -> keras.KerasTensor:
    """inputs: (batch, height, width, channels) in [0, 255] -> (batch, height / 18, width / 18, filters).

    With the head of one output: 10,177 parameters at three channels. Source: S3.11.
    """
    first, second = parameters.filters
    x = layers.Rescaling(1 / 255, name="rescaling")(inputs) if parameters.rescaling else inputs
    x = layers.Conv2D(first, 3, strides=3, padding="same", activation="relu", name="convolution_1")(x)
    x = layers.MaxPooling2D(2, name="pooling_1")(x)
    return layers.Conv2D(second, 3, strides=3, padding="same", activation="relu", name="convolution_2")(x)
