"""Questions to a network and to the way it is trained, for chapter 6."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib import config, effects
from lib.metrics import decisions
from lib.runs import Run, data_of, probabilities
from lib.training import controls
from lib.training.configuration import Configuration
from lib.training.data import Data

if TYPE_CHECKING:
    import keras


def repeats(configuration: Configuration, data: Data, other_seed: int) -> None:
    """Train one epoch twice: the same weights, bit for bit; another seed starts from others. Raises AssertionError if not."""
    from lib.training import initial

    first, again = (_weights(configuration, data) for _ in range(2))
    assert (first == again).all(), "the same seed gives other weights: something draws without a seed"
    start, other = (
        initial.first_weights(changed, data) for changed in (configuration, _seeded(configuration, other_seed))
    )
    assert (start != other).any(), "another seed gives the same weights: the seed plays no part"


def begin_as_their_seeds(finished: Mapping[str, Sequence[Run]], context: config.Context) -> None:
    """Every run begins at the loss of the untrained network of its seed. Raises CheckFailed otherwise."""
    from lib.training import checks, initial

    for run in (run for group in finished.values() for run in group):
        seen = data_of(run.configuration, context)
        checks.begins_as_its_seed(run.history, initial.loss(run.configuration, seen))


def balanced_batch(data: Data, images: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Training images (n, height, width, channels) uint8 and labels (n,), the classes in turn."""
    part = controls.one_batch(data.train, images, seed=0)
    return part.pixels[part.rows], part.labels


def by_seed(runs: Sequence[Run], part: str, metric: str) -> pd.DataFrame:
    """A measured number through training: a row an epoch, a column a seed."""
    tables = {f"seed {run.configuration.seed}": run.history for run in runs}
    columns = {name: table[table["part"] == part].set_index("epoch")[metric] for name, table in tables.items()}
    return pd.DataFrame(columns)


def training_loss(runs: Sequence[Run]) -> np.ndarray:
    """Mean loss on the training part after training, nats: (seeds,)."""
    return np.array([-np.log(_of_labels(run)).mean() for run in runs])


def given_to_labels(run: Run, classes: Sequence[str]) -> dict[str, np.ndarray]:
    """Probabilities that a run gives to the labels of the images that it learned from, by class."""
    labels, given = run.predictions.query("part == 'train'")["label"].to_numpy(), _of_labels(run)
    return {name: given[labels == index] for index, name in enumerate(classes)}


def first_filters(network: "keras.Model") -> np.ndarray:
    """Weights of the first convolution: (height, width, channels of the image, filters) float32.

    Where a grey image is repeated as several channels, their weights act as one sum.
    """
    import keras

    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    kernel = first.kernel.numpy()
    return kernel.sum(axis=2, keepdims=True) if network.input_shape[-1] == 1 else kernel


def relative_change(before: np.ndarray, after: np.ndarray) -> float:
    """Size of the difference of two arrays of one shape, as a share of the size of the first (root of summed squares)."""
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


def one_batch_results(runs: Sequence[Run]) -> pd.DataFrame:
    """What became of the batch that each run was to learn by heart: a row a seed.

    epochs, images; coincide: images whose predicted class is the label; loss: mean, worst: largest of an image, nats.
    """
    rows = {run.configuration.seed: _batch_result(run) for run in runs}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("seed")


def _batch_result(run: Run) -> dict[str, float]:
    table, losses = run.predictions.query("part == 'train'"), -np.log(_of_labels(run))
    decided = decisions(probabilities(table))
    return {
        "epochs": run.history["epoch"].max(),
        "images": len(table),
        "coincide": int((decided == table["label"]).sum()),
        "loss": losses.mean(),
        "worst": losses.max(),
    }


def _of_labels(run: Run) -> np.ndarray:
    return effects.given_to_labels(run.predictions.query("part == 'train'"))


def _seeded(configuration: Configuration, seed: int) -> Configuration:
    return configuration.model_copy(update={"seed": seed})


def _weights(configuration: Configuration, data: Data) -> np.ndarray:
    """All weights after one epoch, one after the other."""
    from lib.training import train

    phase = configuration.phases[0].model_copy(update={"epochs": 1})
    with tempfile.TemporaryDirectory() as folder:
        network, _ = train.train(configuration.model_copy(update={"phases": (phase,)}), data, Path(folder))
    return np.concatenate([weight.ravel() for weight in network.get_weights()])
