"""Decisions leave images out or put groups together; none moves another image to another part."""

import numpy as np
import pandas as pd
import pytest

from lib import cards, config, leaks, ledger, splits
from lib.cards import Card, Selection
from lib.custody import curation
from lib.findings import copies, frame

TREES = ["folder", "diabetic_retinopathy", "mammograms", "chest_xray"]  # lone images, eyes, breasts, published parts
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """Where descriptions of images are remembered from one test to the next."""
    return tmp_path_factory.mktemp("described")


@pytest.fixture
def curate(planted, described, tmp_path, monkeypatch):
    """`curate(tree, *lines, **changes of the card)`: what is made of a generated tree under decisions by hand."""
    monkeypatch.setattr(splits, "TRIALS", 50)
    monkeypatch.setenv(config.BUILD_VARIABLE, str(tmp_path / "build"))

    def run(name: str, *lines: tuple[str, str, str], **changes: object) -> curation.Curation:
        monkeypatch.setenv(config.DATA_VARIABLE, str(planted(name).folder))
        known = name.split()[0]
        card: Card = cards.load(known if known in config.datasets() else config.own_dataset()[0])
        by_hand = pd.DataFrame([(*line, "why") for line in lines], columns=ledger.OVERRIDE_COLUMNS, dtype=str)
        monkeypatch.setattr(ledger, "overrides", lambda _: by_hand)
        return curation.curate(card.model_copy(update=changes), described / f"{name}.parquet")

    return run


def parts(curated: curation.Curation) -> pd.Series:
    return curated.table.set_index("path")["part"]


def moved(before: pd.Series, after: pd.Series) -> set[str]:
    """Images that stand in one part, then in another."""
    both = before.index.intersection(after.index)
    return set(both[before[both] != after[both]])


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", TREES)
def test_dropping_images_by_hand_moves_no_other(name, seed, curate):
    before = parts(curate(name))
    first = before[~before.duplicated()].index  # one of each part stays, so that none is empty
    gone = np.random.default_rng(seed).choice(before.index.difference(first), 2 * seed, replace=False)
    after = parts(curate(name, *(("manual", path, "drop") for path in gone)))
    assert moved(before, after) == set()
    assert set(before.index) - set(gone) <= set(after.index)


@pytest.mark.parametrize("decision", ["keep", "merge", "review", "drop"])
@pytest.mark.parametrize("name", ["folder", "mammograms", "chest_xray leaks"])
def test_whatever_is_decided_on_copies_moves_nothing(name, decision, curate):
    leaking = ("across_parts", "*", "drop")
    lines = [leaking] if "leaks" in name else []
    before = curate(name, *lines)
    found = set(before.ledger["kind"])
    for kind in {"near_copy", "copy_of_bytes", "copy_of_pixels"} & found:
        after = curate(name, *lines, (kind, "*", decision))
        assert moved(parts(before), parts(after)) == set(), kind
        assert (
            decision != "keep"
            or kind != "near_copy"
            or after.table["group"].nunique() > before.table["group"].nunique()
        )


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("selection", [{"balanced": 40}, {"ratio": {"of": "cats", "to": "dogs", "ratio": 0.6}}])
def test_in_a_selection_one_image_less_brings_in_one_other_at_most(seed, selection, curate):
    selection = Selection.model_validate(selection)
    before = parts(curate("folder", selection=selection))
    assert set(before) == set(splits.PARTS)
    path = np.random.default_rng(seed).choice(before.index)
    after = parts(curate("folder", ("manual", path, "drop"), selection=selection))
    assert moved(before, after) == set()
    assert len(set(after.index) - set(before.index)) <= 1
    assert path in set(before.index) - set(after.index) and len(set(before.index) - set(after.index)) <= 2


def test_of_one_picture_with_two_labels_the_one_that_is_kept_stays(curate):
    conflicts = curate("folder").ledger.query("kind == 'label_conflict'")
    pair = conflicts.iloc[0][["image", "other"]].tolist()
    assert not set(pair) & set(curate("folder").table["path"])
    for kept, other in (pair, pair[::-1]):
        left = set(curate("folder", ("label_conflict", kept, "keep")).table["path"])
        assert kept in left and other not in left


