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


def rows_of_groups(seed=0, groups=40, size=10, stay=0.0):
    """Labels in rows; each repeats the one before with probability `stay`, else it is drawn anew."""
    generator = np.random.default_rng(seed)
    fresh = generator.integers(0, 2, (groups, size))
    for column in range(1, size):
        again = generator.random(groups) < stay
        fresh[again, column] = fresh[again, column - 1]
    return fresh.ravel(), np.repeat(np.arange(groups), size), np.arange(groups * size)


def test_agreement_of_neighbours_is_what_a_permutation_would_not_give():
    label, group, row = rows_of_groups(1, groups=6, stay=0.5)
    kind, generator = np.where(group < 2, "mono", "poly"), np.random.default_rng(1)
    found = groupwise.neighbour_agreement(label, group, row, kind)

    def agreement(labels):
        residual = labels - np.array([labels[kind == own].mean() for own in kind])
        first = np.flatnonzero(group[:-1] == group[1:])
        return np.sum(residual[first] * residual[first + 1]), np.sum(np.sqrt(variance[first] * variance[first + 1]))

    variance = np.array([label[kind == own].var() for own in kind])
    permuted = []
    for _ in range(4000):
        order = np.arange(60)
        for name in ("mono", "poly"):
            order[kind == name] = generator.permutation(order[kind == name])
        permuted.append(agreement(label[order])[0])
    observed, scale = agreement(label)
    assert found.value == pytest.approx((observed - np.mean(permuted)) / scale, abs=0.01)
    assert np.mean(permuted) / scale < -0.02  # a permutation does not give 0 by itself


def test_neighbours_that_agree_by_chance_are_not_claimed_to_agree():
    kind_of_group = np.random.default_rng(2).integers(0, 2, 40)
    claimed = 0
    for seed in range(40):
        _, group, row = rows_of_groups(seed)
        label = (np.random.default_rng(seed).random(400) < np.where(kind_of_group[group], 0.8, 0.2)).astype(int)
        low, high = groupwise.neighbour_agreement(label, group, row, kind_of_group[group]).interval()
        claimed += not low < 0 < high
    assert claimed <= 6
    assert groupwise.neighbour_agreement(label, group, row).interval()[0] > 0.1  # what the kind alone explains


def test_neighbours_that_repeat_labels_are_seen_and_less_so_farther_away():
    label, group, row = rows_of_groups(3, stay=0.6)
    found = [groupwise.neighbour_agreement(label, group, row, lag=lag) for lag in (1, 2, 5)]
    assert found[0].value == pytest.approx(0.6, abs=0.1) and found[0].interval()[0] > 0.3
    assert found[0].value > found[1].value > found[2].value
    doubled = groupwise.neighbour_agreement(label, group, row * 2, lag=2)
    assert doubled.value == found[0].value
    assert "at that distance in rows" in groupwise.neighbour_agreement(label, group, row * 5, lag=2).reason


def test_what_is_left_within_a_group():
    """Groups that differ as a whole, and no order within them."""
    group, row, left, shared = np.repeat(np.arange(40), 10), np.arange(400), [], []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        label = (generator.random(400) < generator.beta(0.5, 0.5, 40)[group]).astype(int)
        shared.append(groupwise.neighbour_agreement(label, group, row).value)
        left.append(groupwise.neighbour_agreement(label, group, row, group).value)
    assert np.mean(shared) > 0.4 and abs(np.mean(left)) < 0.04


def test_three_classes_and_labels_that_do_not_differ():
    label, group, row = rows_of_groups(5, stay=0.6)
    three = label + label * (row % 7 > 3)
    assert groupwise.neighbour_agreement(three, group, row).value > 0.2
    assert groupwise.neighbour_agreement(label * 0, group, row) == Inapplicable("the labels do not differ")
    assert "at that distance" in groupwise.neighbour_agreement(label, row, row).reason
