"""All graded levels against the two extreme ones alone (S4.2)."""

from functools import partial

import numpy as np

from lib.estimates import Estimate, Inapplicable
from lib.metrics import difference_estimate, metric_estimate
from lib.runs import Predictions

UNGRADED = Inapplicable("the labels are not graded in three levels or more")


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
