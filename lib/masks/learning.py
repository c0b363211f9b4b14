"""Teach the U-Net of a mask on phantoms. Keras is loaded where it trains only: that happens in a process of its own."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lib import config, onnx
from lib.masks import applying, phantoms
from lib.masks.settings import Settings, WeightsRefused

if TYPE_CHECKING:
    import keras

BATCH = 8  # S1.7


def write(settings: Settings, folder: Path) -> None:
    """Train, or take the weights of the file that the settings name, and write `model.weights.h5` and `network.onnx`.

    Raises WeightsRefused as `load`.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()
    network = train(settings) if settings.weights is None else load(settings)
    network.save_weights(folder / "model.weights.h5")
    (folder / "network.onnx").write_bytes(onnx.exported(network))


def train(settings: Settings) -> "keras.Model":
    """A network taught on phantoms: first on small ones, where an image costs a fifth, then at the size that is used.

    In each stage the rate falls to zero by half a cosine. Deterministic where the threads are.
    """
    import keras

    network = None
    for number, stage in enumerate(settings.stages):
        larger = _network(settings, stage.size)
        if network is not None:
            larger.set_weights(network.get_weights())
        network = larger
        rate = keras.optimizers.schedules.CosineDecay(stage.learning_rate, -(-stage.images // BATCH) * stage.epochs)
        network.compile(
            keras.optimizers.Adam(rate), keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False
        )
        images, masks = phantoms.draw(settings.of, stage.images, stage.size, settings.seed + number)
        inputs = np.stack([applying.network_input(image, stage.size) for image in images])
        network.fit(inputs, masks[..., None].astype(np.float32), BATCH, epochs=stage.epochs, verbose=0)
    return network


def load(settings: Settings) -> "keras.Model":
    """The network with the weights of a local file (`.weights.h5`, as Keras saves them).

    Raises WeightsRefused when the file holds the weights of another network, or none.
    """
    network = _network(settings, settings.size)
    try:
        network.load_weights(config.REPOSITORY / settings.weights)
    except (ValueError, OSError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsRefused(
            f"mask: {settings.weights} does not fit a unet of filters {list(settings.filters)}, "
            f"one grey channel in, one mask out: {reason:.160}; "
            "give weights that Keras saved of such a network, or leave `weights` out to train here"
        ) from None
    return network


def _network(settings: Settings, size: int) -> "keras.Model":
    from lib.networks import unet

    return unet.segmentation(size, 1, unet.Parameters(filters=settings.filters))
