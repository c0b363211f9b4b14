"""A stretch of rows that was photographed twice is found as a run; no single pair, and nothing else, is."""

import numpy as np
import pandas as pd
import pytest

from lib import cards, config, custody, manifest
from lib.custody import curation
from lib.findings import copies, frame, series
from tests.data import TREES, elpv_series
from tests.data.planted import pair

RUN = range(elpv_series.FIRST, elpv_series.FIRST + elpv_series.LENGTH)


def described(pictures: list[np.ndarray], groups: list[str] | None = None) -> pd.DataFrame:
    """The rows of a manifest that the search reads."""
    small = [picture.astype(np.uint8).tobytes() for picture in pictures]
    path = [f"{row:03d}.png" for row in range(len(small))]
    table = pd.DataFrame({"path": path, "group": groups or path, "status": "ok", "contrast": 50.0, "thumbnail": small})
    return table.assign(pixels_sha256=table["path"])


def cells(count: int, seed: int = 1) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(60, 200, (count, 64, 64)))


def again(pictures: list[np.ndarray]) -> list[np.ndarray]:
    generator = np.random.default_rng(2)
    return [0.8 * picture + generator.normal(20, 8, (64, 64)) for picture in pictures]


def pairs(found: pd.DataFrame) -> set[frozenset[str]]:
    return {pair(image, other) for image, other in zip(found["image"], found["other"], strict=True)}


@pytest.fixture
def elpv(planted, tmp_path, monkeypatch) -> cards.Card:
    """The card of ELPV on the tree with a stretch that comes twice."""
    monkeypatch.setenv(config.DATA_VARIABLE, str(planted("elpv series").folder))
    monkeypatch.setenv(config.BUILD_VARIABLE, str(tmp_path / "build"))
    return cards.load("elpv")


@pytest.mark.parametrize("seed", [8, 9])
def test_exactly_the_planted_run_is_found(seed, tmp_path, monkeypatch):
    tree = TREES["elpv series"](tmp_path / "tree", seed)
    monkeypatch.setenv(config.DATA_VARIABLE, str(tree.folder))
    found = curation.curate(cards.load("elpv"), tmp_path / "cache.parquet").ledger
    run = found[found["kind"] == "repeated_series"]
    assert pairs(run) == tree.defects["repeated_series"] and len(run) == elpv_series.LENGTH
    assert run["detail"].str.startswith("a run of 30 images and the run 113 rows before").all()
    assert set(run["decision"]) == {"merge"} and "near_copy" not in set(found["kind"])


def test_without_the_search_the_same_cells_stand_in_two_parts(elpv, tmp_path, monkeypatch, planted):
    def divided() -> int:
        part = curation.curate(elpv, tmp_path / "cache.parquet").table.set_index("path")["part"]
        return sum(part[list(both)].nunique() > 1 for both in planted("elpv series").defects["repeated_series"])

    assert divided() == 0
    monkeypatch.setattr(series, "repeated", lambda _: frame())
    assert divided() >= 10


def test_labels_of_two_exposures_are_compared_and_no_test_image_is_named(elpv):
    context = config.chapter("test", "elpv", "cpu")
    ledger, images = custody.ledger(context), custody.images(context)
    told, seen = ledger[~ledger["hidden"]], set(custody.development(context)["path"])
    runs, doubted = (told[told["kind"] == kind] for kind in ("repeated_series", "near_copy_conflict"))
    assert set(runs["image"]) | set(runs["other"]) <= seen
    hidden = ledger[ledger["hidden"] & ledger["kind"].eq("repeated_series")]
    assert len(runs) + len(hidden) == elpv_series.LENGTH and set(hidden["detail"]) <= {""}
    assert hidden["image"].isin(images["image"]).all() and hidden["image"].str.startswith("test-").all()
    otherwise = {f"images/cell{elpv_series.FIRST + number + 1:04d}.png" for number in elpv_series.OTHERWISE}
    assert set(doubted["other"]) == otherwise & seen
    assert doubted["detail"].str.contains(", its other exposure ").all()


