"""What the final number is read beside: brightness and properties alone, pairs of one kind, what the parts are made of."""

import numpy as np
import pandas as pd
import pytest

from lib import brightness, composition
from lib.estimates import Inapplicable
from lib.final import beside, slices
from lib.metrics import score
from lib.runs import Predictions


def table(images: int = 400) -> pd.DataFrame:
    """Brightness says nothing, the kind says much, a name of each image nothing at all."""
    generator = np.random.default_rng(3)
    label = generator.integers(0, 2, images)
    columns = {"image": [f"image{number}" for number in range(images)], "label": label}
    columns["part"] = np.resize(["train", "train", "tuning", "validation"], images)
    columns["kind"] = np.where(generator.random(images) < 0.2 + 0.6 * label, "a", "b")
    columns["maker"] = columns["image"]
    return pd.DataFrame(columns | {"brightness": generator.normal(100, 15, images), "level": label.astype(float)})


def test_properties_alone_rank_what_they_know_of():
    rows = table()
    assert composition.usable(rows, ["kind", "maker"]) == ["kind"]
    asked = rows[rows["part"] == "validation"].drop(columns=["label", "level"])
    by_kind = brightness.said(rows, asked, ["kind"], 2)[0]
    label = rows.loc[asked.index, "label"]
    assert score("auc", label, by_kind) > 0.7 > 0.62 > score("auc", label, brightness.said(rows, asked, [], 2)[0])
    unknown = brightness.said(rows, asked.assign(kind="never seen"), ["kind"], 2)
    assert unknown.shape == (1, len(asked)) and np.isfinite(unknown).all()
    assert set(beside.crosses(label.to_numpy(), by_kind)) >= {"auc", "brier", "log_loss"}
    assert "accuracy" not in beside.crosses(label.to_numpy(), by_kind)


def test_the_sentence_holds_both_numbers_and_their_difference():
    rows = table()
    groups = np.arange(len(rows)) // 20
    label = rows["label"].to_numpy()
    seen = Predictions(rows["image"].to_numpy(), groups, label, (0.1 + 0.8 * label)[None])
    alone = brightness.said(rows, rows, ["kind"], 2)[0]
    said = beside.told(seen, alone, "brightness and kind")
    assert f"an AUC of {score('auc', label, alone):.3f}; the finalist's is 1.000" in said
    one_class = Predictions(seen.images, groups, np.zeros(len(rows), int), seen.probabilities)
    assert beside.told(one_class, alone, "brightness").endswith("a class has no image.")
    assert isinstance(beside.gained(one_class, alone), Inapplicable)


def test_pairs_within_kinds_know_nothing_of_the_kind():
    rows = table()
    label, groups = rows["label"].to_numpy(), np.arange(len(rows)) // 20
    by_kind = np.where(rows["kind"] == "a", 0.8, 0.2)
    sliced = slices.measured(label, by_kind, groups, {"kind": rows["kind"]})
    said = beside.within_kinds(sliced, score("auc", label, by_kind))
    assert "0.500 of those of one kind of kind" in said and f"{score('auc', label, by_kind):.3f} are in order" in said
    assert beside.within_kinds([], 0.7).startswith("Pairs within kinds are counted for two classes")


def test_shares_of_the_parts_sum_to_all_and_the_sentence_names_the_widest(monkeypatch):
    rows = table()
    monkeypatch.setattr(beside.custody, "development", lambda context: rows)
    opened = rows.assign(label=1, kind="a").drop(columns=["part"])
    shares = beside.parts(None, opened, ["sound", "defective"], ["kind", "maker"])
    assert shares.columns.tolist() == ["train", "tuning", "validation", "test"]
    assert shares.groupby("of").sum().to_numpy() == pytest.approx(100, abs=0.2)
    assert shares.loc[("class", "defective"), "test"] == 100
    assert "100.0 % of test" in beside.apart(shares)
    found = beside.record({"parts": "x"}, shares)
    assert found["shares"][0].keys() == {"of", "kind", "train", "tuning", "validation", "test"}
