"""The operating point: a threshold chosen on the tuning part under a named constraint, then frozen."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lib.estimates import Inapplicable
from lib.final.calibration import nothing_to_learn
from lib.grids.final import CONSTRAINED
from lib.metrics import score

DECIMALS = 4  # of a frozen threshold
TOLERANCE = 1e-12  # of a share that is reached exactly


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold, positive from it upwards, and what it reaches on the images that it was chosen on (fractions)."""

    threshold: float
    constraint: str
    sensitivity: float
    specificity: float
    images: int

    def __str__(self) -> str:
        reached = f"sensitivity {self.sensitivity:.3f}, specificity {self.specificity:.3f}"
        return f"positive from {self.threshold:.4f} upwards, for {self.constraint}: {reached} on {self.images} images"

    def record(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def choose(label: np.ndarray, probability: np.ndarray, metric: str, at_least: float) -> OperatingPoint | Inapplicable:
    """The threshold that keeps a metric at a least value and gives up as little as it can.

    label: (n,) 0 or 1. probability: (n,) of class 1. metric: sensitivity or precision: the threshold is the highest, or the
    lowest, that reaches it, so that the most images are spared or found; specificity: the lowest. It lies halfway to the next
    score, rounded to the side that keeps the constraint. Inapplicable for several classes, one class only, constant scores,
    and a constraint that no threshold reaches, or only one that calls all images alike. Raises ValueError for another metric.
    """
    if metric not in CONSTRAINED:
        raise ValueError(f"metric is {metric!r}; choose one of {', '.join(CONSTRAINED)}")
    if np.ndim(probability) > 1:
        return Inapplicable("an operating point needs two classes")
    if reason := nothing_to_learn(label, probability):
        return Inapplicable(reason)
    candidates = _between(np.asarray(probability, dtype=float))
    reached = {each: _reached(label, probability, each) for each in candidates}
    kept = [each for each, found in reached.items() if found[metric] >= at_least - TOLERANCE]
    constraint = f"{metric} of at least {at_least:g}"
    if not kept:
        best = max((found[metric] for found in reached.values() if np.isfinite(found[metric])), default=np.nan)
        everything = " but by calling every image positive" if metric == "sensitivity" else ""
        return Inapplicable(f"no threshold reaches a {constraint}{everything}; the most is {best:.3f}")
    chosen = max(kept) if metric == "sensitivity" else min(kept)
    found = reached[chosen]
    return OperatingPoint(chosen, constraint, found["sensitivity"], found["specificity"], len(label))


def _between(probability: np.ndarray) -> list[float]:
    """Thresholds that part neighbouring scores, rounded where that keeps them apart; none calls all images alike."""
    values = np.unique(probability)
    middle = (values[:-1] + values[1:]) / 2
    rounded = np.round(middle, DECIMALS)
    apart = (values[:-1] < rounded) & (rounded <= values[1:])
    return np.where(apart, rounded, middle).tolist()


def _reached(label: np.ndarray, probability: np.ndarray, threshold: float) -> dict[str, float]:
    return {name: score(name, label, probability, threshold=threshold) for name in CONSTRAINED}
