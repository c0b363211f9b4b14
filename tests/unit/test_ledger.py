"""Findings are decided by rules and by hand, and carried out: the same again, touching nothing that was not named."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import config, ledger
from lib.findings import frame, of_kind

PATHS = [f"{number}.png" for number in range(12)]
KINDS = ["blank", "near_copy", "copy_of_bytes", "outlier_size", "label_conflict", "imbalance"]
RULE = st.builds(ledger.Rule, decision=st.sampled_from(["drop", "keep", "merge", "review"]), reason=st.just("why"))
RULES = st.fixed_dictionaries({kind: RULE for kind in KINDS})
FINDINGS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(["", *PATHS]), st.sampled_from(["", *PATHS]), st.just("detail")),
    max_size=20,
).map(frame)
TABLES = st.lists(st.sampled_from("abcdefgh"), min_size=12, max_size=12).map(
    lambda groups: pd.DataFrame({"path": PATHS, "group": groups, "label": range(12)}, index=range(100, 112))
)
NOBODY = pd.DataFrame(columns=ledger.OVERRIDE_COLUMNS, dtype=str)
some = settings(max_examples=80, deadline=None, derandomize=True)


@given(FINDINGS, RULES, TABLES)
@some
def test_replay_gives_the_same_again_and_applying_twice_changes_nothing(findings, rules, table):
    first, again = (ledger.decide(findings.copy(), rules, NOBODY) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert first.columns.tolist() == ["kind", "image", "other", "detail", "decision", "reason", "by"]
    once = ledger.apply(table, first)
    pd.testing.assert_frame_equal(once, ledger.apply(table.copy(), again))
    pd.testing.assert_frame_equal(once, ledger.apply(once, first))


@given(FINDINGS, RULES, TABLES)
@some
def test_only_what_is_named_is_touched(findings, rules, table):
    before = table.copy()
    decided = ledger.decide(findings, rules, NOBODY)
    after = ledger.apply(table, decided)
    pd.testing.assert_frame_equal(table, before)
    dropped = set(decided.loc[decided["decision"] == "drop", "image"])
    assert after["path"].tolist() == [path for path in table["path"] if path not in dropped]
    same = table.loc[after.index]
    pd.testing.assert_frame_equal(after.drop(columns="group"), same.drop(columns="group"))
    merged = decided[decided["decision"] == "merge"]
    touched = same[same["path"].isin(merged["image"]) | same["path"].isin(merged["other"])]["group"]
    for old, members in same.groupby("group"):
        new = after.loc[members.index, "group"]
        assert new.nunique() == 1 and (old in set(touched) or new.iloc[0] == old)


@given(FINDINGS, TABLES, st.randoms(use_true_random=False))
@some
def test_merging_does_not_depend_on_the_order_of_pairs(findings, table, random):
    pairs = findings[findings["other"] != ""][["image", "other"]]
    order = list(range(len(pairs)))
    random.shuffle(order)
    turned = pairs.iloc[order].rename(columns={"image": "other", "other": "image"})
    pd.testing.assert_frame_equal(ledger.merge_groups(table, pairs), ledger.merge_groups(table, turned))


def test_merged_images_and_their_groups_are_one_group():
    table = pd.DataFrame({"path": PATHS[:6], "group": ["a", "a", "b", "c", "c", "d"]})
    pairs = pd.DataFrame({"image": [PATHS[1], PATHS[3]], "other": [PATHS[2], PATHS[2]]})
    assert ledger.merge_groups(table, pairs)["group"].tolist() == ["a", "a", "a", "a", "a", "d"]


def test_pairs_with_an_image_that_has_left_do_nothing():
    table = pd.DataFrame({"path": PATHS[:2], "group": ["a", "b"]})
    gone = of_kind("near_copy", [PATHS[0], PATHS[5]], others=[PATHS[5], PATHS[1]])
    assert ledger.merge_groups(table, gone)["group"].tolist() == ["a", "b"]


def lines(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Decisions by hand; the index says where they stand."""
    places = [f"mine.csv, line {number}" for number, _ in enumerate(rows, start=2)]
    return pd.DataFrame(list(rows), columns=ledger.OVERRIDE_COLUMNS, index=places, dtype=str)


def test_a_line_for_an_image_goes_before_one_for_its_kind():
    by_hand = lines(("blank", "*", "keep", "all are night"), ("blank", PATHS[1], "drop", "second thought"))
    decided = ledger.decide(of_kind("blank", PATHS[:2]), ledger.policy(), by_hand)
    assert decided["decision"].tolist() == ["keep", "drop"] and set(decided["by"]) == {"hand"}
    assert decided["reason"].tolist() == ["all are night", "second thought"]
    assert ledger.decide(of_kind("junk", PATHS[:1]), ledger.policy(), by_hand)["by"].tolist() == ["policy"]


