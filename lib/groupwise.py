"""What groups do to a score: which of them carries it, and how well images are ranked inside each."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib import statistics
from lib.estimates import Estimate, Inapplicable
from lib.intervals import estimate
from lib.metrics import by_seed
from lib.statistics import mean_difference, ratio


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


def neighbour_agreement(
    label: np.ndarray, groups: np.ndarray, row: np.ndarray, within: np.ndarray | None = None, lag: int = 1
) -> Estimate | Inapplicable:
    """How much the labels of images `lag` rows apart in one group agree, beyond labels permuted within strata.

    label: (n,) int. groups: (n,) of any kind. row: (n,) int, the place in the data's order; images that were left out leave
    a gap. within: (n,) the stratum of each image, such as its kind, whose own share of the label explains some agreement;
    None: all are one. The mean product of what differs from the stratum's mean, less its expectation when labels are
    permuted within strata, over their variance: about 0 where the order tells nothing, 1 where neighbours always agree.
    Inapplicable where no two images are so far apart, or none of these labels differ.
    """
    strata = pd.factorize(np.zeros(len(label)) if within is None else np.asarray(within))[0]
    indicators = pd.get_dummies(pd.Series(label), dtype=float)
    residual = (indicators - indicators.groupby(strata).transform("mean")).to_numpy()
    size = pd.Series(strata).groupby(strata).transform("size").to_numpy()
    variance = pd.Series((residual**2).sum(axis=1)).groupby(strata).transform("mean").to_numpy()
    first, second = _pairs(groups, row, lag)
    if not len(first):
        return Inapplicable("no group holds two images at that distance in rows")
    scale = np.sqrt(variance[first] * variance[second])
    if not scale.any():
        return Inapplicable("the labels do not differ")
    permuted = np.where(strata[first] == strata[second], -scale / np.maximum(1, size[first] - 1), 0)
    excess = (residual[first] * residual[second]).sum(axis=1) - permuted
    return estimate(ratio(excess, scale), np.asarray(groups)[first])


def _pairs(groups: np.ndarray, row: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the images of one group that are `lag` rows apart, the earlier and the later ones."""
    places = pd.MultiIndex.from_arrays([np.asarray(groups), np.asarray(row)])
    later = places.get_indexer(pd.MultiIndex.from_arrays([np.asarray(groups), np.asarray(row) + lag]))
    first = np.flatnonzero(later >= 0)
    return first, later[first]
