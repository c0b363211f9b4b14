"""Whether probabilities mean what they say: one temperature fitted on the tuning part, and how far from calibrated they are.

Images of two classes: label (n,) int, probability (n,) float of class 1. Of more classes, where nothing else is said: label
(n,), probability (n, classes); then the question is how often the decided class is right, against its probability.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special

from lib.estimates import UNBOUNDED, Estimate, Inapplicable
from lib.final.scoring import CONSTANT, constant
from lib.intervals import Statistic, estimate
from lib.metrics import decisions, of_labels

BINS = 10
EPSILON = 1e-7  # probabilities are kept so far from 0 and 1
HOTTEST = np.log(100)  # bounds of the logarithm of the temperature
DECIMALS = 3  # of a frozen temperature
ITERATIONS = 30  # of Newton's method
CONVERGED = 1e-8  # a step of it


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error, with what a perfectly calibrated model would show on so many images.

    value: weighted mean over bins of |share that is so - mean probability|. perfect_low, perfect_high: central 95 % of it
    when every image's outcome is drawn from its own probability.
    """

    value: float
    perfect_low: float
    perfect_high: float
    bins: int

    def __str__(self) -> str:
        return f"{self.value:.3f}, perfect: {self.perfect_low:.3f} to {self.perfect_high:.3f}"