STAR = of_kind("copy_of_bytes", ["b", "c"], others=["a", "a"], details="the same file")
CHAIN = of_kind("near_copy", ["b", "c"], others=["a", "b"], details="smaller")


@pytest.mark.parametrize(
    ("found", "by_hand", "stays", "groups"),
    [
        (STAR, [], "a", 1),
        (STAR, [("a", "drop")], "b", 1),
        (STAR, [("a", "drop"), ("b", "drop")], "c", 1),
        (STAR, [("b", "drop"), ("a", "drop")], "c", 1),
        (STAR, [("a", "drop"), ("b", "keep")], "b", 1),
        (STAR, [("a", "drop"), ("b", "drop"), ("c", "drop")], "", 0),
        (STAR, [("a", "keep")], "abc", 3),
        (STAR, [("b", "keep")], "ab", 2),
        (CHAIN, [], "abc", 1),
        (CHAIN, [("a", "drop")], "bc", 1),
        (CHAIN, [("b", "drop")], "ac", 1),
        (CHAIN, [("c", "drop")], "ab", 1),
        (CHAIN, [("a", "drop"), ("b", "drop")], "c", 1),
        (CHAIN, [("a", "keep")], "abc", 2),
    ],
)
def test_a_pair_is_named_by_either_image_and_drop_leaves_out_the_one_that_is_named(found, by_hand, stays, groups):
    kind = found["kind"].iloc[0]
    table = pd.DataFrame({"path": list("abc"), "group": list("123")})
    decided = ledger.decide(found, ledger.policy(), lines(*((kind, image, what, "why") for image, what in by_hand)))
    left = ledger.apply(table, decided)
    assert ("".join(left["path"]), left["group"].nunique()) == (stays, groups)
    by = decided[decided["by"] == "hand"]
    assert set(by.loc[by["decision"] == "drop", "image"]) == {image for image, what in by_hand if what == "drop"}


def test_one_of_two_contradicting_labels_or_trees_may_be_named():
    trees = of_kind("repeated_tree", ["old/a", "old/b"], others=["a", "b"])
    decided = ledger.decide(trees, ledger.policy(), lines(("repeated_tree", "a", "drop", "the old one is right")))
    assert decided[["image", "other", "by"]].to_numpy().tolist() == [["a", "old/a", "hand"], ["old/b", "b", "policy"]]
    both = of_kind("label_conflict", ["a", "b"], others=["b", "a"])
    decided = ledger.decide(both, ledger.policy(), lines(("label_conflict", "b", "drop", "b is wrong")))
    assert decided[["image", "by"]].to_numpy().tolist() == [["a", "policy"], ["b", "hand"]]


def test_lines_that_contradict_each_other_on_a_pair_are_named():
    words = "mine.csv, line 2 says keep, mine.csv, line 3 says merge, both on near_copy of 'b' and 'a'"
    for one, other in ("ba", "ab"):
        by_hand = lines(("near_copy", one, "keep", "two"), ("near_copy", other, "merge", "one"))
        with pytest.raises(config.UserError, match=words if one == "b" else "line 3 says merge, .*line 2 says keep"):
            ledger.decide(CHAIN, ledger.policy(), by_hand)
    agreed = lines(("near_copy", "a", "keep", "two"), ("near_copy", "b", "keep", "indeed"))
    assert set(ledger.decide(CHAIN, ledger.policy(), agreed)["decision"]) == {"keep"}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("near_copy", "cats/1.png", "keep"), "kind near_copy was found for 'cats/1.png'; found: copy_of_bytes$"),
        (
            ("near_copy", "cats/2.png", "keep"),
            "kind near_copy was found for 'cats/2.png'; found: blank, copy_of_bytes$",
        ),
        (("near_copy", "*", "keep"), "kind near_copy was found for '\\*'; found: copy_of_bytes, blank$"),
        (
            ("blank", "cat/3.png", "keep"),
            "kind blank was found for 'cat/3.png'; found: nothing; the nearest is 'cats/3.png'$",
        ),
        (("manual", "7", "drop"), "kind manual was found for '7'; found: nothing$"),
    ],
)
def test_a_line_that_decides_on_nothing_says_what_was_found(line, words):
    found = pd.concat(
        [of_kind("copy_of_bytes", ["cats/1.png"], others=["cats/2.png"]), of_kind("blank", ["cats/2.png"])]
    )
    by_hand = lines(("copy_of_bytes", "cats/2.png", "drop", "used"), ("blank", "*", "keep", "used"), (*line, "why"))
    with pytest.raises(config.UserError, match=f"^mine.csv, line 4: nothing of the {words}"):
        ledger.check_used(by_hand, found, ["cats/3.png"])
    ledger.check_used(by_hand.iloc[:2], found, [])


