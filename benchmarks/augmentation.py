"""What augmentation costs a training step, layer by layer, at the sizes of the `cpu` book: grey images, 32 a batch.

A step of the narrow Xception of chapter 8 with one layer is measured against one without. Where Keras has no layer that does
what ours does, the nearest one stands beside it, each alone on one batch.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmarks import report
from lib.cards import load
from lib.training import augmentation, determinism, model
from lib.training.configuration import Configuration, Network, Phase

IMAGE_SIZE, BATCH_SIZE = 32, 32
REPEATS = 25
STEPS = 8  # a repeat
SEED = 7
AUGMENTATIONS = {
    "flip": augmentation.Flip(),
    "rotation": augmentation.Rotation(),
    "zoom": augmentation.Zoom(),
    "crop": augmentation.Crop(),
    "colour": augmentation.Colour(),
    "cutout": augmentation.Cutout(),
    "noise": augmentation.Noise(),
}


def measure() -> list[report.Figure]:
    """Seconds of a step with each layer as a share of one without, and of each layer alone."""
    determinism.fix(threads=1, seed=SEED)
    generator = np.random.default_rng(SEED)
    images = tf.constant(generator.integers(0, 256, (BATCH_SIZE, IMAGE_SIZE, IMAGE_SIZE, 1)), tf.uint8)
    labels = tf.constant(generator.integers(0, 2, BATCH_SIZE), tf.int32)
    steps = {"none": _step((), images, labels)}
    steps |= {name: _step((one,), images, labels) for name, one in AUGMENTATIONS.items()}
    alone = {name: _alone(_ours(one), images) for name, one in AUGMENTATIONS.items()}
    alone |= {f"{name}, nearest of Keras": _alone(keras.Sequential(made), images) for name, made in _nearest().items()}
    report.interleaved(steps | alone, 1)
    found = report.interleaved(steps, REPEATS)
    single = report.interleaved(alone, REPEATS)
    goal = report.Goal("at most", 1.25)
    figures = [
        report.Figure(f"step with {name} / without", "ratio", report.ratios(found[name], found["none"]), goal)
        for name in AUGMENTATIONS
    ]
    figures.append(report.Figure("step without", "milliseconds", [1000 * value for value in found["none"]]))
    return figures + [
        report.Figure(f"{name} alone", "milliseconds a batch", [1000 * value for value in values])
        for name, values in single.items()
    ]


def _step(augmentations: tuple, images: tf.Tensor, labels: tf.Tensor) -> Callable[[], float]:
    """Mean seconds of a training step."""
    phase = Phase(epochs=1)
    configuration = Configuration(
        dataset="elpv",
        recipe=load("elpv").recipe,
        image_size=IMAGE_SIZE,
        network=Network(family="xception", parameters={"stem": [8, 16], "sizes": [16, 32, 64, 128]}),
        phases=(phase,),
        augmentation=augmentations,
        seed=SEED,
    )
    network = model.build(configuration, 1, labels.numpy(), 2)
    model.compile_for(network, phase, 2)

    def run() -> float:
        return report.seconds(lambda: [network.train_on_batch(images, labels) for _ in range(STEPS)]) / STEPS

    return run


def _ours(one: augmentation.Augmentation) -> keras.Model:
    inputs = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 1))
    return keras.Model(inputs, augmentation.connect([one], inputs, SEED))


def _nearest() -> dict[str, list[layers.Layer]]:
    """One window a batch; a square of noise instead of the mean; values beyond the range."""
    side, cut = round((1 - AUGMENTATIONS["crop"].share) * IMAGE_SIZE), AUGMENTATIONS["cutout"].share ** 2
    return {
        "crop": [layers.RandomCrop(side, side, seed=SEED), layers.Resizing(IMAGE_SIZE, IMAGE_SIZE)],
        "cutout": [layers.RandomErasing(1.0, scale=(cut, cut), seed=SEED)],
        "noise": [layers.GaussianNoise(1.0, seed=SEED)],
    }


def _alone(layer: keras.Model, images: tf.Tensor) -> Callable[[], float]:
    """Mean seconds of a layer on one batch, as part of a graph."""
    traced, batch = tf.function(lambda given: layer(given, training=True)), tf.cast(images, tf.float32)

    def run() -> float:
        return report.seconds(lambda: [traced(batch) for _ in range(STEPS)]) / STEPS

    return run
