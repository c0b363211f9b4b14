"""How much a careless split flatters: one model under random, block and group folds of the same images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from lib import classical, folds
from lib.estimates import Bounds, Estimate, Inapplicable
from lib.intervals import Statistic, estimate
from lib.metrics import metric_estimate
from lib.statistics import auc_within

FOLDS = 5
TRUSTED = 0.7  # AUC that the lower limit of a model exceeds before it may suspect a label
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
        return self._estimate((scheme,), lambda: self._statistic(scheme, self.fold[scheme]), (0.0, 1.0))

    def difference(self, flattering: str, honest: str, within: np.ndarray | None = None) -> Estimate | Inapplicable:
        """AUC of one scheme minus that of another over the very same pairs of images, by image and seed.

        The pairs: images that stand in one fold of either scheme, so that each score of a pair comes from one model, and no
        composition of folds plays a part. within: (n,) such as groups: only pairs that agree in it too.
        Inapplicable where the data do not allow one of the schemes, or there is no such pair.
        """
        return self._estimate((flattering, honest), lambda: self._gain(flattering, honest, within))

    def beyond(self, flattering: str, honest: str, within: np.ndarray) -> Estimate | Inapplicable:
        """The difference over all pairs minus that over the pairs `within` alone: what is not explained inside of it.

        Positive where the flattering scheme profits more from telling groups apart than from images of one group.
        """

        def difference() -> Statistic:
            return _less(self._gain(flattering, honest), self._gain(flattering, honest, within))

        return self._estimate((flattering, honest), difference, (-2.0, 2.0))

    def of(self, rows: np.ndarray) -> "Inflation":
        """The same predictions of some images only: rows (n,) bool."""
        fold = {scheme: drawn[:, rows] for scheme, drawn in self.fold.items()}
        scored = {scheme: drawn[:, rows] for scheme, drawn in self.probabilities.items()}
        return Inflation(self.labels[rows], self.groups[rows], fold, scored, self.reasons)

    def by_kind(self, kind: pd.Series) -> pd.DataFrame:
        """One row a kind: groups, AUC under `random` and `group`, their difference, with 95 % intervals as text.

        kind: (n,) text. `half width`: half the width of the interval of the difference, missing where there is none.
        """
        rows = []
        for name in sorted(kind.unique()):
            part = self.of((kind == name).to_numpy())
            gain = part.difference("random", "group")
            seen = gain.half_width() if isinstance(gain, Estimate) else np.nan
            scores = (str(part.auc("random")), str(part.auc("group")), str(gain), seen)
            rows.append((name, len(np.unique(part.groups)), *scores))
        columns = [kind.name, "groups", "AUC, random", "AUC, group", "random less group", "half width"]
        return pd.DataFrame(rows, columns=columns)

    def _statistic(self, scheme: str, strata: np.ndarray) -> Statistic:
        return auc_within(self.labels, self.probabilities[scheme], strata)

    def _gain(self, flattering: str, honest: str, within: np.ndarray | None = None) -> Statistic:
        inside = np.zeros(len(self.labels), int) if within is None else pd.factorize(within)[0]
        pairs = (FOLDS * self.fold[flattering] + self.fold[honest]) * len(self.labels) + inside
        return _less(self._statistic(flattering, pairs), self._statistic(honest, pairs))

    def _estimate(
        self, schemes: tuple[str, ...], build: Callable[[], Statistic], bounds: Bounds = (-1.0, 1.0)
    ) -> Estimate | Inapplicable:
        for scheme in schemes:
            if scheme in self.reasons:
                return Inapplicable(self.reasons[scheme])
        statistic = build()
        if np.isnan(statistic(np.ones((1, len(self.labels))))).any():
            return Inapplicable("no two images that may be compared are of different classes")
        return estimate(statistic, self.groups, bounds)


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


def trusted(
    labels: np.ndarray, probabilities: np.ndarray | None, groups: np.ndarray, least: float = TRUSTED
) -> Estimate | Inapplicable:
    """AUC of the model that is to suspect labels, where its 95 % interval lies above `least`; else why it may not.

    labels, groups: (n,). probabilities: as `honest` gives them.
    """
    if probabilities is None:
        return Inapplicable("classes or groups are too few for a model that would suspect labels")
    auc = metric_estimate("auc", labels, probabilities[None], groups)
    if isinstance(auc, Estimate) and auc.interval()[0] <= least:
        return Inapplicable(
            f"the model that would suspect labels has an AUC of {auc}, which is not surely above {least}"
        )
    return auc


def _less(first: Statistic, second: Statistic) -> Statistic:
    return lambda weights: first(weights) - second(weights)


def _group_folds(groups: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    if folds.single(groups):
        raise folds.Unanswerable("every group is one image, so folds by group are random folds")
    return folds.group_folds(groups, labels, FOLDS, seed)