def test_a_card_changes_single_rules():
    rule = ledger.Rule(decision="drop", reason="train gives way")
    assert ledger.policy({"across_parts": rule}) == ledger.policy() | {"across_parts": rule}
    with pytest.raises(config.UserError, match="'across_part' does not exist; .* across_parts"):
        ledger.policy({"across_part": rule})


@pytest.fixture
def write_overrides(tmp_path, monkeypatch):
    """`write_overrides(bytes)`: decisions by hand of the data set `mine`."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "ledger.yml").write_bytes((config.PARAMETERS / "ledger.yml").read_bytes())
    monkeypatch.setattr(config, "PARAMETERS", tmp_path)
    return lambda content: (tmp_path / "datasets" / "mine.csv").write_bytes(content)


HEADER = b"kind,image,decision,reason\n"


def test_no_file_is_no_decision(write_overrides):
    assert ledger.overrides("mine").empty and ledger.overrides("mine").columns.tolist() == ledger.OVERRIDE_COLUMNS


@pytest.mark.parametrize(
    "content",
    [
        HEADER + b'blank,a.png,keep,"night, no fault"\n',
        b"\xef\xbb\xbf" + HEADER + b'blank,a.png,keep,"night, no fault"',
        HEADER.replace(b"\n", b"\r\n") + b'\r\n blank ,a.png, keep ,"night, no fault"\r\n\r\n',
        b'kind, image ,decision , reason\nblank,a.png,keep,"night, no fault"\n',
    ],
    ids=["plain", "byte order mark, no last line end", "spreadsheet", "blanks in the header"],
)
def test_decisions_are_read_as_they_are_written(write_overrides, content):
    write_overrides(content)
    assert ledger.overrides("mine").to_numpy().tolist() == [["blank", "a.png", "keep", "night, no fault"]]


def test_names_are_taken_as_they_are(write_overrides):
    names = [" leading.png", 'double"quote.png', "line\nbreak.png", "NaN", "1e5", "#x.png", "ünï.png"]
    lines = [f'manual,"{name.replace(chr(34), 2 * chr(34))}",drop,why\n' for name in names]
    write_overrides(HEADER + "".join(lines).encode())
    assert ledger.overrides("mine")["image"].tolist() == names


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "its columns are none; expected: kind, image, decision, reason"),
        (b"kind,image,decision\nblank,a.png,keep\n", "its columns are kind, image, decision; expected"),
        (b"blank,a.png,keep,night\n", "its columns are blank, a.png, keep, night; expected"),
        (b"kind;image;decision;reason\n", "its columns are kind;image;decision;reason"),
        (HEADER + b"blank,a.png,keep\n", "line 2: 3 values, expected 4"),
        (
            HEADER + b"\n\nblank,a.png,keep,night, no fault\n",
            "line 4: 5 values, expected 4; put a text with commas into",
        ),
        (HEADER + b"blanc,a.png,keep,night\n", "line 2, kind='blanc' does not exist; .* blank"),
        (HEADER + b"blank,a.png,retain,night\n", "line 2, decision='retain' .*: drop, keep, merge, review"),
        (HEADER + b"blank,,keep,night\n", "line 2: image and reason must not be empty"),
        (HEADER + b"blank,a.png,keep, \n", "line 2: image and reason must not be empty"),
        (
            HEADER + b"blank,a.png,keep,x\n\nblank,a.png,drop,y\n",
            "line 2 says keep, .*line 4 says drop, both on blank of",
        ),
        (HEADER + b"blank,*,keep,x\nblank,*,drop,y\n", "line 2 says keep, .*line 3 says drop, both on blank of"),
        (HEADER + b"manual,*,drop,all bad\n", "line 2: a decision of the kind manual names one image"),
        (HEADER + b"manual,a.png,merge,same\n", "line 2: manual is about one image, there is nothing to merge it with"),
        (HEADER + b'blank,"a.png,keep,night\n', "no table of UTF-8 text with commas"),
        (HEADER + b"blank,a.png,keep,n\xe4cht\n", "no table of UTF-8 text with commas"),
    ],
)
def test_wrong_decision_is_one_line_that_says_where(write_overrides, content, words):
    write_overrides(content)
    with pytest.raises(config.UserError, match=words) as caught:
        ledger.overrides("mine")
    assert str(caught.value).startswith("params/datasets/mine.csv") and "\n" not in str(caught.value)


def test_a_person_s_decision_is_a_finding_where_there_is_such_an_image():
    by_hand = lines(
        ("manual", "b.png", "drop", "why"), ("manual", "c.png", "drop", "why"), ("blank", "a.png", "keep", "x")
    )
    assert ledger.manual_findings(by_hand, ["a.png", "b.png"])["image"].tolist() == ["b.png"]
