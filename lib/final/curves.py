"""ROC and precision-recall curves with pointwise bands over groups."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from lib.estimates import Estimate, Inapplicable
from lib.final.calibration import nothing_to_learn
from lib.intervals import estimate

CLOSE = 1e-12  # rates that are equal but for rounding
GRID = np.round(np.linspace(0, 1, 41), 3)

Curve = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # weights (rows, n) -> across, up: (rows, steps)


def roc(label: np.ndarray, probability: np.ndarray, groups: np.ndarray) -> pd.DataFrame | Inapplicable:
    """Sensitivity at each false-positive rate of GRID: x, value, low, high (95 %, pointwise; missing where unknown).

    label, probability: (n,). Inapplicable for several classes, one class only, constant scores.
    """

    def rates(found: np.ndarray, called: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        wrong = called - found
        return _share(wrong, wrong[:, -1:]), _share(found, found[:, -1:])

    return _banded(label, probability, groups, rates, GRID)


def precision_recall(label: np.ndarray, probability: np.ndarray, groups: np.ndarray) -> pd.DataFrame | Inapplicable:
    """Precision at each recall of GRID but 0; otherwise as `roc`. The lowest step that reaches the recall counts."""

    def rates(found: np.ndarray, called: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _share(found, found[:, -1:]), _share(found, called)

    return _banded(label, probability, groups, rates, GRID[1:], reaching=True)


def _banded(
    label: np.ndarray,
    probability: np.ndarray,
    groups: np.ndarray,
    rates: Callable,
    grid: np.ndarray,
    reaching: bool = False,
) -> pd.DataFrame | Inapplicable:
    if np.ndim(probability) > 1:
        return Inapplicable("a curve of thresholds needs two classes")
    if reason := nothing_to_learn(label, probability):
        return Inapplicable(reason)
    order = np.argsort(-probability, kind="stable")
    last_of_tie = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))
    positive = np.asarray(label)[order] == 1

    def at(x: float, weights: np.ndarray) -> np.ndarray:
        chosen = weights[:, order]
        steps = [np.cumsum(part, axis=1)[:, last_of_tie] for part in (chosen * positive, chosen)]
        across, up = rates(*steps)
        if reaching:  # the first step at which so much is reached
            found = np.take_along_axis(up, (across < x - CLOSE).sum(axis=1, keepdims=True), axis=1)[:, 0]
        else:
            found = np.where(across <= x + CLOSE, up, 0).max(axis=1)
        return np.where(np.isnan(across[:, -1]) | np.isnan(up[:, -1]), np.nan, found)

    rows = [_point(x, estimate(lambda weights, x=x: at(x, weights), groups, (0.0, 1.0))) for x in grid]
    return pd.DataFrame(rows, columns=["x", "value", "low", "high"])


def _point(x: float, found: Estimate | Inapplicable) -> tuple[float, ...]:
    return (x, found.value, *(found.interval() if isinstance(found, Estimate) else (np.nan, np.nan)))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    whole = np.broadcast_to(whole, part.shape)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
