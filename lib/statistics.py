"""Statistics of weighted images, as `intervals.estimate` takes them: functions of weights (rows, n) that return (rows,)."""

import numpy as np

from lib.intervals import Statistic


def mean_difference(values: np.ndarray, first: np.ndarray) -> Statistic:
    """Mean of `values` where `first`, minus the mean elsewhere.

    values: (n,) float. first: (n,) bool. NaN where the weights leave one side empty.
    """
    values, first = np.asarray(values, dtype=float), np.asarray(first, dtype=bool)

    def statistic(weights: np.ndarray) -> np.ndarray:
        return _mean(values[first], weights[:, first]) - _mean(values[~first], weights[:, ~first])

    return statistic


def correlation(x: np.ndarray, y: np.ndarray) -> Statistic:
    """Pearson's correlation of paired values, (n,) each; NaN where one of them is constant."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)

    def statistic(weights: np.ndarray) -> np.ndarray:
        mean_x, mean_y = _mean(x, weights), _mean(y, weights)
        covariance = _mean(x * y, weights) - mean_x * mean_y
        variances = (_mean(x * x, weights) - mean_x**2) * (_mean(y * y, weights) - mean_y**2)
        constant = variances <= 1e-24
        return np.where(constant, np.nan, covariance / np.sqrt(np.where(constant, 1, variances)))

    return statistic


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    total = weights.sum(axis=1)
    return np.divide(weights @ values, total, out=np.full(len(weights), np.nan), where=total > 0)
