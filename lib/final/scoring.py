"""Scores of the final test: those of the whole book, except that scores which are all alike get no number for their order."""

import numpy as np

from lib.estimates import Estimate, Inapplicable
from lib.metrics import difference_estimate, metric_estimate
from lib.runs import Predictions

CONSTANT = "all images have the same score"
OF_ORDER = ("auc", "average_precision")  # metrics that judge in which order scores put images


def constant(probability: np.ndarray) -> bool:
    """Whether all images have the same score. probability: (n,) of class 1 or (n, classes), n >= 1."""
    return bool((np.asarray(probability) == np.asarray(probability)[:1]).all())


def scored(
    metric: str, label: np.ndarray, probability: np.ndarray, groups: np.ndarray, threshold: float = 0.5
) -> Estimate | Inapplicable:
    """A metric with its interval, as `metrics.metric_estimate`; Inapplicable for one of OF_ORDER where scores are constant.

    label, groups: (n,). probability: (n,) of class 1 or (n, classes). threshold: two classes only.
    """
    found = metric_estimate(metric, label, probability[None], groups, threshold)
    alike = metric in OF_ORDER and isinstance(found, Estimate) and constant(probability)
    return Inapplicable(CONSTANT) if alike else found


def difference(
    metric: str, label: np.ndarray, probability: np.ndarray, groups: np.ndarray, threshold: float,
    inside: np.ndarray, outside: np.ndarray,
) -> Estimate | Inapplicable:  # fmt: skip
    """A metric on some images less the same on others, as `metrics.difference_estimate`, with the exception of `scored`.

    inside, outside: (n,) bool, the images of either side; the other arguments as `scored`.
    """
    found = difference_estimate(metric, label, probability[None], probability[None], groups, threshold, inside, outside)
    alike = (
        metric in OF_ORDER
        and isinstance(found, Estimate)
        and any(constant(probability[each]) for each in (inside, outside))
    )
    return Inapplicable(CONSTANT) if alike else found


def of_predictions(metric: str, seen: Predictions, threshold: float = 0.5) -> Estimate | Inapplicable:
    """The same of one model's predictions."""
    return scored(metric, seen.labels, seen.probabilities[0], seen.groups, threshold)
