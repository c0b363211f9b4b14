"""Classical models on several descriptions of the same images: scored on folds that they did not see, and compared."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from lib import classical, folds
from lib.estimates import Estimate, Inapplicable
from lib.intervals import Statistic, estimate
from lib.metrics import confusion, metric_estimates
from lib.statistics import auc_within, averaged

DUMMY = "dummy"
FEWEST_IMAGES = 40  # below it a fold teaches nothing, and there are fewer images than neighbours to ask

Key = tuple[str, str]  # description, model
Models = Callable[[int], Mapping[str, BaseEstimator]]  # of a seed


@dataclass(frozen=True, eq=False)
class Score:
    """The AUC of one model, or the mean of several, as a statistic of all images of the book; or why there is none."""

    groups: np.ndarray  # (n,) of all images
    statistic: Statistic | None = None
    reason: str = ""

    def auc(self) -> Estimate | Inapplicable:
        """With its interval over groups and seeds.

        It says how the score varies with the images that are scored; that all folds learn from nearly the same images is
        not in it (Bengio and Grandvalet 2004, JMLR 5, 1089-1105).
        """
        return Inapplicable(self.reason) if self.reason else estimate(self.statistic, self.groups, (0.0, 1.0))

    def over_folds(self) -> "Score":
        """The mean over seeds, as one estimate: where nothing but the folds is drawn, seeds repeat it and are no sample."""
        return self if self.reason else replace(self, statistic=averaged(self.statistic))

    def less(self, other: "Score") -> Estimate | Inapplicable:
        """This AUC minus another one, paired by image, group and seed."""
        if reason := self.reason or other.reason:
            return Inapplicable(reason)
        return estimate(lambda weights: self.statistic(weights) - other.statistic(weights), self.groups, (-1.0, 1.0))


@dataclass(frozen=True, eq=False)
class Study:
    """Predictions of every model on every description, each image scored by models that did not see its group.

    groups: (n,) of all images. rows: (m,) int: those that took part. labels: (m,). fold: (seeds, m) int. probabilities:
    (description, model) -> (seeds, m) of class 1, or (seeds, m, classes). fit_seconds: -> (seeds, folds) of the processor.
    reason: why nothing could be measured, or nothing.
    """

    groups: np.ndarray
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    fold: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), int))
    probabilities: Mapping[Key, np.ndarray] = field(default_factory=dict)
    fit_seconds: Mapping[Key, np.ndarray] = field(default_factory=dict)
    reason: str = ""

    @property
    def models(self) -> list[str]:
        """Names of the models, without the dummy."""
        return [name for name in dict.fromkeys(model for _, model in self.probabilities) if name != DUMMY]

    def of(self, description: str, *models: str) -> Score:
        """The score of one model on one description, or the mean over several; over all but the dummy when none is named."""
        if self.reason:
            return Score(self.groups, reason=self.reason)
        statistics = [
            auc_within(self.labels, self.probabilities[description, name], self.fold) for name in models or self.models
        ]
        return Score(self.groups, lambda weights: np.mean([one(weights[:, self.rows]) for one in statistics], axis=0))

    def best(self) -> Score:
        """The score of whatever is best on the other folds: nothing is chosen by the images that it is judged on."""
        if self.reason:
            return Score(self.groups, reason=self.reason)
        statistic = auc_within(self.labels, self.best_probabilities(), self.fold)
        return Score(self.groups, lambda weights: statistic(weights[:, self.rows]))

    def choices(self) -> pd.Series:
        """How often each description and model was best on all folds but one: one choice a seed and fold."""
        chosen = [self._best_on(seed, fold) for seed in range(len(self.fold)) for fold in np.unique(self.fold[seed])]
        chosen = chosen or [(self.reason, "none")]
        index = pd.MultiIndex.from_tuples(chosen, names=["description", "model"])
        return pd.Series(1, index).groupby(level=[0, 1]).sum().sort_values(ascending=False).rename("times best")

    def best_probabilities(self) -> np.ndarray:
        """(seeds, m[, classes]): for each fold, of the description and model that is best on the others."""
        found = np.zeros_like(next(iter(self.probabilities.values())))
        for seed, folds_of_seed in enumerate(self.fold):
            for fold in np.unique(folds_of_seed):
                own = folds_of_seed == fold
                found[seed, own] = self.probabilities[self._best_on(seed, fold)][seed, own]
        return found

    def table(self) -> dict[str, dict[str, Estimate | Inapplicable]]:
        """AUC by description and model."""
        if self.reason:
            return {"": {"": Inapplicable(self.reason)}}
        table: dict[str, dict[str, Estimate | Inapplicable]] = {}
        for description, model in self.probabilities:
            table.setdefault(description, {})[model] = self.of(description, model).auc()
        return table

    def gains(self, description: str, other: str) -> dict[str, Estimate | Inapplicable]:
        """AUC on one description less that on another, by model."""
        if self.reason:
            return {"": Inapplicable(self.reason)}
        return {model: self.of(description, model).less(self.of(other, model)) for model in self.models}

    def confusions(self, description: str) -> dict[str, np.ndarray]:
        """(classes, classes) counts of images by model, rows true, decided by the mean over seeds."""
        return {
            model: confusion(self.labels, self.probabilities[description, model].mean(axis=0)) for model in self.models
        }

    def metrics(self) -> dict[str, Estimate | Inapplicable]:
        """Every metric of `best_probabilities`, by its name in `lib.metrics`."""
        if self.reason:
            return {"auc": Inapplicable(self.reason)}
        return metric_estimates(self.labels, self.best_probabilities(), self.groups[self.rows])

    def seconds(self) -> pd.DataFrame:
        """Mean processor time of one fit: one row a model, one column a description."""
        if self.reason:
            return pd.DataFrame(index=pd.Index([], name="model"))
        means = pd.Series({key: seconds.mean() for key, seconds in self.fit_seconds.items()})
        return means.unstack(0)[list(dict.fromkeys(key[0] for key in self.fit_seconds))].loc[self.models]

    def _best_on(self, seed: int, fold: int) -> Key:
        others = self.fold[seed] != fold
        scores = {
            key: auc_within(self.labels[others], found[seed : seed + 1, others], self.fold[seed, others])(
                np.ones((1, others.sum()))
            ).item()
            for key, found in self.probabilities.items()
        }
        return max(scores, key=scores.get)


def study(
    descriptions: Mapping[str, np.ndarray | pd.DataFrame],
    labels: np.ndarray,
    groups: np.ndarray,
    seeds: Sequence[int],
    number_of_folds: int,
    models: Models = classical.models,
    within: np.ndarray | Inapplicable | None = None,
) -> Study:
    """Fit every model on every description, once a seed and fold of groups.

    descriptions: name -> (n, d). labels: (n,) int from 0. groups: (n,) of any kind, never divided. seeds: each draws the
    folds anew, and what the models draw. within: (n,) bool, the images that take part; None: all; Inapplicable: why none.
    Where the data do not allow it, the result holds the reason.
    """
    labels, groups = np.asarray(labels), np.asarray(groups)
    if isinstance(within, Inapplicable):
        return Study(groups, reason=within.reason)
    rows = np.arange(len(labels)) if within is None else np.flatnonzero(within)
    if len(rows) < FEWEST_IMAGES:
        return Study(groups, reason=f"{len(rows)} images are too few to learn from; {FEWEST_IMAGES} are needed")
    try:
        fold = np.stack([folds.group_folds(groups[rows], labels[rows], number_of_folds, seed) for seed in seeds])
    except folds.Unanswerable as reason:
        return Study(groups, reason=str(reason))
    probabilities, seconds = {}, {}
    for name, matrix in descriptions.items():
        chosen = matrix.iloc[rows] if isinstance(matrix, pd.DataFrame) else matrix[rows]
        by_seed = [
            {kind: classical.scored(model, chosen, labels[rows], drawn) for kind, model in models(seed).items()}
            for seed, drawn in zip(seeds, fold, strict=True)
        ]
        for kind in by_seed[0]:
            probabilities[name, kind] = np.stack([found[kind].probabilities for found in by_seed])
            seconds[name, kind] = np.stack([found[kind].fit_seconds for found in by_seed])
    return Study(groups, rows, labels[rows], fold, probabilities, seconds)