def test_neither_selection_nor_policy_moves_anything(curate):
    whole, chosen = (parts(curate("folder", selection=Selection(balanced=size))) for size in (None, 40))
    assert len(chosen) == 40 and moved(whole, chosen) == set()
    rule = ledger.Rule(decision="keep", reason="why")
    assert moved(whole, parts(curate("folder", policy={"blank": rule, "near_copy": rule}))) == set()


def test_a_selection_has_all_parts_in_their_shares():
    generator = np.random.default_rng(3)
    table = pd.DataFrame({"part": generator.choice(list(splits.PARTS), 1000, p=list(splits.PARTS.values()))})
    table = table.assign(label=np.arange(1000) % 2, level=0.0, pixels_sha256=table.index.astype(str))
    table["turn"] = splits.turns(table, 1)
    chosen = splits.select(table, Selection(balanced=100), ["cat", "dog"])
    for part, share in table["part"].value_counts(normalize=True).items():
        assert (chosen["part"] == part).mean() == pytest.approx(share, abs=0.02)


def test_copies_of_one_that_left_are_still_bound():
    """a - b - c - d, of which b and then c leave; e is the same file as b and stands for it."""
    near = frame([("near_copy", two, one, "") for one, two in ("ab", "bc", "cd")])
    exact = frame([("copy_of_bytes", "e", "b", "")])

    def left(paths: str) -> list[tuple[str, str]]:
        found = copies.reconnected(near, exact, pd.Series(list(paths)))
        return [tuple(pair) for pair in found[["image", "other"]].to_numpy()]

    assert left("abcd") == [("b", "a"), ("c", "b"), ("d", "c")]
    assert left("acd") == [("d", "c"), ("c", "a")]
    assert left("ad") == [("d", "a")]
    assert left("aed") == [("e", "a"), ("d", "a")]
    assert left("a") == left("xy") == []


def test_copies_that_had_to_go_are_counted_by_the_gate(curate):
    """Two exact copies gave way before the gate looked; near copies and a patient are decided on by hand."""
    curated = curate("chest_xray leaks", ("across_parts", "*", "drop"))
    table = leaks.table(curated.ledger)
    assert table.loc["copy of bytes"].tolist() == table.loc["copy of pixels"].tolist() == [1, 1, 0]
    solved = curated.ledger[curated.ledger["kind"].eq("across_parts") & curated.ledger["by"].eq("policy")]
    assert solved["image"].str.startswith("train/").all() and set(solved["decision"]) == {"drop"}
    assert set(solved["reason"]) == {"the same file again", "the same picture again"}
    assert not set(solved["image"]) & set(curated.table["path"]) and set(solved["other"]) <= set(curated.table["path"])


def test_near_copies_that_a_person_dropped_stop_nothing_and_are_counted(curate):
    with pytest.raises(config.UserError, match="near copy"):
        curate("folder parts")
    near = "train/cats/002.png"
    dropped = curate("folder parts", ("near_copy", near, "drop"))
    table = leaks.table(dropped.ledger)
    assert table["found"].tolist() == table["dropped"].tolist() == [0, 1, 1, 1]
    weak = dropped.ledger[dropped.ledger["detail"].str.endswith("near copy")]
    assert weak["image"].tolist() == [near] and weak["by"].tolist() == ["hand"]
    other = curate("folder parts", ("manual", "test/cats/seen smaller.png", "drop"))
    assert near in set(other.table["path"]) and leaks.table(other.ledger).loc["near copy"].tolist() == [1, 1, 0]


@pytest.mark.parametrize("kind", ["copy_of_bytes", "near_copy"])
@pytest.mark.parametrize("decision", ["keep", "review", "merge"])
def test_copies_across_parts_that_are_not_dropped_stop(kind, decision, curate):
    with pytest.raises(config.UserError, match=kind.replace("_", " ")):
        curate("folder parts", (kind, "*", decision))
