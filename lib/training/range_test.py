"""The learning-rate range test: the rate grows step by step until the loss diverges (Smith 2017, arXiv:1506.01186)."""

from collections.abc import Callable, Iterator, Sequence

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy import ndimage

from lib.training import feed, initial, measure, model
from lib.training.configuration import Configuration
from lib.training.data import Data

FIXED_IMAGES = 128  # whose loss is followed
DIVERGED = 4.0  # times the lowest loss: there a test ends
SMOOTHED = 0.12  # width of the kernel that smooths a curve, as a share of all steps


def losses(
    configuration: Configuration, data: Data, rates: tuple[float, float], steps: int, seeds: Sequence[int]
) -> pd.DataFrame:
    """Loss after each step of a fresh network, while the rate grows by the same factor from step to step.

    It is that of fixed training images, in training mode: batches differ so much that their own losses hide the descent,
    and averages of batch normalisation lag behind. rates: lowest and highest, of the first phase's optimiser. steps: 10 or
    more. Returns a row a step, indexed by `rate`, a column a seed: nats, NaN from where the loss has diverged.
    Raises ValueError for rates or steps that make no test, or as `model.build`.
    """
    low, high = rates
    if not 0 < low < high:
        raise ValueError(f"the rates go from {low:g} to {high:g}; give a lowest above 0 and a highest above that")
    if steps < 10:
        raise ValueError(f"{steps} steps make no curve; give 10 or more")
    table = pd.DataFrame(index=pd.Index(np.geomspace(low, high, steps), name="rate"))
    network = initial.build(configuration, data)
    model.compile_for(network, configuration.phases[0], data.classes)
    forward = tf.function(lambda images: network(images, training=True))
    for seed in seeds:
        changed = configuration.model_copy(update={"seed": seed})
        _restart(network, initial.build(changed, data).get_weights())
        table[f"seed {seed}"] = list(_losses(network, forward, changed, data, table.index))
    return table


def smoothed(table: pd.DataFrame) -> pd.DataFrame:
    """The curves of `losses` as they are judged: a Gaussian over neighbouring steps.

    It makes sudden falls gentler, and moves the steepest place of a descent that is not symmetric, by up to its own width.
    """
    return table.apply(_smooth)


def suggestions(table: pd.DataFrame) -> pd.Series:
    """The rate of steepest descent of each smoothed curve, up to its lowest point: seed -> rate.

    NaN for a curve that never falls.
    """
    return smoothed(table).apply(_steepest)


def _restart(network: keras.Model, weights: list[np.ndarray]) -> None:
    """Make a network new without compiling it again: other weights, and an optimiser that remembers nothing."""
    network.set_weights(weights)
    for variable in network.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))


def _losses(
    network: keras.Model, forward: Callable, configuration: Configuration, data: Data, rates: pd.Index
) -> Iterator[float]:
    fixed = data.train.first(FIXED_IMAGES)
    images = next(fixed.batches(FIXED_IMAGES))
    loss = lowest = np.inf
    for rate, batch in zip(rates, _batches(configuration, data, len(rates)), strict=False):
        if loss <= DIVERGED * lowest:
            network.optimizer.learning_rate = rate
            network.train_on_batch(*batch)
            loss = measure.scores(fixed.labels, np.asarray(forward(images)))["loss"]
            lowest = min(lowest, loss)
        yield loss if loss <= DIVERGED * lowest else np.nan


def _batches(configuration: Configuration, data: Data, steps: int) -> Iterator[tuple]:
    """Whole batches alone: one of another size would be compiled for anew."""
    whole = len(data.train) // configuration.batch_size or 1  # an epoch
    epochs = -(-steps // whole)
    size = min(configuration.batch_size, len(data.train))
    batches = feed.training_batches(data.train, configuration.batch_size, configuration.seed, 0, epochs)
    return (batch for batch in batches if len(batch[1]) == size)


def _smooth(curve: pd.Series) -> pd.Series:
    known = curve.dropna()
    return pd.Series(ndimage.gaussian_filter1d(known, SMOOTHED * len(curve), mode="nearest"), known.index)


def _steepest(curve: pd.Series) -> float:
    falling = curve.dropna().loc[: curve.idxmin()]
    if len(falling) < 2:
        return np.nan
    return float(falling.index[np.argmin(np.gradient(falling, np.log(falling.index)))])
