"""The loss before any step, over several initialisations (S3.18, S3.19)."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import pandas as pd

from lib.training import measure, model
from lib.training.configuration import Configuration
from lib.training.data import Data


def losses(
    configuration: Configuration, data: Data, biases: Mapping[str, float | str], seeds: Sequence[int]
) -> pd.DataFrame:
    """Mean cross-entropy (nats) on the whole training part at initialisation, for several starts of the last bias.

    biases: name -> bias of the head. One seed draws the same weights for every bias, so that columns are paired.
    Returns a row a seed, a column a bias.
    """
    table = pd.DataFrame(index=pd.Index(seeds, name="seed"), columns=list(biases), dtype=float)
    for seed in seeds:
        for name, bias in biases.items():
            changed = configuration.model_copy(
                update={"seed": seed, "head": configuration.head.model_copy(update={"bias": bias})}
            )
            outputs = measure.logits(measure.traced(build(changed, data)), data.train)
            table.loc[seed, name] = measure.scores(data.train.labels, outputs)["loss"]
    return table


def build(configuration: Configuration, data: Data) -> keras.Model:
    """The untrained network of a configuration on its data."""
    return model.build(configuration, data.train.pixels.shape[-1], data.train.labels, data.classes)


def backbone(network: keras.Model) -> keras.Model:
    """A built network without its head: from the image to the features."""
    return keras.Model(network.input, network.get_layer("global_average").input, name="backbone")


def loss(configuration: Configuration, data: Data) -> float:
    """Cross-entropy (nats) of the untrained network on the images of epoch 0 of its history."""
    part = data.train.first(configuration.measured_images)
    outputs = measure.logits(measure.traced(build(configuration, data)), part)
    return measure.scores(part.labels, outputs)["loss"]


def first_weights(configuration: Configuration, data: Data) -> np.ndarray:
    """All weights of the untrained network, one after the other: (parameters,) float32."""
    return np.concatenate([weight.ravel() for weight in build(configuration, data).get_weights()])
