"""How much a careless split flatters: one model under random, block and group folds of the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from lib import classical, folds
from lib.estimates import Estimate, Inapplicable
from lib.intervals import Statistic, estimate
from lib.statistics import auc_within

FOLDS = 5
SCHEMES = ("random", "block", "group")


@dataclass(frozen=True, eq=False)
class Inflation:
    """Predictions of the same model, each image scored by a model that did not see its fold.

    labels, groups: (n,). fold: scheme (`random`, `block`, `group`) -> (seeds, n) int. probabilities: scheme -> (seeds, n)
    of class 1, or (seeds, n, classes), as `metrics` takes them. reasons: scheme -> why it could not be measured.
    """

    labels: np.ndarray
    groups: np.ndarray
    fold: dict[str, np.ndarray]
    probabilities: dict[str, np.ndarray]
    reasons: dict[str, str]

    def auc(self, scheme: str) -> Estimate | Inapplicable:
        """AUC within folds, over groups and seeds; inapplicable where the data do not allow the scheme.

        The interval says how the score varies with the images that are scored; that all folds learn from nearly the
        same images is not in it (Bengio and Grandvalet 2004, JMLR 5, 1089-1105).
        """
        if scheme in self.reasons:
            return Inapplicable(self.reasons[scheme])
        return estimate(self._statistic(scheme), self.groups, (0.0, 1.0))

    def difference(self, flattering: str, honest: str, strata: np.ndarray | None = None) -> Estimate | Inapplicable:
        """AUC of one scheme minus that of another, paired by image and seed.

        strata: None: each scheme compares images within its own folds. (n,) or (seeds, n): both compare the very same
        pairs of images, such as those of `fold[honest]`, or of one group; then no composition of folds plays a part.
        Inapplicable where the data do not allow one of them.
        """
        for scheme in (flattering, honest):
            if scheme in self.reasons:
                return Inapplicable(self.reasons[scheme])
        first, second = self._statistic(flattering, strata), self._statistic(honest, strata)
        return estimate(lambda weights: first(weights) - second(weights), self.groups, (-1.0, 1.0))

    def _statistic(self, scheme: str, strata: np.ndarray | None = None) -> Statistic:
        return auc_within(self.labels, self.probabilities[scheme], self.fold[scheme] if strata is None else strata)


def study(
    features: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    seeds: Sequence[int],
    model: BaseEstimator | None = None,
) -> Inflation:
    """Cross-validate one model under three schemes, once a seed.

    features: (n, d), in the data's order. labels: (n,) int from 0. groups: (n,) of any kind. seeds: of the folds.
    model: any scikit-learn classifier; None: `classical.baseline`. A scheme that the data do not allow stands in
    `reasons` instead; `group` does where every group is one image.
    """
    labels, groups = np.asarray(labels), np.asarray(groups)
    schemes = {
        "random": lambda seed: folds.random_folds(labels, FOLDS, seed),
        "block": lambda seed: folds.block_folds(labels, FOLDS, seed),
        "group": lambda seed: _group_folds(groups, labels, seed),
    }
    model = model or classical.baseline()
    fold, probabilities, reasons = {}, {}, {}
    for scheme, draw in schemes.items():
        try:
            fold[scheme] = np.stack([draw(seed) for seed in seeds])
        except folds.Unanswerable as reason:
            reasons[scheme] = str(reason)
            continue
        scored = [classical.out_of_fold(model, features, labels, drawn) for drawn in fold[scheme]]
        probabilities[scheme] = np.stack(scored)
    return Inflation(labels, groups, fold, probabilities, reasons)


def honest(
    features: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    seeds: Sequence[int],
    model: BaseEstimator | None = None,
) -> np.ndarray | None:
    """Probabilities from models that saw neither an image nor its group: (n[, classes]), mean over seeds.

    Arguments as in `study`. None where classes or groups are too few for folds.
    """
    try:
        drawn = [folds.group_folds(groups, labels, FOLDS, seed) for seed in seeds]
    except folds.Unanswerable:
        return None
    model = model or classical.baseline()
    return np.mean([classical.out_of_fold(model, features, np.asarray(labels), fold) for fold in drawn], axis=0)


def _group_folds(groups: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    if folds.single(groups):
        raise folds.Unanswerable("every group is one image, so folds by group are random folds")
    return folds.group_folds(groups, labels, FOLDS, seed)
