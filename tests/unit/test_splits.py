"""Groups stay whole, every part gets some, sizes come near what was asked, and a seed decides everything."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import config, splits
from lib.cards import Selection

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


def test_no_part_rests_on_one_group_where_that_can_be_had():
    """Of 40 groups of 30 images, 10 hold 25 positive ones and 30 hold 2: the positives of a part lie in several groups."""
    groups, rich = np.repeat(np.arange(40), 30), np.arange(40) % 4 == 0
    labels = np.concatenate([np.arange(30) < (25 if is_rich else 2) for is_rich in rich]).astype(int)
    for seed in range(6):
        part = splits.assign_parts(groups, labels, seed)
        for name in ("tuning", "validation", "test"):
            own = np.bincount(groups[part == name], labels[part == name])
            assert own.sum() ** 2 / (own**2).sum() > 2, (seed, name)


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


OFFICIAL = {"train": ["train", "tuning", "validation"], "val": ["test"], "test": ["test"]}


@given(
    st.lists(st.tuples(st.sampled_from(["train", "val", "test"]), st.integers(0, 1)), max_size=60), st.integers(0, 99)
)
@few_trials
def test_published_parts_keep_their_use_and_groups_stay_whole(rows, seed):
    rows = [*rows, *[("train", 0)] * 3, ("val", 0), ("test", 1)]
    table = pd.DataFrame(rows, columns=["official", "label"], index=range(100, 100 + len(rows)))
    table["group"] = [
        f"{part}{number // 2 if number < len(rows) - 5 else number}" for number, (part, _) in enumerate(rows)
    ]
    part = splits.assign(table, ["label"], OFFICIAL, seed)
    pd.testing.assert_series_equal(part, splits.assign(table, ["label"], OFFICIAL, seed))
    assert (part[table["official"] != "train"] == "test").all() and set(part) == set(splits.PARTS)
    assert set(part[table["official"] == "train"]) == {"train", "tuning", "validation"}
    assert (part.groupby(table["group"]).nunique() == 1).all()


def test_without_published_parts_all_are_divided_over_all():
    table = pd.DataFrame({"group": groups_of([5] * 40), "label": [0, 1] * 100, "official": ""})
    assert splits.assign(table, ["label"], {}, 1).value_counts().to_dict() == pytest.approx(
        {part: 200 * share for part, share in splits.PARTS.items()}, abs=10
    )


def test_published_part_with_too_few_groups_is_one_line():
    table = pd.DataFrame({"group": list("abcd"), "label": 0, "official": ["train", "train", "test", "val"]})
    with pytest.raises(config.UserError, match="2 groups for 3 parts"):
        splits.assign(table, ["label"], OFFICIAL, 1)


def test_a_property_of_many_values_is_no_stratum():
    table = pd.DataFrame({"group": groups_of([1] * 60), "label": [0, 1] * 30, "age": range(60)})
    expected = splits.assign(table, ["label"], {}, 1)
    pd.testing.assert_series_equal(splits.assign(table, ["age", "label"], {}, 1), expected)


CLASSES = ["cat", "dog"]
labels = st.lists(st.integers(0, 1), min_size=30, max_size=60).filter(lambda values: 5 < sum(values) < len(values) - 5)


def selected(labels: list[int], seed: int = 1, **selection) -> pd.DataFrame:
    levels = [label + position % 2 / 2 for position, label in enumerate(labels)]
    table = pd.DataFrame({"label": labels, "level": levels, "part": "train"}, index=range(7, 7 + len(labels)))
    table["turn"] = splits.turns(table.assign(pixels_sha256=table.index.astype(str)), seed)
    found = splits.select(table, Selection.model_validate(selection), CLASSES)
    assert found.index.is_unique and found.index.is_monotonic_increasing
    pd.testing.assert_frame_equal(found, table.loc[found.index])
    return found


@given(labels, st.integers(1, 10), st.integers(0, 99))
@few_trials
def test_a_balanced_subset_is_exact_and_drawn_without_replacement(labels, pairs, seed):
    each = min(pairs, sum(labels), len(labels) - sum(labels))
    found = selected(labels, seed, balanced=2 * each)
    assert found["label"].value_counts().to_dict() == {0: each, 1: each}
    pd.testing.assert_frame_equal(found, selected(labels, seed, balanced=2 * each))


@given(labels, st.floats(0.2, 1))
@few_trials
def test_a_forced_ratio_is_exact_and_leaves_the_other_class_whole(labels, share):
    cats, dogs = len(labels) - sum(labels), sum(labels)
    ratio = share * cats / dogs
    if not round(ratio * dogs):
        return
    found = selected(labels, ratio={"of": "cat", "to": "dog", "ratio": ratio})
    assert found["label"].value_counts().to_dict() == {0: round(ratio * dogs), 1: dogs}


def test_levels_are_chosen_first_then_the_ratio_then_the_subset():
    labels = [0, 0, 1, 1] * 20
    assert set(selected(labels, levels=[0, 1.5])["level"]) == {0, 1.5}
    ratio = {"of": "cat", "to": "dog", "ratio": 0.5}
    assert selected(labels, levels=[0, 1, 1.5], ratio=ratio)["label"].value_counts().to_dict() == {0: 20, 1: 40}
    both = selected(labels, levels=[0, 1, 1.5], ratio=ratio, balanced=20)
    assert both["label"].value_counts().to_dict() == {0: 10, 1: 10} and 0.5 not in set(both["level"])


def test_another_seed_draws_others():
    labels = [0, 1] * 30
    assert selected(labels, 1, balanced=20).index.tolist() != selected(labels, 2, balanced=20).index.tolist()


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ({"balanced": 62}, "asks for 31 images of class 'cat', there are 30"),
        ({"balanced": 1}, "asks for 0 images of class 'cat'"),
        ({"ratio": {"of": "dog", "to": "cat", "ratio": 2}}, "asks for 60 images of class 'dog', there are 30"),
    ],
)
def test_too_few_images_for_what_is_asked_is_one_line(selection, words):
    with pytest.raises(config.UserError, match=words):
        selected([0, 1] * 30, **selection)
