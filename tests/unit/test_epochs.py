"""Epochs of finished runs: phases that stop early, seeds that stop at different epochs, what a later phase did."""

from types import SimpleNamespace

import pandas as pd
import pytest

from lib import epochs, plots, transfer
from lib.training.configuration import EarlyStopping, Phase

TUNING = {1: (0.9, 0.5, 0.6, 0.7), 2: (0.9, 0.5, 0.4, 0.6, 0.7)}  # of the warm-up, by seed, untrained first


def run(seed: int, later: tuple[float, ...], patience: int = 2) -> SimpleNamespace:
    """Five epochs at most, then four at most; losses on training are a tenth of those on tuning."""
    losses = dict(enumerate(TUNING[seed])) | dict(enumerate(later, start=6))
    rows = [
        {"epoch": epoch, "part": part, "loss": share * loss, "accuracy": 0.5}
        for epoch, loss in losses.items()
        for part, share in (("train", 0.1), ("tuning", 1.0), ("validation", 2.0))
    ]
    kept = EarlyStopping(patience=patience)
    phases = (Phase(epochs=5, early_stopping=kept), Phase(epochs=4, early_stopping=kept))
    configuration = SimpleNamespace(phases=phases, epochs=9, seed=seed)
    return SimpleNamespace(history=pd.DataFrame(rows), configuration=configuration)


@pytest.fixture
def group() -> list[SimpleNamespace]:
    return [run(1, (0.3, 0.4, 0.5)), run(2, (0.5, 0.3, 0.2, 0.1))]


def test_a_phase_begins_with_the_weights_that_the_one_before_it_kept(group):
    assert epochs.stretches(group[0]) == [(0, 0, 3, 1), (1, 5, 8, 6)]
    assert epochs.stretches(group[1]) == [(0, 0, 4, 2), (2, 5, 9, 9)]
    without = SimpleNamespace(phases=(Phase(epochs=5), Phase(epochs=4)), epochs=9, seed=1)
    assert epochs.stretches(SimpleNamespace(history=group[0].history, configuration=without))[0].kept == 3


def test_curves_go_as_far_as_all_seeds_were_trained(group):
    found = epochs.through(group)
    train = found[found["part"] == "train"]
    assert sorted(set(zip(train["phase"], train["epoch"], strict=True))) == [
        *[(1, epoch) for epoch in range(4)], *[(2, epoch) for epoch in (5, 6, 7, 8)]
    ]  # fmt: skip
    begun = train[(train["phase"] == 2) & (train["epoch"] == 5)]
    assert begun["loss"].tolist() == pytest.approx([0.05, 0.04])


def test_what_a_later_phase_did_is_told_by_seed(group):
    row = epochs.tuned({"a": group}).loc["a"]
    assert row["epoch kept, by seed"] == "1 of 3, 4 of 4"
    assert row[["train, before", "train, kept"]].tolist() == pytest.approx([0.045, 0.02])
    assert row[["tuning, before", "tuning, kept"]].tolist() == pytest.approx([0.45, 0.2])


def test_it_is_said_whether_early_stopping_acted(group):
    assert "In 1 of 2 runs" in epochs.stopped({"a": group}) and "the others" in epochs.stopped({"a": group})
    assert "In 1 of 1 runs" in epochs.stopped({"a": [run(1, (0.3, 0.2, 0.3, 0.4))]})  # at its last epoch
    assert "nothing" in epochs.stopped({"a": group[:1]}) and "each of them" in epochs.stopped({"a": group[1:]})
    assert epochs.stopped({}) == ""


def test_lines_are_broken_between_phases(group):
    history = transfer.history({"a": group})
    figure = plots.compared(history, {"loss": "loss, nats"}, "setting")
    lines = [trace for trace in figure.data if trace.fill is None]
    assert [list(trace.x) for trace in lines] == [[0, 1, 2, 3], [5, 6, 7, 8]] * 2
    assert {shape.x0 for shape in figure.layout.shapes} == {5}
    metrics = {name: history["loss"] for name in ("auc", "precision", "recall", "f1")}
    (drawn, *_) = plots.every_metric(history.assign(**metrics), ["a"]).data
    assert pd.isna(drawn.y).tolist() == [False] * 4 + [True] + [False] * 4
