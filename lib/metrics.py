"""Scores of predictions, vectorised over weights, and their intervals; each score is scikit-learn's.

The functions of METRICS take label (n,) int; decision (n,) int, the class decided for, or probability (n,) float in
[0, 1] or (n, classes); weights (rows, n) float >= 0. They return (rows,) float, NaN where weights leave no value.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lib.intervals import CHUNK_ELEMENTS, Bounds, Estimate, Statistic, estimate


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


def _metric(name: str) -> Metric:
    if name not in METRICS:
        raise ValueError(f"metric is {name!r}; choose one of {', '.join(METRICS)}")
    return METRICS[name]


def _bounds(name: str, probability: np.ndarray) -> Bounds:
    return (0.0, 2.0) if name == "brier" and np.ndim(probability) == 3 else _metric(name).bounds


def _floats(values: np.ndarray) -> np.ndarray:
    try:
        values = np.asarray(values)
        return values if values.dtype.kind == "f" else values.astype(float)
    except (TypeError, ValueError):
        return np.full(np.shape(values), np.nan)


def _checked_label(label: np.ndarray) -> np.ndarray:
    label = _floats(label)
    if label.ndim != 1 or not label.size or not np.all((label >= 0) & (label == np.floor(label))):
        raise ValueError("label is empty, has gaps or other values; give (n,) whole numbers from 0 to classes - 1")
    return label.astype(int)


def _checked_probability(probability: np.ndarray, label: np.ndarray) -> np.ndarray:
    probability = _floats(probability)
    if probability.ndim not in (1, 2) or len(probability) != len(label):
        raise ValueError(f"probability has shape {probability.shape}, label {label.shape}; give both a row an image")
    if not np.all((probability >= 0) & (probability <= 1)):
        raise ValueError("probability has gaps or values outside [0, 1]; apply the sigmoid or softmax to logits")
    if probability.ndim == 2 and np.abs(probability.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError("probability has rows that do not sum to 1; give softmax output, or (n,) for two classes")
    return probability


def _prepare(name: str, label: np.ndarray, probability: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Checked label (n,), and the decision (n,) or probability that the metric takes."""
    metric, label = _metric(name), _checked_label(label)
    probability = _checked_probability(probability, label)
    several, classes = probability.ndim == 2, probability.shape[1] if probability.ndim == 2 else 2
    if label.max() >= classes:
        raise ValueError(f"label goes up to {label.max()}, probability has {classes} classes; give a column a class")
    if several and not metric.many_classes:
        raise ValueError(f"{name} is for two classes, probability has {classes} columns; give the positive one, (n,)")
    missing = set(range(classes) if metric.needs and several else metric.needs) - set(label.tolist())
    if missing:
        raise ValueError(f"{name} needs images of label {min(missing)}, there are none; add some, or use accuracy")
    if not metric.decides:
        return label, probability
    return label, probability.argmax(axis=1) if several else (probability >= threshold).astype(int)


def _rows(name: str, label: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(rows,) scores of checked input, a bounded number of rows at a time."""
    step = max(1, CHUNK_ELEMENTS // len(label))
    parts = [weights[first : first + step].astype(float, copy=False) for first in range(0, len(weights), step)]
    return np.concatenate([METRICS[name].function(label, prediction, part) for part in parts])


def score(
    name: str, label: np.ndarray, probability: np.ndarray, weights: np.ndarray | None = None, threshold: float = 0.5
) -> float | np.ndarray:
    """One of METRICS, once or for many weightings of the images.

    label: (n,) whole numbers. probability: (n,) of class 1, or (n, classes); in [0, 1]. weights: None, (n,) or
    (replicates, n), >= 0. threshold: two classes only, positive from it upwards. Returns a float, or (replicates,)
    float; NaN where weights leave out a class that the metric needs, or none is decided positive (precision).
    Raises ValueError for shapes that differ, gaps, values out of range, a needed class without any image.
    """
    label, prediction = _prepare(name, label, probability, threshold)
    weights = np.ones(len(label)) if weights is None else np.asarray(weights)
    if weights.ndim not in (1, 2) or weights.shape[-1] != len(label) or not weights.size:
        raise ValueError(f"weights has shape {weights.shape}; give (n,) or (replicates, n), n = {len(label)} images")
    if not (weights.min() >= 0 and weights.max() < np.inf):
        raise ValueError(f"weights span {weights.min()} to {weights.max()}; give finite numbers of 0 or more")
    scores = _rows(name, label, prediction, np.atleast_2d(weights))
    return float(scores[0]) if weights.ndim == 1 else scores


def metric_statistic(
    name: str, label: np.ndarray, probability: np.ndarray, threshold: float = 0.5, within: np.ndarray | None = None
) -> Statistic:
    """A metric as `intervals.estimate` takes it; two of them over one list of images can be subtracted.

    probability: (n,) or (seeds, n) of class 1, or (seeds, n, classes). within: (n,) bool, the images that are scored;
    the others need no label or probability. The function returned takes weights (rows, n) and returns (seeds, rows).
    Raises ValueError as `score`.
    """
    probability = np.asarray(probability)[None] if np.ndim(probability) == 1 else np.asarray(probability)
    shapes = [probability.shape[1:2], (len(label),) if within is None else np.shape(within)]
    if probability.ndim > 3 or shapes != [(len(label),)] * 2:
        raise ValueError(f"probability is {probability.shape}, within {shapes[1]}, label ({len(label)},); give equal n")
    kept = slice(None) if within is None else np.asarray(within, dtype=bool)
    prepared = [_prepare(name, np.asarray(label)[kept], seed[kept], threshold) for seed in probability]
    return lambda weights: np.stack([_rows(name, *pair, weights[:, kept]) for pair in prepared])


def metric_estimate(
    name: str, label: np.ndarray, probability: np.ndarray, groups: np.ndarray, threshold: float = 0.5
) -> Estimate:
    """A metric with its interval: of one model, or of a method when there are several seeds.

    Shapes as in `metric_statistic`, groups (n,) of any kind. Raises ValueError as `score` and `intervals.estimate`.
    """
    return estimate(metric_statistic(name, label, probability, threshold), groups, _bounds(name, probability))


def difference_estimate(
    name: str,
    label: np.ndarray,
    probability_a: np.ndarray,
    probability_b: np.ndarray,
    groups: np.ndarray,
    threshold: float = 0.5,
    within_a: np.ndarray | None = None,
    within_b: np.ndarray | None = None,
) -> Estimate:
    """Metric of a minus metric of b, paired by image and by seed; one seed in either means a fixed model.

    Shapes as in `metric_statistic`. within_a, within_b: (n,) bool, the images that each is scored on, such as extreme
    levels and all. Raises ValueError as `score` and `intervals.estimate`, and when the numbers of seeds do not match.
    """
    first = metric_statistic(name, label, probability_a, threshold, within_a)
    second = metric_statistic(name, label, probability_b, threshold, within_b)
    seeds = {len(side) for side in (probability_a, probability_b) if np.ndim(side) > 1}
    if len(seeds - {1}) > 1:
        raise ValueError(f"probability_a and probability_b have {sorted(seeds)} seeds; give the same number, or one")
    low, high = _bounds(name, probability_a)
    return estimate(lambda weights: first(weights) - second(weights), groups, (low - high, high - low))
