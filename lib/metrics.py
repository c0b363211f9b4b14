"""Scores of predictions, vectorised over weights, and their intervals; each score means what scikit-learn says it means.

The functions of METRICS take label (n,) int; decision (n,) int, the class decided for, or probability (n,) float in [0, 1]
or (n, classes); and weights (rows, n) float >= 0. They return (rows,) float, NaN where the weights leave them undefined.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lib.intervals import CHUNK_ELEMENTS, Bounds, Estimate, Statistic, estimate

DECISION, PROBABILITY = "decision", "probability"
BOTH = (0, 1)


@dataclass(frozen=True)
class Metric:
    """A score: its function, what that takes, the labels it cannot do without, its bounds, whether it has many classes."""

    function: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    takes: str
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
    below = np.zeros((len(weights), len(negative) + 1))
    np.cumsum(weights[:, negative], axis=1, out=below[:, 1:])
    rank = below[:, np.searchsorted(probability[negative], probability[positive], "left")]
    rank += below[:, np.searchsorted(probability[negative], probability[positive], "right")]
    positive_weights = weights[:, positive]
    won = np.einsum("rp,rp->r", positive_weights, rank) / 2
    return _ratio(won, positive_weights.sum(axis=1) * below[:, -1])


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
    if probability.ndim == 2:
        error = np.sum((probability - np.eye(probability.shape[1])[label]) ** 2, axis=1)
    else:
        error = (probability - label) ** 2.0
    return _ratio(weights @ error, weights.sum(axis=1))


def log_loss(label: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean negative logarithm (nats) of the true class's probability, which is kept from 0 by its type's epsilon."""
    epsilon = np.finfo(probability.dtype).eps
    kept = np.clip(probability, epsilon, 1 - epsilon).astype(float)
    true = kept[np.arange(len(label)), label] if kept.ndim == 2 else np.where(label == 1, kept, 1 - kept)
    return _ratio(weights @ -np.log(true), weights.sum(axis=1))


METRICS = {
    "accuracy": Metric(accuracy, DECISION, many_classes=True),
    "balanced_accuracy": Metric(balanced_accuracy, DECISION, needs=BOTH, many_classes=True),
    "auc": Metric(auc, PROBABILITY, needs=BOTH, many_classes=True),
    "average_precision": Metric(average_precision, PROBABILITY, needs=(1,), many_classes=True),
    "f1": Metric(f1, DECISION, needs=(1,)),
    "precision": Metric(precision, DECISION),
    "sensitivity": Metric(sensitivity, DECISION, needs=(1,)),
    "specificity": Metric(specificity, DECISION, needs=(0,)),
    "brier": Metric(brier, PROBABILITY, many_classes=True),
    "log_loss": Metric(log_loss, PROBABILITY, bounds=(0.0, np.inf), many_classes=True),
}


def _metric(name: str) -> Metric:
    if name not in METRICS:
        raise ValueError(f"metric is {name!r}; choose one of {', '.join(METRICS)}")
    return METRICS[name]


def _checked_label(label: np.ndarray) -> np.ndarray:
    try:
        numbers = np.asarray(label, dtype=float)
    except (TypeError, ValueError):
        numbers = np.array([np.nan])
    if numbers.ndim != 1 or not numbers.size or not np.all((numbers >= 0) & (numbers == np.floor(numbers))):
        raise ValueError("label has gaps or other values; give one whole number an image, 0 or 1 (or 0 to classes - 1)")
    return numbers.astype(int)


