"""What a group carries, and ranking within groups, against plain loops over groups and pairs."""

from itertools import product

import numpy as np
import pytest

from lib import groupwise
from lib.estimates import Inapplicable
from lib.metrics import score

GENERATOR = np.random.default_rng(5)
GROUPS = np.repeat([f"group{number}" for number in range(8)], 10)
OFFSET = np.repeat(GENERATOR.random(8), 10)  # groups differ as a whole


def images(classes: int, seeds: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Labels that go with the group, and probabilities: (80,), (seeds, 80) or (seeds, 80, classes)."""
    label = (classes * np.clip(OFFSET + GENERATOR.normal(0, 0.3, 80), 0, 0.999)).astype(int)
    logits = GENERATOR.normal(0, 1, (seeds, 80, classes)) + 2 * OFFSET[:, None] * np.arange(classes)
    probability = np.exp(logits.round(1)) / np.exp(logits.round(1)).sum(axis=2, keepdims=True)
    return label, probability if classes > 2 else probability[..., 1]


def pairs_won(label: np.ndarray, probability: np.ndarray, groups: np.ndarray) -> float:
    """Share of won pairs of one group, pair by pair, mean over classes; probability (n, columns), a column a class asked for."""
    won = [[] for _ in range(probability.shape[1])]
    for column, (first, second) in product(range(probability.shape[1]), product(range(len(label)), repeat=2)):
        positive = column if probability.shape[1] > 1 else 1
        if groups[first] == groups[second] and label[first] == positive and label[second] != positive:
            difference = probability[first, column] - probability[second, column]
            won[column].append((np.sign(difference) + 1) / 2)
    return float(np.mean([np.mean(pairs) for pairs in won]))


@pytest.mark.parametrize("classes", [2, 3])
def test_ranking_within_groups_counts_the_pairs_of_a_group(classes):
    label, probability = images(classes)
    found = groupwise.auc_within(label, probability, GROUPS)
    expected = [pairs_won(label, seed.reshape(80, -1), GROUPS) for seed in probability]
    assert found.value == pytest.approx(np.mean(expected)) and (found.groups, found.seeds) == (8, 2)


def test_what_only_tells_groups_apart_ranks_nothing_within_them():
    label = (OFFSET + GENERATOR.normal(0, 0.3, 80) > 0.5).astype(int)
    assert score("auc", label, OFFSET) > 0.65
    assert groupwise.auc_within(label, OFFSET[np.newaxis], GROUPS).value == 0.5


def test_intervals_of_ranking_within_groups_come_from_leaving_groups_out():
    label, probability = images(2, seeds=1)
    found = groupwise.auc_within(label, probability, GROUPS)
    kept = GROUPS != "group3"
    fewer = groupwise.auc_within(label[kept], probability[:, kept], GROUPS[kept])
    assert fewer.value == pytest.approx(pairs_won(label[kept], probability[0, kept, None], GROUPS[kept]))
    low, high = found.interval()
    assert 0 < low < found.value < high < 1 and "jackknife-t over 8 groups" in found.method


@pytest.mark.parametrize("groups", [np.arange(80), None])
def test_groups_of_one_class_rank_nothing(groups):
    label, probability = images(3)
    groups = np.array(label) if groups is None else groups
    assert groupwise.auc_within(label, probability, groups) == Inapplicable("no group holds images of two classes")


@pytest.mark.parametrize("classes", [2, 3])
def test_each_group_is_left_out_in_turn(classes):
    label, probability = images(classes)
    found = groupwise.without_each("auc", label, probability, GROUPS)
    assert list(found) == [f"without group{number}" for number in range(8)]
    for group in np.unique(GROUPS):
        kept = np.not_equal(GROUPS, group)
        expected = [score("auc", label[kept], seed[kept]) for seed in probability]
        assert found[f"without {group}"] == pytest.approx(expected)


def test_of_many_groups_the_largest_are_left_out():
    label, probability = images(2)
    groups = np.array([*GROUPS[:20], *(f"single{number}" for number in range(60))])
    found = groupwise.without_each("auc", label, probability, groups, most=2)
    assert list(found) == ["without group0", "without group1"]


def test_a_group_that_holds_a_class_alone_leaves_no_value():
    label = np.where(GROUPS == "group0", 1, 0)
    found = groupwise.without_each("auc", label, images(2)[1], GROUPS)
    assert np.isnan(found.pop("without group0")).all() and np.isfinite([*found.values()]).all()
