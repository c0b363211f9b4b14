"""Coverage of the 95 % intervals by simulation, at the numbers of groups of a validation part and of a whole data set.

Groups differ as blocks of ELPV do: the share of positives with a standard deviation of 0.28 between groups, a third of the
variance of a class's scores between groups, and groups with more positives score higher.
"""

from functools import cache

import numpy as np
import pytest
from scipy.special import expit

from lib.intervals import estimate
from lib.metrics import metric_estimate, metric_statistic, score

SEPARATION = np.array([2.0, 1.6])  # distance of the two classes' scores in two models of the same images
SEED_SPREAD = 0.1  # standard deviation of that distance between seeds
QUANTITIES = {"auc": (0, 1), "accuracy": (0, 1), "auc difference": (-1, 1)}


def draw(generator, groups, size, separation):
    """Labels (n,), groups (n,), probabilities (models, seeds, n); separation (models, seeds), size: range of a group's."""
    group = np.repeat(np.arange(groups), generator.integers(size[0], size[1] + 1, groups))
    images, effect = len(group), generator.normal(size=groups)
    label = (generator.normal(size=images) < effect[group] - 0.7).astype(int)
    shift = 0.6 * (0.5 * effect + np.sqrt(0.75) * generator.normal(size=groups))
    shared = shift[group] + 0.7 * generator.normal(size=images)
    own = 0.15 * generator.normal(size=(*separation.shape, groups))[..., group]
    own += 0.5 * generator.normal(size=(*separation.shape, images))
    return label, group, expit(separation[..., None] * label + shared + own - 0.9)


@cache
def truth(seed_spread):
    """Each quantity in 20,000 groups, averaged over the distribution of seeds by its nine mid-quantiles."""
    steps = np.array([-1.59, -0.97, -0.59, -0.28, 0, 0.28, 0.59, 0.97, 1.59]) if seed_spread else np.zeros(1)
    found = []
    for step in steps:
        separation = (SEPARATION + seed_spread * step)[:, None]
        label, _, ((first,), (second,)) = draw(np.random.default_rng(1), 20_000, (20, 20), separation)
        auc = score("auc", label, first)
        found.append((auc, score("accuracy", label, first), auc - score("auc", label, second)))
    return dict(zip(QUANTITIES, np.mean(found, axis=0), strict=True))


def coverage(groups, seeds, simulations, size=(40, 80), names=tuple(QUANTITIES), unit=lambda group: group):
    """Share of simulated data sets whose interval holds the truth, for each quantity."""
    generator, spread = np.random.default_rng(7), SEED_SPREAD if seeds > 1 else 0.0
    held = {name: [] for name in names}
    while len(held[names[0]]) < simulations:
        separation = SEPARATION[:, None] + spread * generator.normal(size=(2, seeds))
        label, group, (first, second) = draw(generator, groups, size, separation)
        auc, other = metric_statistic("auc", label, first), metric_statistic("auc", label, second)
        statistics = {"auc": auc, "accuracy": metric_statistic("accuracy", label, first)}
        statistics["auc difference"] = lambda weights, auc=auc, other=other: auc(weights) - other(weights)
        for name in names:
            result = estimate(statistics[name], unit(group), QUANTITIES[name], replicates=399)
            low, high = result.interval(0.95)
            held[name].append(low <= truth(spread)[name] <= high)
    return {name: float(np.mean(hits)) for name, hits in held.items()}


@pytest.mark.parametrize(
    "groups, seeds, simulations", [(7, 1, 2000), (7, 5, 1200), (9, 1, 1200), (44, 1, 400), (44, 5, 400)]
)
def test_intervals_hold_the_truth_as_often_as_they_say(groups, seeds, simulations):
    measured = coverage(groups, seeds, simulations)
    assert all(0.92 <= share <= 0.98 for share in measured.values()), measured


def test_images_taken_for_groups_would_cover_far_too_little():
    measured = coverage(7, 1, 150, names=("auc", "accuracy"), unit=lambda group: np.arange(len(group)))
    assert all(share < 0.85 for share in measured.values()), measured


def test_one_seed_does_not_speak_for_the_method():
    """The interval of one seed speaks of that model: where seeds differ, it misses the mean over seeds."""
    generator, held = np.random.default_rng(7), []
    for _ in range(200):
        separation = SEPARATION[:, None] + 0.6 * generator.normal(size=(2, 1))
        label, group, (first, _) = draw(generator, 44, (60, 60), separation)
        low, high = metric_estimate("accuracy", label, first, group).interval(0.95)
        held.append(low <= truth(0.6)["accuracy"] <= high)
    assert np.mean(held) < 0.85
