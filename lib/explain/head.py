"""The head that CAM needs: one dense layer on the global average of a layer; anything else is refused in words."""

import keras
import numpy as np
import tensorflow as tf

from lib.explain.model import Network
from lib.explain.operations import PASSING


def found(network: Network) -> tuple[str, keras.layers.Dense]:
    """The layer that is averaged, and the dense layer on the average. Raises ValueError saying what there is instead."""
    operations = network.backwards()
    _, dense = next(operations)
    after = ((name, each) for name, each in operations if not isinstance(each, PASSING))
    _, pooling = next(after, ("", None))
    if not isinstance(dense, keras.layers.Dense) or not isinstance(pooling, keras.layers.GlobalAveragePooling2D):
        there = " on ".join(type(each).__name__ for each in (dense, pooling) if each is not None)
        raise ValueError(
            f"CAM needs one linear dense layer on a global average, {network.model.name} ends in {there}; use Grad-CAM"
        )
    return next(after, ("the images", None))[0], dense


def check(network: Network, layer: str) -> keras.layers.Dense:
    """The dense layer on the average of `layer`. Raises ValueError as `found`, and where another layer is averaged."""
    averaged, dense = found(network)
    if layer != averaged:
        raise ValueError(f"CAM explains {averaged!r}, the layer that is averaged, not {layer!r}; use Grad-CAM")
    return dense


def weights(network: Network, layer: str, index: np.ndarray, values: list | None = None) -> np.ndarray:
    """(n, channels): what each channel's average adds to the logit of class `index` (n,). values: as `Network.forward`."""
    dense = check(network, layer)
    with network.substituted(values):
        kernel = tf.convert_to_tensor(dense.kernel).numpy()
    return (np.hstack([-kernel, kernel]) if network.units == 1 else kernel).T[index]
