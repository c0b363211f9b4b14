"""Groups come from blocks of rows, a piece of the path, a column, or are the images themselves."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from lib import cards, config, groups

few_trials = settings(max_examples=25, deadline=None, derandomize=True)


def assigned(rows: list[str] | pd.DataFrame, **values) -> list:
    """The groups that a card's `group:` gives to rows, or to paths."""
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame({"path": rows})
    return TypeAdapter(groups.Groups).validate_python(values).assign(table).tolist()


def test_elpv_has_the_published_number_of_modules():
    card = cards.load("elpv")
    counts = Counter(card.rows()[0]["group"])
    assert counts.total() == 2624 and len(counts) == 44
    assert min(counts.values()) >= 48 and max(counts.values()) <= 72  # a module has 60 or 72 cells


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=80), st.integers(1, 20))
@few_trials
def test_blocks_are_contiguous_of_one_kind_and_nearly_equal(within, size):
    blocks = groups.block_groups(size, within, len(within))
    changes = sum(blocks[1:] != blocks[:-1])
    assert changes + 1 == len(set(blocks)) and sorted(blocks) == blocks.tolist()
    assert all(len({kind for kind, block in zip(within, blocks, strict=True) if block == one}) == 1 for one in blocks)
    assert max(Counter(blocks.tolist()).values()) < 1.5 * size + 1


def test_blocks_of_one_run():
    assert Counter(groups.block_groups(10, None, 30).tolist()) == {"block000": 10, "block001": 10, "block002": 10}


def test_lone_images_are_groups_of_their_own():
    assert assigned(["b/1.png", "a/1.png"], kind="image") == ["b/1.png", "a/1.png"]


def test_first_group_that_matched_names_the_group():
    paths = ["train/A/person12_bacteria_45.jpeg", "train/A/IM-0115-0001.jpeg", "NORMAL2-IM-0373-0001.jpeg", "x.jpeg"]
    found = assigned(paths, kind="pattern", pattern=r"(person\d+)_|((?:NORMAL\d*-)?IM-\d+)-")
    assert found[:3] == ["person12", "IM-0115", "NORMAL2-IM-0373"] and pd.isna(found[3])


@given(st.integers(1, 9), st.lists(st.integers(1, 999), min_size=1))
@few_trials
def test_numbers_are_gathered_in_so_many(every, numbers):
    found = assigned([f"mdb{number:03d}.pgm" for number in numbers], kind="pattern", pattern=r"(\d+)", every=every)
    if every > 1:
        assert found == [str((number - 1) // every) for number in numbers]
    else:
        assert found == [f"{number:03d}" for number in numbers]


def test_numbers_that_are_none_are_one_line():
    with pytest.raises(config.UserError, match="'left' in 'left.png'; with `every` it must be a number"):
        assigned(["1.png", "left.png"], kind="pattern", pattern=r"(\w+)\.", every=2)


def test_pattern_that_is_in_no_path_is_one_line():
    with pytest.raises(config.UserError, match="is in no path, such as 'a.png'"):
        assigned(["a.png", "b.png"], kind="pattern", pattern=r"(patient\d)")


def test_column_names_the_group_and_empty_ones_have_none():
    rows = pd.DataFrame({"path": ["a", "b", "c"], "patient": ["7", "", "7"]})
    found = assigned(rows, kind="column", column="patient")
    assert found[0] == found[2] == "7" and pd.isna(found[1])
