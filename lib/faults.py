"""Mistakes of the source documents and their like, made on purpose, to see that the checks of training stop them."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from lib import sanity
from lib.training.configuration import Configuration
from lib.training.data import Data

if TYPE_CHECKING:
    import keras

STEPS = 10


def caught(configuration: Configuration, data: Data) -> pd.DataFrame:
    """Make every mistake on the network of a configuration, and show the line that stopped it: one row a mistake.

    Raises AssertionError naming the first one that no check stopped.
    """
    made = {
        "the backbone's result is dropped, the head takes the raw image (S3.34)": _unconnected,
        "a run under a new name goes on with another's weights (S3.39)": _continued,
        "its record, found later (S3.39)": _record_of_continued,
        "two networks share a layer (S3.39)": _shared_layer,
        "one optimiser serves two runs (S3.39)": _shared_optimiser,
        "the image is multiplied by zero on its way (S3.21)": _blind,
        "a layer gets no gradient": _stopped,
        "images are normalised by their batch, in prediction too": _by_batch,
    }
    trained = _trained(configuration, data)
    lines = {name: _line(name, partial(mistake, configuration, data, trained)) for name, mistake in made.items()}
    return pd.DataFrame({"mistake": lines.keys(), "stopped with": lines.values()})


def _line(name: str, mistake: Callable[[], None]) -> str:
    from lib.training import checks

    try:
        mistake()
    except checks.CheckFailed as error:
        return str(error)
    raise AssertionError(f"no check stopped this: {name}")


def _unconnected(configuration: Configuration, data: Data, trained: "keras.Model") -> None:
    import keras
    from keras import layers

    from lib.training import checks, initial

    backbone = initial.backbone(initial.build(configuration, data))
    image = keras.Input(backbone.input_shape[1:], name="image")
    features = backbone(image)  # and this is the last that is heard of it
    logits = layers.Dense(1, name="logits")(layers.GlobalAveragePooling2D(name="global_average")(image))
    checks.connected(keras.Model(image, features), keras.Model(image, logits))


def _trained(configuration: Configuration, data: Data) -> "keras.Model":
    """A network after a few steps, with its optimiser."""
    from lib.training import initial, model

    network = initial.build(configuration, data)
    model.compile_for(network, configuration.phases[0], data.classes)
    images, labels = sanity.balanced_batch(data)
    for _ in range(STEPS):
        network.train_on_batch(images, labels)
    return network


def _continued(configuration: Configuration, data: Data, trained: "keras.Model") -> None:
    from lib.training import checks, initial

    checks.fresh_weights(trained, initial.build(configuration, data))


def _record_of_continued(configuration: Configuration, data: Data, trained: "keras.Model") -> None:
    from lib.training import checks, initial, measure

    first = measure.logits(measure.traced(trained), data.train)
    history = pd.DataFrame([{"epoch": 0, "part": "train"} | measure.scores(data.train.labels, first)])
    checks.begins_as_its_seed(history, initial.loss(configuration, data))


def _shared_layer(configuration: Configuration, data: Data, trained: "keras.Model") -> None:
    import keras

    from lib.training import checks, initial

    network = initial.build(configuration, data)
    checks.fresh_weights(network, keras.Model(network.input, network.output))


def _shared_optimiser(configuration: Configuration, data: Data, trained: "keras.Model") -> None:
    from lib.training import checks, initial

    network = initial.build(configuration, data)
    network.compile(trained.optimizer)
    checks.fresh_optimiser(network)


def _blind(configuration: Configuration, data: Data, trained: "keras.Model") -> None:
    from lib.training import checks

    checks.reads_input(_before(configuration, data, lambda image: 0 * image))


def _stopped(configuration: Configuration, data: Data, trained: "keras.Model") -> None:
    import keras

    from lib.training import checks, initial

    network = initial.build(configuration, data)
    features = keras.ops.stop_gradient(initial.backbone(network).output)
    head = network.layers[network.layers.index(network.get_layer("global_average")) :]
    for layer in head:
        features = layer(features)
    checks.gradients(keras.Model(network.input, features), *sanity.balanced_batch(data))


def _by_batch(configuration: Configuration, data: Data, trained: "keras.Model") -> None:
    import keras

    from lib.training import checks

    images, _ = sanity.balanced_batch(data)
    network = _before(configuration, data, lambda image: image - keras.ops.mean(image, axis=0, keepdims=True))
    checks.independent_of_batch(network, images)


def _before(configuration: Configuration, data: Data, change: Callable) -> "keras.Model":
    """The network with a change of the image before it."""
    import keras

    from lib.training import initial

    network = initial.build(configuration, data)
    image = keras.Input(network.input_shape[1:], name="image")
    return keras.Model(image, network(change(image)))
