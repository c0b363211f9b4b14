"""All graded levels against the two extreme ones alone (S4.2)."""

from functools import partial

import numpy as np
import pandas as pd

from lib.estimates import Estimate, Inapplicable
from lib.intervals import estimate
from lib.metrics import difference_estimate, metric_estimate
from lib.runs import Predictions
from lib.statistics import mean_difference, ratio

UNGRADED = Inapplicable("the labels are not graded in three levels or more")


def extreme(levels: pd.Series) -> np.ndarray | Inapplicable:
    """(n,) bool: images of the least and of the greatest level. levels: (n,) float, missing where there are none."""
    if levels.isna().any() or levels.nunique() < 3:
        return UNGRADED
    return levels.isin([levels.min(), levels.max()]).to_numpy()


def extremes_auc(extreme: Predictions | None) -> Estimate | Inapplicable:
    """AUC of the networks that learned from the extreme levels, on these levels. extreme: None where there are none."""
    if extreme is None:
        return UNGRADED
    return metric_estimate("auc", extreme.labels, extreme.probabilities, extreme.groups)


def differences(all_levels: Predictions, extreme: Predictions | None) -> dict[str, Estimate | Inapplicable]:
    """AUC with all levels minus AUC with the extreme ones, and what of it lies in learning and what in scoring.

    `learning`: networks that learned from all levels against those that saw the extremes, both scored on the extremes.
    `scoring`: networks that learned from all levels, scored on all against the extremes. `both`: together.
    """
    if extreme is None:
        return dict.fromkeys(("learning", "scoring", "both"), UNGRADED)
    known = np.isin(all_levels.images, extreme.images)
    everything, extremes = all_levels.probabilities, extreme.aligned(all_levels.images)
    difference = partial(difference_estimate, "auc", all_levels.labels, groups=all_levels.groups, within_b=known)
    return {
        "learning": difference(everything, extremes, within_a=known),
        "scoring": difference(everything, everything),
        "both": difference(everything, extremes),
    }


def doubtful_difference(
    flagged: np.ndarray, levels: pd.Series, labels: np.ndarray, groups: np.ndarray
) -> Estimate | Inapplicable:
    """Share of flagged images among the doubtful levels of a class, minus that among its extreme level; mean over classes.

    flagged: (n,) 0 or 1. levels: (n,) float; doubtful are those between the least and the greatest. labels: (n,) int.
    Classes are compared with themselves, because one is flagged more often than another for reasons of its own; a class
    without doubtful or without extreme images takes no part. Inapplicable where none is left, or nothing is graded.
    """
    sure, flagged, labels = extreme(levels), np.asarray(flagged), np.asarray(labels)
    if isinstance(sure, Inapplicable):
        return sure
    members = [np.flatnonzero(labels == name) for name in np.unique(labels)]
    members = [rows for rows in members if sure[rows].any() and not sure[rows].all()]
    if not members:
        return Inapplicable("no class holds doubtful levels beside an extreme one")
    differences = [(rows, mean_difference(flagged[rows], ~sure[rows])) for rows in members]
    return estimate(
        lambda weights: np.mean([difference(weights[:, rows]) for rows, difference in differences], axis=0),
        groups,
        (-1.0, 1.0),
    )


def shares(flagged: np.ndarray, named: pd.Series, groups: np.ndarray) -> pd.DataFrame:
    """How many images of each level are flagged: level, images, flagged, share with its 95 % interval (text).

    flagged: (n,) 0 or 1. named: (n,) categorical, the name of each image's level.
    """
    rows = []
    for name in named.cat.categories:
        here = (named == name).to_numpy(float)
        share = estimate(ratio(flagged * here, here), groups, (0.0, 1.0))
        rows.append((name, int(here.sum()), int((flagged * here).sum()), str(share)))
    return pd.DataFrame(rows, columns=[named.name, "images", "suspected", "share [95 % interval]"])
