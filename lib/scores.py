"""Scores of predictions, vectorised over weights; each is scikit-learn's.

The functions of METRICS take label (n,) int; decision (n,) int, the class decided for, or probability (n,) float in
[0, 1] or (n, classes); weights (rows, n) float >= 0. They return (rows,) float, NaN where weights leave no value.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lib.estimates import Bounds


@dataclass(frozen=True)
class Metric:
    """A score: whether its function takes decisions, labels it cannot do without, bounds, whether many classes do."""

    function: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    decides: bool
    needs: tuple[int, ...] = ()
    bounds: Bounds = (0.0, 1.0)
    many_classes: bool = False


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def _one_versus_rest(function: Callable, label: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> np.ndarray:
    columns = enumerate(probability.T)
    return np.mean([function((label == index).astype(int), column, weights) for index, column in columns], axis=0)


def accuracy(label: np.ndarray, decision: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of images decided rightly."""
    return _ratio(weights @ (label == decision), weights.sum(axis=1))


def balanced_accuracy(label: np.ndarray, decision: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over classes of the share of a class that is found."""
    members = [label == index for index in np.unique(label)]
    return np.mean([_ratio(weights @ (own & (label == decision)), weights @ own) for own in members], axis=0)


def sensitivity(label: np.ndarray, decision: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of positive images decided positive (recall)."""
    return _ratio(weights @ (label & decision), weights @ label)


def specificity(label: np.ndarray, decision: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of negative images decided negative."""
    return sensitivity(1 - label, 1 - decision, weights)


def precision(label: np.ndarray, decision: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of images decided positive that are positive; NaN where none is decided positive."""
    return _ratio(weights @ (label & decision), weights @ decision)


def f1(label: np.ndarray, decision: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Harmonic mean of precision and sensitivity, 2 TP / (2 TP + FP + FN)."""
    return _ratio(2 * (weights @ (label & decision)), weights @ (label + decision))


def auc(label: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve: a tie between a positive and a negative is half a win; constant scores give 0.5."""
    if probability.ndim == 2:
        return _one_versus_rest(auc, label, probability, weights)
    order = np.argsort(probability)
    negative, positive = order[label[order] == 0], order[label[order] == 1]
    below = np.cumsum(np.pad(weights[:, negative], ((0, 0), (1, 0))), axis=1)
    rank = below[:, np.searchsorted(probability[negative], probability[positive], "left")]
    rank += below[:, np.searchsorted(probability[negative], probability[positive], "right")]
    positive_weights = weights[:, positive]
    return _ratio(np.einsum("rp,rp->r", positive_weights, rank) / 2, positive_weights.sum(axis=1) * below[:, -1])


def average_precision(label: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Precision summed over steps of recall, from the highest probability down; images that tie enter together."""
    if probability.ndim == 2:
        return _one_versus_rest(average_precision, label, probability, weights)
    order = np.argsort(-probability)
    last_of_tie = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))
    chosen = weights[:, order]
    found = np.cumsum(chosen * label[order], axis=1)[:, last_of_tie]
    chosen = np.cumsum(chosen, axis=1, out=chosen)[:, last_of_tie]
    share = np.divide(found, chosen, out=np.zeros_like(found), where=chosen > 0)
    return _ratio(np.einsum("rk,rk->r", np.diff(found, axis=1, prepend=0), share), found[:, -1])


def brier(label: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean squared error of the probability; with many classes summed over them, in [0, 2]."""
    truth = label if probability.ndim == 1 else np.eye(probability.shape[1])[label]
    error = np.square(probability - truth).reshape(len(label), -1).sum(axis=1)
    return _ratio(weights @ error, weights.sum(axis=1))


def log_loss(label: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean negative logarithm (nats) of the true class's probability, which is kept from 0 by its type's epsilon."""
    epsilon = np.finfo(probability.dtype).eps
    kept = np.clip(probability, epsilon, 1 - epsilon).astype(float)
    true = kept[np.arange(len(label)), label] if kept.ndim == 2 else np.where(label == 1, kept, 1 - kept)
    return _ratio(weights @ -np.log(true), weights.sum(axis=1))


METRICS = {
    "accuracy": Metric(accuracy, True, many_classes=True),
    "balanced_accuracy": Metric(balanced_accuracy, True, needs=(0, 1), many_classes=True),
    "auc": Metric(auc, False, needs=(0, 1), many_classes=True),
    "average_precision": Metric(average_precision, False, needs=(1,), many_classes=True),
    "f1": Metric(f1, True),
    "precision": Metric(precision, True),
    "sensitivity": Metric(sensitivity, True, needs=(1,)),
    "specificity": Metric(specificity, True, needs=(0,)),
    "brier": Metric(brier, False, many_classes=True),
    "log_loss": Metric(log_loss, False, bounds=(0.0, np.inf), many_classes=True),
}
