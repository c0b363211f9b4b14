"""Predictions scored, once or for many weightings of the images, and the intervals of these scores."""

import numpy as np

from lib.estimates import Bounds, Estimate, Inapplicable
from lib.intervals import CHUNK_ELEMENTS, Statistic, estimate
from lib.scores import METRICS, Metric


class MissingClass(ValueError):
    """A class that a metric cannot do without has no image."""


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
        raise MissingClass(f"{name} needs images of label {min(missing)}, there are none; add some, or use accuracy")
    return label, decisions(probability, threshold) if metric.decides else probability


def _rows(name: str, label: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(rows,) scores of checked input, a bounded number of rows at a time."""
    step = max(1, CHUNK_ELEMENTS // len(label))
    parts = [weights[first : first + step].astype(float, copy=False) for first in range(0, len(weights), step)]
    return np.concatenate([METRICS[name].function(label, prediction, part) for part in parts])


def of_labels(probability: np.ndarray, label: np.ndarray) -> np.ndarray:
    """(n,): the probability that each image's label is given. probability: (n,) of class 1, or (n, classes)."""
    both = np.stack([1 - probability, probability], axis=1) if probability.ndim == 1 else probability
    return both[np.arange(len(label)), label]


def decisions(probability: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """The class decided for: (n,) int.

    probability: (n,) of class 1, positive from the threshold upwards; (n, classes): the largest wins, the first of equals.
    """
    return probability.argmax(axis=1) if probability.ndim == 2 else (probability >= threshold).astype(int)


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
) -> Estimate | Inapplicable:
    """A metric with its interval: of one model, or of a method when there are several seeds.

    Shapes as in `metric_statistic`, groups (n,) of any kind. Inapplicable where a class that the metric needs has no
    image, and as `intervals.estimate`. Raises ValueError as `score`.
    """
    try:
        statistic = metric_statistic(name, label, probability, threshold)
    except MissingClass as error:
        return Inapplicable(str(error).split(";")[0])
    return estimate(statistic, groups, _bounds(name, probability))


def difference_estimate(
    name: str,
    label: np.ndarray,
    probability_a: np.ndarray,
    probability_b: np.ndarray,
    groups: np.ndarray,
    threshold: float = 0.5,
    within_a: np.ndarray | None = None,
    within_b: np.ndarray | None = None,
) -> Estimate | Inapplicable:
    """Metric of a minus metric of b, paired by image and by seed; one seed in either means a fixed model.

    Shapes as in `metric_statistic`. within_a, within_b: (n,) bool, the images that each is scored on, such as extreme
    levels and all. Inapplicable as `metric_estimate`. Raises ValueError as `score`, and when the numbers of seeds do not
    match.
    """
    try:
        first = metric_statistic(name, label, probability_a, threshold, within_a)
        second = metric_statistic(name, label, probability_b, threshold, within_b)
    except MissingClass as error:
        return Inapplicable(str(error).split(";")[0])
    seeds = {len(side) for side in (probability_a, probability_b) if np.ndim(side) > 1}
    if len(seeds - {1}) > 1:
        raise ValueError(f"probability_a and probability_b have {sorted(seeds)} seeds; give the same number, or one")
    low, high = _bounds(name, probability_a)
    return estimate(lambda weights: first(weights) - second(weights), groups, (low - high, high - low))


def fitting(classes: int) -> list[str]:
    """Names of the metrics for a number of classes. Precision is left out: it has no value where nothing is called positive."""
    return [name for name, metric in METRICS.items() if (classes == 2 or metric.many_classes) and name != "precision"]


def metric_estimates(
    label: np.ndarray, probability: np.ndarray, groups: np.ndarray
) -> dict[str, Estimate | Inapplicable]:
    """Every metric that fits the number of classes, by name. Shapes as in `metric_estimate`."""
    classes = 2 if np.ndim(probability) < 3 else np.shape(probability)[2]
    return {name: metric_estimate(name, label, probability, groups) for name in fitting(classes)}


def chance(label: np.ndarray, shares: np.ndarray) -> dict[str, float]:
    """Every metric of a classifier that sees no image: it gives the shares of the classes as probabilities.

    So it always names the most frequent class. label: (n,). shares: (classes,) float, sum 1: of the training part.
    What needs a class without any image is left out.
    """
    blind = np.tile(shares, (1, len(label), 1)) if len(shares) > 2 else np.full((1, len(label)), shares[1])
    found = {name: by_seed(name, label, blind)[0] for name in fitting(len(shares))}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def by_seed(name: str, label: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """(seeds,) scores, one a seed; NaN where a class that the metric needs has no image. Shapes as in `metric_statistic`."""
    try:
        return metric_statistic(name, label, probability)(np.ones((1, len(label))))[:, 0]
    except MissingClass:
        return np.full(len(np.atleast_2d(probability)), np.nan)


def confusion(label: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """(classes, classes) int: images by true class (rows) and class decided for. Shapes as in `score`."""
    classes = 2 if probability.ndim == 1 else probability.shape[1]
    counts = np.bincount(classes * np.asarray(label, dtype=int) + decisions(probability), minlength=classes**2)
    return counts.reshape(classes, classes)
