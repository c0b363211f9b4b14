"""What groups do to a score: which of them carries it, and how well images are ranked inside each."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib import statistics
from lib.estimates import Estimate, Inapplicable
from lib.intervals import estimate
from lib.metrics import by_seed
from lib.statistics import correlation, mean_difference


def without_each(
    name: str, label: np.ndarray, probability: np.ndarray, groups: np.ndarray, most: int = 30
) -> dict[str, np.ndarray]:
    """A metric on the images of all groups but one: "without <group>" -> (seeds,), NaN where a needed class is left out.

    label, groups: (n,). probability: (seeds, n) of class 1, or (seeds, n, classes). Of more than `most` groups the
    largest are left out in turn; a group that is the only one is not.
    """
    sizes = pd.Series(groups).value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    kept = {group: groups != group for group in sorted(sizes.index[:most])}
    return {
        f"without {group}": by_seed(name, label[rows], probability[:, rows])
        for group, rows in kept.items()
        if rows.any()
    }


def auc_within(label: np.ndarray, probability: np.ndarray, groups: np.ndarray) -> Estimate | Inapplicable:
    """Chance that a positive image is ranked above a negative one of the same group, over all such pairs.

    Unlike the AUC of all images it gains nothing from groups that differ as a whole. Several classes: the mean over classes
    of one against the rest. Shapes as in `without_each`. Inapplicable where a class shares no group with another.
    """
    statistic = statistics.auc_within(label, probability, groups)
    if np.isnan(statistic(np.ones((1, len(label))))).any():
        return Inapplicable("no group holds images of two classes")
    return estimate(statistic, groups, (0.0, 1.0))


def share_difference(
    label: np.ndarray, kind: pd.Series, groups: np.ndarray, classes: Sequence[str]
) -> Estimate | Inapplicable:
    """Share of positive images of the first kind, by the alphabet, minus that of all other kinds.

    label: (n,) 0 or 1. kind: (n,) text. Inapplicable for one kind, and for any other number of classes than two.
    """
    if len(classes) != 2:
        return Inapplicable("a share of positive images needs two classes")
    if kind.nunique() < 2:
        return Inapplicable("all images are of one kind")
    return estimate(mean_difference(label, (kind == kind.min()).to_numpy()), groups, (-1.0, 1.0))


def neighbour_correlation(label: np.ndarray, groups: np.ndarray, classes: Sequence[str]) -> Estimate | Inapplicable:
    """Correlation between the label of an image and that of the next one of its group, in the order given.

    label: (n,) 0 or 1. Inapplicable for any other number of classes than two, and where no group holds two images.
    """
    if len(classes) != 2:
        return Inapplicable("labels of two classes are needed for a correlation")
    following = pd.Series(label).groupby(groups).shift(-1)
    known = following.notna().to_numpy()
    if len(np.unique(groups[known])) < 2:
        return Inapplicable("hardly any group holds two images")
    return estimate(correlation(label[known], following[known].to_numpy()), groups[known], (-1.0, 1.0))


def lag_correlations(label: np.ndarray, groups: np.ndarray, lags: Sequence[int]) -> pd.DataFrame:
    """Correlation of labels at distances of `lags` rows within a group, as they are and less the mean of the group.

    label: (n,) numbers. Returns one row a lag; NaN where no two images are so far apart, or their labels are equal.
    """
    labels = pd.Series(label, dtype=float)
    versions = {"labels": labels, "labels less group mean": labels - labels.groupby(groups).transform("mean")}
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {
            name: {str(lag): values.corr(values.groupby(groups).shift(-lag)) for lag in lags}
            for name, values in versions.items()
        }
    return pd.DataFrame(columns).rename_axis("lag, rows")
