"""Groups stay whole, every part gets some, sizes come near what was asked, and a seed decides everything."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import config, splits

sizes = st.lists(st.integers(1, 60), min_size=4, max_size=30)
levels = st.integers(0, 3)
few_trials = settings(max_examples=25, deadline=None, derandomize=True)


def groups_of(sizes: list[int]) -> list[str]:
    return [f"g{number:02d}" for number, size in enumerate(sizes) for _ in range(size)]


@pytest.fixture(autouse=True)
def fewer_trials(monkeypatch):
    monkeypatch.setattr(splits, "TRIALS", 50)


@given(sizes, st.randoms(use_true_random=False))
@few_trials
def test_groups_stay_whole_and_every_part_gets_one(sizes, random):
    groups = groups_of(sizes)
    random.shuffle(groups)
    parts = splits.assign_parts(groups, [0] * len(groups), seed=1)
    assert len(set(zip(groups, parts, strict=True))) == len(set(groups))
    assert set(parts) == set(splits.PARTS)


@pytest.mark.parametrize("sizes", [[1000, 1, 1, 1], [1, 1, 1, 1000], [1, 1, 1, 1], [500, 500, 1, 1, 1]])
def test_every_part_gets_a_group_however_unequal_they_are(sizes):
    parts = splits.assign_parts(groups_of(sizes), [0] * sum(sizes), seed=1)
    assert set(parts) == set(splits.PARTS)


@given(st.lists(st.integers(5, 12), min_size=40, max_size=50), st.data())
@few_trials
def test_shares_of_all_images_and_of_each_level_come_near(sizes, data):
    groups = groups_of(sizes)
    strata = np.array(data.draw(st.lists(levels, min_size=len(groups), max_size=len(groups))))
    parts = splits.assign_parts(groups, strata.tolist(), seed=1)
    for part, wanted in splits.PARTS.items():
        assert np.mean(parts == part) == pytest.approx(wanted, abs=0.04)
    common = [level for level, count in Counter(strata.tolist()).items() if count > 100]
    for level in common:
        assert np.mean(parts[strata == level] == "train") == pytest.approx(splits.PARTS["train"], abs=0.12)


def test_levels_are_shared_out_better_than_by_chance():
    """Forty groups, each of one level only: the seeded search finds parts that hold all levels in equal shares."""
    groups, strata = groups_of([10] * 40), np.repeat([0, 1, 2, 3], 100)
    parts = splits.assign_parts(groups, strata, seed=1)
    shares = np.array([[np.mean(parts[strata == level] == part) for level in range(4)] for part in splits.PARTS])
    assert np.abs(shares - np.array(list(splits.PARTS.values()))[:, np.newaxis]).mean() < 0.06


@given(sizes, st.integers(0, 100))
@few_trials
def test_same_seed_same_parts(sizes, seed):
    groups = groups_of(sizes)
    strata = [number % 3 for number in range(len(groups))]
    first, again = (splits.assign_parts(groups, strata, seed) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_another_seed_gives_other_parts():
    groups = groups_of([5] * 30)
    assert any((splits.assign_parts(groups, [0] * 150, 1) != splits.assign_parts(groups, [0] * 150, 2)).tolist())


def test_fewer_groups_than_parts_is_a_clear_error():
    with pytest.raises(config.UserError, match="3 groups for 4 parts; every part needs a group of its own"):
        splits.assign_parts(["a", "b", "c"] * 10, [0] * 30, seed=1)


@given(sizes, st.integers(1, 500))
@few_trials
def test_thinned_keeps_about_so_many_evenly(sizes, images):
    groups = groups_of(sizes)
    keep = splits.thinned(groups, images)
    assert keep.sum() == min(images, len(groups))
    share = keep.mean()
    for group, size in Counter(groups).items():
        kept = sum(kept for kept, name in zip(keep, groups, strict=True) if name == group)
        assert abs(kept - share * size) <= 1.5
