"""All graded levels against the two extreme ones alone (S4.2)."""

from functools import partial

import numpy as np
import pandas as pd

from lib.estimates import Estimate, Inapplicable
from lib.intervals import estimate
from lib.metrics import difference_estimate, metric_estimate
from lib.runs import Predictions
from lib.statistics import mean_difference

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


def doubtful_difference(flagged: np.ndarray, levels: pd.Series, groups: np.ndarray) -> Estimate | Inapplicable:
    """Share of flagged images among those of levels between the extremes, minus the share among the extreme levels.

    flagged: (n,) 0 or 1. levels: (n,) float. Inapplicable where there is no level between the extremes.
    """
    doubtful = (~levels.isin([levels.min(), levels.max()])).to_numpy()
    if levels.isna().any() or not doubtful.any():
        return UNGRADED
    return estimate(mean_difference(flagged, doubtful), groups, (-1.0, 1.0))
