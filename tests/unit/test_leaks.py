"""Nothing passes the gate that stands in two parts, unless somebody let it through by name."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import config, leaks, ledger
from lib.findings import copies, frame

RULES = ledger.policy()
NOBODY = pd.DataFrame(columns=ledger.OVERRIDE_COLUMNS, dtype=str)


def table_of(**parts: list[str]) -> pd.DataFrame:
    """Images by part; a name is its group, a number and an ending."""
    rows = [(f"{part}/{name}", name.rstrip("0123456789"), part) for part, names in parts.items() for name in names]
    return pd.DataFrame(rows, columns=["path", "group", "part"])


def by_hand(*lines: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(lines), columns=ledger.OVERRIDE_COLUMNS, dtype=str)


@pytest.fixture
def pairs(monkeypatch):
    """`pairs((kind, image, other), ...)`: the copies that will be found across parts."""
    return lambda *found: monkeypatch.setattr(
        copies, "across", lambda table, part, near_copies: frame([(*pair, "") for pair in found])
    )


def found_in(table: pd.DataFrame) -> pd.DataFrame:
    """Leaks of a table that nothing was left out of."""
    return leaks.across_parts(table, table, frame())


def gate(table: pd.DataFrame, by_hand: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the gate lets pass, and the ledger of what it found."""
    decided = ledger.decide(found_in(table), RULES, by_hand)
    return leaks.gate(table, decided, "mine"), decided


CLEAN = {"train": ["a1", "a2", "b1"], "tuning": ["c1"], "validation": ["d1", "d2"], "test": ["e1"]}


def test_parts_without_leaks_pass_as_they_are(pairs):
    pairs()
    table = table_of(**CLEAN)
    passed, found = gate(table, NOBODY)
    pd.testing.assert_frame_equal(passed, table)
    assert found.empty


def test_groups_across_parts_stop_with_a_table_and_with_what_can_be_done(pairs):
    pairs()
    table = table_of(**CLEAN | {"test": ["e1", "a3", "d3"]})
    with pytest.raises(config.UserError) as caught:
        gate(table, NOBODY)
    message = str(caught.value)
    assert message.startswith("the parts leak: 4 of 9 images stand in one part and their like in another")
    assert "test/a3" not in message and "group a" not in message  # their names may tell labels of the test part
    for words in ("train/a1", "(an image of test)", "train and test: group", "validation and test: group"):
        assert words in message, words


def test_the_refusal_shows_the_lines_of_the_file_as_they_must_stand_there(pairs, tmp_path, monkeypatch):
    pairs()
    table = table_of(**CLEAN | {"test": ["e1", "a3", "d3"]})
    with pytest.raises(config.UserError) as caught:
        gate(table, NOBODY)
    shown = str(caught.value).split("params/datasets/mine.csv")[1].splitlines()
    pasted = [line for line in shown if line.count(",") == 3]
    (tmp_path / "datasets").mkdir()
    (tmp_path / "ledger.yml").write_bytes((config.PARAMETERS / "ledger.yml").read_bytes())
    (tmp_path / "datasets" / "mine.csv").write_text("\n".join(pasted))
    monkeypatch.setattr(config, "PARAMETERS", tmp_path)
    passed, _ = gate(table, ledger.overrides("mine"))
    assert len(pasted) == 2 and len(passed) == 5


def test_the_image_of_the_stricter_part_may_be_the_one_that_is_dropped(pairs):
    pairs()
    found = found_in(table_of(**CLEAN | {"test": ["e1", "a3"]}))
    assert leaks.counterparts(found, by_hand(("across_parts", "train/a1", "drop", "why"))).empty
    assert leaks.counterparts(found, by_hand(("across_parts", "test/a3", "keep", "why"))).empty
    turned = leaks.counterparts(found, by_hand(("across_parts", "test/a3", "drop", "why")))
    assert turned.to_numpy().tolist() == [["across_parts", "test/a3", "train/a1", "train and test: group a"]]


@pytest.mark.parametrize("kind", ["copy_of_bytes", "copy_of_pixels", "near_copy"])
@pytest.mark.parametrize("turned", [False, True])
def test_copies_across_parts_stop_and_name_the_weaker_part_first(pairs, kind, turned):
    pair = ("train/b1", "test/e1")
    pairs((kind, *(pair[::-1] if turned else pair)))
    found = found_in(table_of(**CLEAN))
    assert found.to_numpy().tolist() == [["across_parts", *pair, f"train and test: {kind.replace('_', ' ')}"]]
    with pytest.raises(config.UserError, match="the parts leak: 1 of 7"):
        gate(table_of(**CLEAN), NOBODY)


def test_drop_takes_images_out_of_the_part_that_matters_less(pairs):
    pairs(("near_copy", "train/b1", "tuning/c1"))
    table = table_of(**CLEAN | {"test": ["e1", "a3"]})
    passed, found = gate(table, by_hand(("across_parts", "*", "drop", "why")))
    assert set(table["path"]) - set(passed["path"]) == {"train/a1", "train/a2", "train/b1"} == set(found["image"])
    assert set(found["by"]) == {"hand"} and set(found["reason"]) == {"why"}
    assert leaks.table(found).loc["group"].tolist() == [2, 2, 0]
    assert leaks.table(found).loc["near copy"].tolist() == [1, 1, 0]


def test_keep_lets_through_by_name_and_only_what_it_names(pairs):
    pairs()
    table = table_of(**CLEAN | {"test": ["e1", "a3"]})
    passed, found = gate(table, by_hand(("across_parts", "*", "keep", "as published")))
    pd.testing.assert_frame_equal(passed, table)
    assert leaks.table(found).loc["group"].tolist() == [2, 0, 2]
    with pytest.raises(config.UserError, match="the parts leak: 1 of 8"):
        gate(table, by_hand(("across_parts", "train/a1", "keep", "as published")))


@pytest.mark.parametrize("decision", ["review", "merge"])
def test_what_is_neither_drop_nor_keep_stops(pairs, decision):
    pairs(("near_copy", "train/b1", "tuning/c1"))
    with pytest.raises(config.UserError, match="the parts leak"):
        gate(table_of(**CLEAN), by_hand(("across_parts", "*", decision, "why")))


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(leaks.STRICTNESS)), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_after_drop_nothing_leaks_and_the_strictest_part_is_untouched(rows):
    table = pd.DataFrame(rows, columns=["group", "part"]).assign(path=[f"{row}.png" for row in range(len(rows))])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copies, "across", lambda *_: frame())
        passed, found = gate(table, by_hand(("across_parts", "*", "drop", "why")))
    assert (passed.groupby("group")["part"].nunique() == 1).all() and set(passed["group"]) == set(table["group"])
    assert len(passed) + len(found) == len(table)
    rank = table["part"].map(leaks.STRICTNESS.index)
    strictest = table[rank == rank.groupby(table["group"]).transform("max")]
    pd.testing.assert_frame_equal(passed, strictest)
