"""Folds hold every class, keep together what belongs together, and say in one line what cannot be done."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import folds

quick = settings(max_examples=40, deadline=None, derandomize=True)


def labelled(seed, images=200, classes=2):
    return np.random.default_rng(seed).integers(0, classes, images)


@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(3, 6))
@quick
def test_random_folds_are_even_and_stratified(seed, classes, count):
    labels = labelled(seed, classes=classes)
    fold = folds.random_folds(labels, count, seed)
    for name in range(classes):
        sizes = np.bincount(fold[labels == name], minlength=count)
        assert len(sizes) == count and np.ptp(sizes) <= 1


@given(st.integers(0, 10**6), st.integers(3, 6))
@quick
def test_block_folds_are_stretches_of_even_size(seed, count):
    fold = folds.block_folds(labelled(seed), count, seed)
    assert np.ptp(np.bincount(fold, minlength=count)) <= 1
    assert (np.diff(fold) != 0).sum() <= count  # one change a fold, one more where the last goes on at the beginning
    assert set(np.diff(fold)) <= {0, 1, 1 - count}


def test_block_folds_begin_elsewhere_with_another_seed():
    labels = labelled(1)
    assert (folds.block_folds(labels, 5, 1) != folds.block_folds(labels, 5, 2)).any()
    assert (folds.block_folds(labels, 5, 1) == folds.block_folds(labels, 5, 1)).all()


@pytest.mark.parametrize("sizes", [(100, 100), (180, 20), (60, 50, 40), (40, 40, 40, 40, 40)])
def test_data_listed_class_by_class_are_cut_within_each_class(sizes):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    fold = folds.block_folds(labels, 5, 3)
    for name in range(len(sizes)):
        own = fold[labels == name]
        assert np.ptp(np.bincount(own, minlength=5)) <= 1 and (np.diff(own) != 0).sum() <= 5


@given(st.integers(0, 10**6), st.integers(8, 30))
@quick
def test_group_folds_keep_groups_whole(seed, count):
    generator = np.random.default_rng(seed)
    groups, labels = np.repeat(np.arange(count), 8), labelled(seed, count * 8)
    groups = generator.permutation(groups)
    fold = folds.group_folds(groups, labels, 4, seed)
    assert all(len(np.unique(fold[groups == name])) == 1 for name in range(count))
    assert set(fold) == set(range(4))


def test_group_folds_of_single_images_are_random_folds():
    labels = labelled(5)
    np.testing.assert_array_equal(folds.group_folds(np.arange(200), labels, 5, 9), folds.random_folds(labels, 5, 9))


@pytest.mark.parametrize(
    ("labels", "groups", "reason"),
    [
        ([0] * 20, None, "the 20 images are of one class, or without labels"),
        ([0] * 18 + [1] * 2, None, "class 1 has 2 images for 5 folds"),
        ([0, 1] * 10, np.repeat(range(4), 5), "4 groups for 5 folds"),
        ([0] * 16 + [1] * 4, np.repeat(range(10), 2), "class 1 lies in 2 folds only; three are needed"),
    ],
)
def test_what_cannot_be_divided_is_said_in_one_line(labels, groups, reason):
    with pytest.raises(folds.Unanswerable, match=f"^{reason}$"):
        folds.random_folds(labels, 5, 1) if groups is None else folds.group_folds(groups, labels, 5, 1)


def test_blocks_of_a_rare_class_are_refused():
    with pytest.raises(folds.Unanswerable, match="class 1 lies in 2 folds only"):
        folds.block_folds([0] * 30 + [1] * 2, 5, 1)
