"""The numbers that chapter 17's hypotheses are about: of one model, on images that it did not see."""

import numpy as np
import pandas as pd

from lib import unpaired
from lib.estimates import Estimate, Inapplicable
from lib.final import calibration
from lib.final.operating import OperatingPoint
from lib.final.scoring import difference, of_predictions
from lib.intervals import estimate
from lib.metrics import MissingClass, metric_statistic
from lib.runs import Predictions
from lib.scores import METRICS


def drop(metric: str, here: Predictions, there: Predictions) -> Estimate | Inapplicable:
    """A metric of one model on some images less the same on others that it shares no group with: unpaired."""
    return unpaired.difference(*(of_predictions(metric, each) for each in (here, there)))


def above(
    metric: str, seen: Predictions, point: OperatingPoint | Inapplicable, level: float
) -> Estimate | Inapplicable:
    """A metric at an operating point less a level that it was to keep. Inapplicable where there is none, or a class lacks."""
    if isinstance(point, Inapplicable):
        return point
    try:
        statistic = metric_statistic(metric, seen.labels, seen.probabilities, point.threshold)
    except MissingClass as error:
        return Inapplicable(str(error).split(";")[0])
    low, high = METRICS[metric].bounds
    return estimate(lambda weights: statistic(weights) - level, seen.groups, (low - level, high - level))


def slope_less_one(seen: Predictions) -> Estimate | Inapplicable:
    """Calibration slope less 1: 0 is calibrated, below it the model is too sure."""
    return calibration.slope(seen.labels, seen.probabilities[0], seen.groups, less=1.0)


def within(metric: str, seen: Predictions, kind: pd.Series | None, first: str, second: str) -> Estimate | Inapplicable:
    """A metric on the images of one kind less the same on those of another. kind: (n,) text, or None: nothing is known."""
    rows = [np.zeros(len(seen.labels), bool) if kind is None else kind.eq(name).to_numpy() for name in (first, second)]
    if not all(each.any() for each in rows):
        return Inapplicable(f"the images are not divided into {first} and {second}")
    return difference(metric, seen.labels, seen.probabilities[0], seen.groups, 0.5, *rows)