def scaled(probability: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities with logits divided by a temperature > 0: above 1 they move to the middle; order and decision stay.

    probability: (n,) of class 1, or (n, classes); same shape back.
    Source: Guo et al. 2017, "On calibration of modern neural networks", arXiv:1706.04599.
    """
    kept = np.clip(np.asarray(probability, dtype=float), EPSILON, 1 - EPSILON)
    if kept.ndim == 1:
        return special.expit(special.logit(kept) / temperature)
    return special.softmax(np.log(kept) / temperature, axis=1)


def temperature(label: np.ndarray, probability: np.ndarray) -> float | Inapplicable:
    """The temperature of the lowest log loss, rounded to a thousandth so that it is the same on other processors.

    Inapplicable where one class only has images, or all scores are the same.
    """
    if reason := nothing_to_learn(label, probability):
        return Inapplicable(reason)

    def loss(logarithm: float) -> float:
        given = of_labels(scaled(probability, np.exp(logarithm)), label)
        return -np.log(np.maximum(given, np.finfo(float).tiny)).mean()

    best = optimize.minimize_scalar(loss, bounds=(-HOTTEST, HOTTEST), method="bounded", options={"xatol": 1e-6})
    return round(float(np.exp(best.x)), DECIMALS)


def nothing_to_learn(label: np.ndarray, probability: np.ndarray) -> str:
    """Why no question about scores can be put to these images; empty where it can."""
    if not len(label):
        return "there is no image to measure it on"
    if len(np.unique(label)) < 2:
        return "all images are of one class"
    if constant(probability):
        return CONSTANT
    return ""


def outcomes(label: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What is predicted to happen, (n,) 0 or 1, and its probability (n,): class 1; of several classes, being right."""
    label, probability = np.asarray(label), np.asarray(probability)
    if probability.ndim == 1:
        return label, probability
    return (decisions(probability) == label).astype(int), probability.max(axis=1)


def error(
    label: np.ndarray, probability: np.ndarray, bins: int = BINS, draws: int = 2000, seed: int = 7
) -> CalibrationError:
    """Expected calibration error over bins of equally many images, and the band of a perfect model by simulation.

    Images are drawn one by one: where those of a group are alike, the band is somewhat too narrow.
    Source: Bröcker and Smith 2007, "Increasing the reliability of reliability diagrams".
    """
    outcome, p = outcomes(label, probability)
    bin_of, bins = _bins(p, bins)
    member = np.eye(bins)[bin_of]
    drawn = np.random.default_rng(seed).random((draws, len(p))) < p
    shown = np.abs((np.vstack([outcome[None], drawn]) - p) @ member).sum(axis=1) / len(p)
    low, high = np.quantile(shown[1:], [0.025, 0.975])
    return CalibrationError(float(shown[0]), float(low), float(high), bins)


def reliability(
    label: np.ndarray, probability: np.ndarray, bins: int = BINS, draws: int = 2000, seed: int = 7
) -> pd.DataFrame:
    """A reliability diagram: a row a bin of equally many images: images, probability (mean), share (that is so).

    low, high: central 95 % of the share that a perfect model would show in that bin.
    """
    outcome, p = outcomes(label, probability)
    bin_of, bins = _bins(p, bins)
    member = np.eye(bins)[bin_of]
    size = member.sum(axis=0)
    drawn = (np.random.default_rng(seed).random((draws, len(p))) < p) @ member / size
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    columns = {"images": size.astype(int), "probability": p @ member / size, "share": outcome @ member / size}
    return pd.DataFrame(columns | {"low": low, "high": high})


def slope(label: np.ndarray, probability: np.ndarray, groups: np.ndarray, less: float = 0.0) -> Estimate | Inapplicable:
    """Slope of a logistic regression of the outcome on the logit: 1 is calibrated, below it too sure, with its interval.

    groups: (n,). less: what is taken off, such as 1. Inapplicable where there is nothing to learn, or the classes are told
    apart without error. Source: Van Calster et al. 2016, doi:10.1016/j.jclinepi.2015.12.005.
    """
    return _recalibrated(label, probability, groups, True, less)


def intercept(label: np.ndarray, probability: np.ndarray, groups: np.ndarray) -> Estimate | Inapplicable:
    """Calibration in the large, in logits: what must be added so that the mean probability is the share; 0 is calibrated.

    Above 0 probabilities are too low. Inapplicable and source as `slope`.
    """
    return _recalibrated(label, probability, groups, False, 0.0)


def _recalibrated(
    label: np.ndarray, probability: np.ndarray, groups: np.ndarray, with_slope: bool, less: float
) -> Estimate | Inapplicable:
    outcome, p = outcomes(label, probability)
    if reason := nothing_to_learn(outcome, p):
        return Inapplicable(reason)
    coefficient = _logistic(outcome, special.logit(np.clip(p, EPSILON, 1 - EPSILON)), with_slope)
    found = estimate(lambda weights: coefficient(weights) - less, groups, UNBOUNDED)
    if isinstance(found, Inapplicable) and found.reason.startswith("it has no value"):
        return Inapplicable("its classes are told apart without error")
    return found


def _logistic(outcome: np.ndarray, logit: np.ndarray, with_slope: bool) -> Statistic:
    """A coefficient of a weighted logistic regression by Newton's method, for many weightings at once.

    NaN where it does not settle: classes that are told apart without error have no finite slope.
    """

    def statistic(weights: np.ndarray) -> np.ndarray:
        added, factor = np.zeros(len(weights)), np.ones(len(weights))
        with np.errstate(all="ignore"):
            for _ in range(ITERATIONS):
                p = special.expit(added[:, None] + factor[:, None] * logit)
                residual, curvature = weights * (outcome - p), weights * p * (1 - p)
                a, b, c = curvature.sum(axis=1), curvature @ logit, curvature @ logit**2
                first, second = residual.sum(axis=1), residual @ logit
                if with_slope:
                    determinant = a * c - b * b
                    steps = (c * first - b * second) / determinant, (a * second - b * first) / determinant
                else:
                    steps = first / a, np.zeros_like(a)
                added, factor = added + steps[0], factor + steps[1]
                settled = (np.abs(steps) <= CONVERGED).all(axis=0)
                if settled.all():
                    break
        return np.where(settled, factor if with_slope else added, np.nan)

    return statistic


def _bins(probability: np.ndarray, bins: int) -> tuple[np.ndarray, int]:
    """The bin of each image, (n,) int, and how many there are: equally many images each; ties stay together."""
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1]))
    found = np.searchsorted(edges, probability, side="right")
    return np.unique(found, return_inverse=True)[1], len(np.unique(found))
