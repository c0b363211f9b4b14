"""Questions to a network and to the way it is trained, for chapter 6."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib.runs import Run, probabilities
from lib.training.configuration import Configuration
from lib.training.data import Data

if TYPE_CHECKING:
    import keras


def repeats(configuration: Configuration, data: Data, other_seed: int) -> None:
    """Train one epoch twice: the same weights, bit for bit; another seed gives other ones. Raises AssertionError if not."""
    first, again, other = (_weights(configuration, data, seed) for seed in (configuration.seed,) * 2 + (other_seed,))
    assert (first == again).all(), "the same seed gives other weights: something draws without a seed"
    assert (first != other).any(), "another seed gives the same weights: the seed plays no part"


def begin_as_their_seeds(runs: Sequence[Run], data: Sequence[Data]) -> None:
    """Every run begins at the loss of the untrained network of its seed. Raises CheckFailed otherwise."""
    from lib.training import checks, initial

    for run, seen in zip(runs, data, strict=True):
        checks.begins_as_its_seed(run.history, initial.loss(run.configuration, seen))


def first_filters(network: "keras.Model") -> np.ndarray:
    """Weights of the first convolution: (height, width, channels of the image, filters) float32.

    Where a grey image is repeated as several channels, their weights act as one sum.
    """
    import keras

    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    kernel = first.kernel.numpy()
    return kernel.sum(axis=2, keepdims=True) if network.input_shape[-1] == 1 else kernel


def one_batch_results(runs: Sequence[Run]) -> pd.DataFrame:
    """What became of the batch that each run was to learn by heart: a row a seed.

    epochs, images; coincide: images whose predicted class is the label; loss: mean, worst: largest of an image, nats.
    """
    rows = {run.configuration.seed: _batch_result(run) for run in runs}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("seed")


def _batch_result(run: Run) -> dict[str, float]:
    table = run.predictions.query("part == 'train'")
    labels, probability = table["label"].to_numpy(), probabilities(table)
    if probability.ndim == 1:
        probability = np.stack([1 - probability, probability], axis=1)
    losses = -np.log(np.maximum(probability[np.arange(len(labels)), labels], np.finfo(float).tiny))
    return {
        "epochs": run.history["epoch"].max(),
        "images": len(labels),
        "coincide": int((probability.argmax(axis=1) == labels).sum()),
        "loss": losses.mean(),
        "worst": losses.max(),
    }


def _weights(configuration: Configuration, data: Data, seed: int) -> np.ndarray:
    from lib.training import train

    phase = configuration.phases[0].model_copy(update={"epochs": 1})
    short = configuration.model_copy(update={"seed": seed, "phases": (phase,)})
    with tempfile.TemporaryDirectory() as folder:
        network, _ = train.train(short, data, Path(folder))
    return np.concatenate([weight.ravel() for weight in network.get_weights()])