def _checked_probability(probability: np.ndarray, label: np.ndarray) -> np.ndarray:
    probability = np.asarray(probability)
    if probability.dtype.kind != "f":
        probability = probability.astype(float)
    if probability.ndim not in (1, 2) or len(probability) != len(label):
        raise ValueError(
            f"probability has shape {probability.shape}, label {label.shape}; give one row an image to both"
        )
    if not (probability.min() >= 0 and probability.max() <= 1):
        span = f"{probability.min()} to {probability.max()}"
        raise ValueError(f"probability spans {span}; it must lie in [0, 1] without gaps: apply the sigmoid or softmax")
    if probability.ndim == 2 and np.abs(probability.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError(
            "probability has rows that do not sum to 1; give (n, classes) softmax output, or (n,) for two classes"
        )
    return probability


def _prepare(name: str, label: np.ndarray, probability: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Checked label (n,) and what the metric takes of the probability."""
    metric, label = _metric(name), _checked_label(label)
    probability = _checked_probability(probability, label)
    classes = probability.shape[1] if probability.ndim == 2 else 2
    if label.max() >= classes:
        raise ValueError(
            f"label goes up to {label.max()}, but probability has {classes} classes; give a column a class"
        )
    if probability.ndim == 2 and not metric.many_classes:
        raise ValueError(
            f"{name} is for two classes, probability has {classes} columns; give the positive one alone, (n,)"
        )
    needs = range(classes) if metric.needs and probability.ndim == 2 else metric.needs
    missing = sorted(set(needs) - set(label.tolist()))
    if missing:
        raise ValueError(
            f"{name} needs images of label {missing}, none is there; choose other images, or accuracy or brier"
        )
    if metric.takes == PROBABILITY:
        return label, probability
    return label, probability.argmax(axis=1) if probability.ndim == 2 else (probability >= threshold).astype(int)


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
    (replicates, n), >= 0. threshold: two classes only, decided positive from it upwards. Returns a float, for many
    weightings (replicates,) float, NaN where the weights leave no class that the metric needs. AUC of constant scores is 0.5.
    Raises ValueError for shapes that differ, gaps, values out of range, a class the metric needs but that has no image.
    """
    label, prediction = _prepare(name, label, probability, threshold)
    weights = np.ones(len(label)) if weights is None else np.asarray(weights)
    if weights.ndim not in (1, 2) or weights.shape[-1] != len(label):
        raise ValueError(
            f"weights has shape {weights.shape}; give (n,) or (replicates, n) with n = {len(label)} images"
        )
    if weights.size and not (weights.min() >= 0 and weights.max() < np.inf):
        raise ValueError("weights has gaps, infinite or negative values; give numbers of 0 or more")
    scores = _rows(name, label, prediction, np.atleast_2d(weights))
    return float(scores[0]) if weights.ndim == 1 else scores


def metric_statistic(
    name: str, label: np.ndarray, probability: np.ndarray, threshold: float = 0.5, within: np.ndarray | None = None
) -> Statistic:
    """A metric as `intervals.estimate` takes it; two of them over one list of images can be subtracted.

    probability: (n,) or (seeds, n) of class 1, or (seeds, n, classes). within: (n,) bool, the images that are scored (the
    others need no label or probability). The function returned takes weights (rows, n) and returns (seeds, rows).
    Raises ValueError as `score`.
    """
    probability = np.asarray(probability)
    probability = probability[None] if probability.ndim == 1 else probability
    shapes = [probability.shape[1:2], (len(label),) if within is None else np.shape(within)]
    if probability.ndim > 3 or shapes != [(len(label),)] * 2:
        given = f"probability has shape {probability.shape}, within {shapes[1]}"
        raise ValueError(f"{given}; with n = {len(label)} labels give (seeds, n) or (seeds, n, classes), and (n,)")
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

    Shapes as in `metric_statistic`. within_a, within_b: (n,) bool, the images that each is scored on (extreme levels in a
    against all in b). Raises ValueError as `score` and `intervals.estimate`, and when the numbers of seeds do not match.
    """
    first = metric_statistic(name, label, probability_a, threshold, within_a)
    second = metric_statistic(name, label, probability_b, threshold, within_b)
    seeds = {len(side) for side in (probability_a, probability_b) if np.ndim(side) > 1}
    if len(seeds - {1}) > 1:
        raise ValueError(f"probability_a and probability_b have {sorted(seeds)} seeds; give the same number, or one")
    low, high = _bounds(name, probability_a)
    return estimate(lambda weights: first(weights) - second(weights), groups, (low - high, high - low))


def _bounds(name: str, probability: np.ndarray) -> Bounds:
    return (0.0, 2.0) if name == "brier" and np.ndim(probability) == 3 else _metric(name).bounds
