"""Runs a frozen backbone over an array of images, in a process of its own.

`python -m lib.features.extraction PIXELS.npy SETTINGS-AS-JSON TARGET.npy`
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is loaded

import keras
import numpy as np
from tqdm import tqdm

from lib import config, networks, onnx, steps
from lib.features import Settings
from lib.training import determinism

BATCH = 32  # images at a time: small enough for the processor's cache

Forward = Callable[[np.ndarray], np.ndarray]  # (n, size, size, channels) uint8 -> (n, d) float32


def build(settings: Settings, channels: int) -> keras.Model:
    """The recipe's last steps, the backbone, the mean over positions: (n, size, size, channels) in [0, 255] -> (n, d).

    The backbone repeats an image that is still grey at the end of the recipe to three channels.
    """
    determinism.fix(settings.threads, seed=0)
    family = networks.family(settings.network.family)
    inputs = keras.Input((settings.image_size, settings.image_size, channels), name="image")
    x = steps.connect(settings.recipe, inputs)
    x = family.build(x, family.Parameters(**settings.network.parameters))
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D(name="global_average")(x))


def keras_forward(network: keras.Model, threads: int) -> Forward:
    """Keras' own engine; it shares each image's work between the threads that TensorFlow was given."""
    return lambda images: network.predict_on_batch(images.astype(np.float32))


ENGINES = {"keras": keras_forward, "onnx": onnx.forward}


def batches(images: np.ndarray, forward: Forward) -> Iterator[tuple[slice, np.ndarray]]:
    """Features batch by batch, with the rows that they belong to."""
    for start in tqdm(range(0, len(images), BATCH), desc="features", ncols=80, disable=None):
        rows = slice(start, min(start + BATCH, len(images)))
        yield rows, forward(images[rows])


def extract(images: np.ndarray, settings: Settings, target: Path) -> None:
    """Write the features of all images as one array. Raises ValueError where one is no finite number."""
    network = build(settings, images.shape[-1])
    array = np.lib.format.open_memmap(target, "w+", np.float32, (len(images), network.output_shape[-1]))
    for rows, found in batches(images, ENGINES[settings.engine](network, settings.threads)):
        if not np.isfinite(found).all():
            raise ValueError(f"features of the images {rows.start} to {rows.stop} are not all finite")
        array[rows] = found
    array.flush()


if __name__ == "__main__":
    pixels, settings, target = sys.argv[1:]
    try:
        extract(np.load(pixels, mmap_mode="r"), Settings.model_validate_json(settings), Path(target))
    except config.UserError as error:  # a file of weights that does not fit
        sys.exit(str(error))
