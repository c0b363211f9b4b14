"""Decision curves: what acting on a model is worth, against acting on every image and on none.

Source: Vickers and Elkin 2006, "Decision curve analysis", doi:10.1177/0272989X06295361.
"""

import numpy as np
import pandas as pd

from lib.estimates import UNBOUNDED, Estimate, Inapplicable
from lib.final.calibration import nothing_to_learn
from lib.intervals import Statistic, estimate

THRESHOLDS = np.round(np.linspace(0.02, 0.9, 45), 2)  # probabilities from which one would act


def net_benefit(label: np.ndarray, act: np.ndarray, threshold: float) -> Statistic:
    """True positives less false positives at the odds of the threshold, a share of all images; for many weightings.

    label: (n,) 0 or 1. act: (n,) bool, the images that are acted on. threshold: probability in (0, 1): one would act on
    so many sound images for each defective one as its odds say.
    """
    odds = threshold / (1 - threshold)
    worth = np.asarray(act) * np.where(np.asarray(label) == 1, 1.0, -odds)

    def statistic(weights: np.ndarray) -> np.ndarray:
        total = weights.sum(axis=1)
        return np.divide(weights @ worth, total, out=np.full(len(weights), np.nan), where=total > 0)

    return statistic


def curve(
    label: np.ndarray, probability: np.ndarray, thresholds: np.ndarray = THRESHOLDS
) -> pd.DataFrame | Inapplicable:
    """Net benefit by threshold: model, all (act on every image), none; a row a threshold.

    label, probability: (n,). Inapplicable for several classes and one class only.
    """
    if reason := refused(label, probability):
        return Inapplicable(reason)
    once, everything = np.ones((1, len(label))), np.ones(len(label), bool)
    acts = {
        "model": lambda threshold: probability >= threshold,
        "all": lambda _: everything,
        "none": lambda _: ~everything,
    }
    found = {
        name: [net_benefit(label, act(each), each)(once).item() for each in thresholds] for name, act in acts.items()
    }
    return pd.DataFrame(found, index=pd.Index(thresholds, name="threshold"))


def gain(
    label: np.ndarray, probability: np.ndarray, groups: np.ndarray, threshold: float | None
) -> Estimate | Inapplicable:
    """Net benefit of the model less the better one of acting on all images and on none, at one threshold, with interval.

    threshold: None where there is no operating point. Inapplicable as `curve`, and without a threshold within (0, 1).
    """
    if reason := refused(label, probability):
        return Inapplicable(reason)
    if threshold is None or not 0 < threshold < 1:
        return Inapplicable("there is no operating point between 0 and 1")
    model = net_benefit(label, probability >= threshold, threshold)
    everything = net_benefit(label, np.ones(len(label), bool), threshold)
    return estimate(lambda weights: model(weights) - np.maximum(0, everything(weights)), groups, UNBOUNDED)


def refused(label: np.ndarray, probability: np.ndarray) -> str:
    """Why there is no decision curve; empty where there is one."""
    if np.ndim(probability) > 1:
        return "a decision curve needs two classes"
    return nothing_to_learn(label, probability)