def test_a_run_linked_to_the_test_part_tells_neither_names_nor_rows(elpv, monkeypatch):
    monkeypatch.setattr(curation, "draw", _tested(curation.draw))
    ledger = custody.ledger(config.chapter("test", "elpv", "cpu"))
    hidden = ledger[ledger["kind"] == "repeated_series"]
    assert hidden["hidden"].all() and set(hidden["detail"]) == {""} and len(hidden) == elpv_series.LENGTH
    assert hidden["image"].str.startswith("test-").all() and hidden["other"].str.startswith("test-").all()
    assert "near_copy_conflict" not in set(ledger["kind"])


def _tested(draw):
    """As drawn, but for the groups of the run, which are in the test part."""

    def drawn(everything: pd.DataFrame, card: cards.Card):
        found = draw(everything, card)
        named = found.table["path"].isin({*found.series["image"], *found.series["other"]})
        groups = set(found.table.loc[named, "group"])
        part = found.table["part"].replace("test", "train").mask(found.table["group"].isin(groups), "test")
        found.table["part"] = part
        return found

    return drawn


def test_a_run_survives_files_that_are_missing_and_pictures_that_are_equal():
    pictures = cells(160)
    pictures[110:140] = again(pictures[20:50])
    table = described(pictures)
    table.loc[[25, 33, 121], "status"] = "truncated"
    table.loc[126, "pixels_sha256"] = table.loc[3, "pixels_sha256"]
    found = series.repeated(table)
    gone = {25, 33, 31, 36}
    assert pairs(found) == {pair(f"{row:03d}.png", f"{row + 90:03d}.png") for row in set(range(20, 50)) - gone}


def test_things_photographed_three_times_are_one():
    pictures = cells(200)
    for start in (60, 130):
        pictures[start : start + 20] = again(pictures[:20])
        pictures[start : start + 20] = [np.roll(picture, 1, 0) for picture in pictures[start : start + 20]]
    assert len(series.repeated(described(pictures))) == 60


@pytest.mark.parametrize(
    "change",
    [
        lambda pictures: pictures,
        lambda pictures: [*pictures[:100], *again(pictures[20 : 20 + series.HITS - 1]), *pictures[120:]],
        lambda pictures: [*pictures[:80], *again(pictures[:40][::-1]), *pictures[120:]],
        lambda pictures: [picture for one in pictures[:60] for picture in (one, *again([one]))],
    ],
    ids=["nothing twice", "too short a run", "in the other order", "each twice in succession"],
)
def test_what_is_no_run_is_not_found(change):
    assert series.repeated(described(change(cells(160)))).empty


def test_a_run_within_one_group_binds_nothing():
    pictures = cells(120)
    pictures[60:90] = again(pictures[:30])
    assert len(series.repeated(described(pictures))) == 30
    assert series.repeated(described(pictures, ["one"] * 120)).empty


def test_more_images_than_can_be_compared_is_said(elpv, tmp_path, monkeypatch):
    monkeypatch.setattr(series, "MOST_IMAGES", 100)
    found = curation.curate(elpv, tmp_path / "cache.parquet").ledger.set_index("kind")
    assert found.loc["not_searched", ["detail", "decision"]].tolist() == [
        "series among 240 images; most are 100",
        "review",
    ]
    assert "repeated_series" not in found.index


def test_elpv_shows_one_module_twice(tmp_path):
    """Files 1735 to 1784 and 2277 to 2326, as measured apart from this search; at no other distance anything."""
    card = cards.load("elpv")
    rows, _ = card.rows()
    table = manifest.build(card.read, rows["path"].tolist(), rows["identity"].tolist(), tmp_path / "cache.parquet")
    found = series.repeated(table.assign(group=rows["group"]))
    numbers = found[["image", "other"]].apply(lambda paths: paths.str.extract(r"(\d+)", expand=False).astype(int))
    assert numbers["other"].tolist() == list(range(1735, 1785))
    assert (numbers["image"] - numbers["other"] == 542).all()
    linked = set(copies.near(table)["image"])
    assert len(set(found["image"]) & linked) <= 1  # no copy detector sees the rest
