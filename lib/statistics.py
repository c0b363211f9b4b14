"""Statistics of weighted images, as `intervals.estimate` takes them: functions of weights (rows, n) that return (rows,)."""

import numpy as np

from lib import scores
from lib.intervals import Statistic


def mean_difference(values: np.ndarray, first: np.ndarray) -> Statistic:
    """Mean of `values` where `first`, minus the mean elsewhere.

    values: (n,) float. first: (n,) bool. NaN where the weights leave one side empty.
    """
    values, first = np.asarray(values, dtype=float), np.asarray(first, dtype=bool)

    def statistic(weights: np.ndarray) -> np.ndarray:
        return _mean(values[first], weights[:, first]) - _mean(values[~first], weights[:, ~first])

    return statistic


def mean_of(values: np.ndarray) -> Statistic:
    """Mean of a number an image; values: (n,) or (seeds, n) float, then the statistic returns (seeds, rows)."""
    values = np.asarray(values, dtype=float)

    def statistic(weights: np.ndarray) -> np.ndarray:
        total = weights.sum(axis=1)
        summed = values @ weights.T
        return np.divide(summed, total, out=np.full(summed.shape, np.nan), where=total > 0)

    return statistic


def averaged(statistic: Statistic) -> Statistic:
    """The mean over the rows of a statistic of several seeds: for repetitions of one estimate, such as other folds of the same
    images, that are no sample of anything. Takes (seeds, rows), returns (rows,)."""
    return lambda weights: np.atleast_2d(statistic(weights)).mean(axis=0)


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> Statistic:
    """Sum of one number an image over the sum of another, (n,) each; NaN where the latter is 0."""
    numerator, denominator = np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float)

    def statistic(weights: np.ndarray) -> np.ndarray:
        below = weights @ denominator
        return np.divide(weights @ numerator, below, out=np.full(len(weights), np.nan), where=below != 0)

    return statistic


def auc_within(label: np.ndarray, probability: np.ndarray, strata: np.ndarray) -> Statistic:
    """AUC over pairs of images of one stratum only: the share of those pairs that are ranked rightly.

    label: (n,) int. probability: (n,) or (seeds, n) of class 1, or (seeds, n, classes): then the mean over classes of one
    against the others. strata: (n,) or (seeds, n) of any kind, such as the folds whose models scored the images: scores
    of different models are never compared. Returns (seeds, rows); NaN where no stratum holds a pair.
    """
    probability = np.asarray(probability)[None] if np.ndim(probability) == 1 else np.asarray(probability)
    strata = np.broadcast_to(strata, probability.shape[:2])
    classes = [1] if probability.ndim == 2 else range(probability.shape[2])
    label, columns = np.asarray(label), probability.reshape(*probability.shape[:2], -1)

    def statistic(weights: np.ndarray) -> np.ndarray:
        by_class = [
            [_within(label == name, seed[:, column], stratum, weights) for column, name in enumerate(classes)]
            for seed, stratum in zip(columns, strata, strict=True)
        ]
        return np.mean(by_class, axis=1)

    return statistic


def _within(positive: np.ndarray, score: np.ndarray, strata: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(rows,): AUC of each stratum, weighted by its number of pairs."""
    right, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for stratum in np.unique(strata):
        inside = strata == stratum
        own = positive[inside]
        if own.all() or not own.any():
            continue
        kept = weights[:, inside]
        here = (kept @ own) * (kept @ ~own)
        right += np.where(here > 0, here * scores.auc(own.astype(int), score[inside], kept), 0)
        pairs += here
    return np.divide(right, pairs, out=np.full(len(weights), np.nan), where=pairs > 0)


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights.sum(axis=1)
    return np.divide(weights @ values, total, out=np.full(len(weights), np.nan), where=total > 0)
