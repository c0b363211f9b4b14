"""How images enter networks of three channels."""

import keras


def three_channels(images: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Grey images enter a network of three channels by repetition: (batch, height, width, 1 or 3) -> (..., 3).

    Raises ValueError naming the network for any other number of channels.
    """
    if images.shape[-1] == 3:
        return images
    if images.shape[-1] != 1:
        raise ValueError(
            f"network {name} takes images of 1 or 3 channels, not {images.shape[-1]}; end the recipe in one of them"
        )
    return keras.layers.Concatenate(name="three_channels")([images] * 3)
