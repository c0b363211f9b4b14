"""Repeated splits of all images, as published protocols draw them, and what can be said from them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import StratifiedShuffleSplit
from threadpoolctl import threadpool_limits

from lib import cards, classical, config, features, pixels, splits
from lib.estimates import Estimate, Inapplicable
from lib.intervals import Statistic, estimate, seed_mean_estimate

CONFIDENCE = (1.0, 1 / 3, 2 / 3, 1.0)  # of a label, by its graded level from the least to the greatest


@dataclass(frozen=True, eq=False)
class Repeated:
    """What models decided on images that they had not seen, once a split.

    labels: (n,) int. groups: (n,) of any kind. tested: (splits, n) bool. decided: (splits, n) int, -1 where not tested.
    """

    labels: np.ndarray
    groups: np.ndarray
    tested: np.ndarray
    decided: np.ndarray

    def accuracies(self, within: np.ndarray | None = None, weights: np.ndarray | None = None) -> np.ndarray:
        """(splits,) share of tested images decided rightly. within: (n,) bool, those counted. weights: (n,) float >= 0."""
        weights = np.ones(len(self.labels)) if weights is None else np.asarray(weights)
        counted = self.tested * (weights if within is None else weights * within)
        return ((self.decided == self.labels) * counted).sum(axis=1) / counted.sum(axis=1)

    def over_splits(
        self, within: np.ndarray | None = None, weights: np.ndarray | None = None
    ) -> Estimate | Inapplicable:
        """Mean accuracy, with the interval for other splits of the very same images: they are not drawn anew."""
        return seed_mean_estimate(
            self.accuracies(within, weights), (0.0, 1.0), len(self.labels), len(np.unique(self.groups))
        )

    def over_images(self) -> Estimate | Inapplicable:
        """Accuracy of all decisions, with the interval for images of other groups: whole groups are left out in turn.

        That models of other images would differ too is not in it.
        """
        return estimate(self._accuracy(), self.groups, (0.0, 1.0))

    def less(self, other: "Repeated") -> Estimate | Inapplicable:
        """Accuracy of all decisions minus another one's, paired by image, with the interval for images of other groups."""
        first, second = self._accuracy(), other._accuracy()
        return estimate(lambda weights: first(weights) - second(weights), self.groups, (-1.0, 1.0))

    def _accuracy(self) -> Statistic:
        right, times = ((self.decided == self.labels) & self.tested).sum(axis=0), self.tested.sum(axis=0)
        return lambda weights: (weights @ right) / (weights @ times)


def features_of(context: config.Context, images: pd.DataFrame) -> np.ndarray:
    """Frozen features of the images of a declared study: (n, d) float32; computed on first use.

    images: as `custody.yardstick_labels` gives them. Raises as `features.cached`.
    """
    declared, card = config.study_settings(context.chapter), cards.load(context.dataset)
    settings = features.Settings(recipe=card.recipe, **dict(declared.features))
    cache = pixels.cached(context.root / "pixels", card.read, images, card.recipe, settings.image_size)
    return features.cached(context.root / "features", cache, settings).of(images["image"])


def random_splits(strata: np.ndarray, test_share: float, number: int, seed: int) -> np.ndarray:
    """Single images at random, every stratum divided evenly: (number, n) bool, the images that are tested."""
    drawn = StratifiedShuffleSplit(number, test_size=test_share, random_state=seed).split(strata, strata)
    return np.stack([np.isin(np.arange(len(strata)), held_out) for _, held_out in drawn])


def group_splits(groups: np.ndarray, strata: np.ndarray, test_share: float, number: int, seed: int) -> np.ndarray:
    """Whole groups, strata divided as evenly as groups allow: (number, n) bool, the images that are tested."""
    shares = {"learn": 1 - test_share, "test": test_share}
    drawn = [splits.assign_parts(groups, strata, seed + split, shares) == "test" for split in range(number)]
    return np.stack(drawn)


def repeated(
    model: BaseEstimator,
    matrix: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    tested: np.ndarray,
    within: np.ndarray | None = None,
) -> Repeated:
    """Fit a fresh model for every split on the images that it does not test.

    matrix: (n, d). labels: (n,) int. tested: (splits, n) bool. within: (n,) bool, the images that take part; None: all.
    """
    within = np.ones(len(labels), dtype=bool) if within is None else np.asarray(within)
    tested = tested & within

    def decided(held_out: np.ndarray) -> np.ndarray:
        seen = within & ~held_out
        found = np.full(len(labels), -1)
        found[held_out] = clone(model).fit(matrix[seen], labels[seen]).predict(matrix[held_out])
        return found

    with threadpool_limits(1), ThreadPoolExecutor(classical.WORKERS) as pool:
        return Repeated(np.asarray(labels), np.asarray(groups), tested, np.stack(list(pool.map(decided, tested))))


def confidence(levels: pd.Series) -> np.ndarray:
    """(n,) float: how sure the experts were of each label, from one of four graded levels. Raises ValueError for others."""
    order = pd.factorize(levels, sort=True)[0]
    if order.min() < 0 or order.max() + 1 != len(CONFIDENCE):
        raise ValueError(f"{levels.nunique()} levels; confidence is known for {len(CONFIDENCE)}")
    return np.array(CONFIDENCE)[order]
