"""Trained numbers of the smoke book within bands, each with the reason why it holds on every processor."""

import math
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.metrics import log_loss

from lib import atomic, config
from lib.runs import Run

BANDS = yaml.safe_load(Path(__file__).with_name("bands.yml").read_text(encoding="utf-8"))
# thinned rows have no neighbours, groups are guessed, a weak model suspects nothing; one seed shows no spread
INAPPLICABLE = {"H1.1", "H2.2", "H2.3", "H8.15", "H8.25", "H8.26", "H16.4"}
INAPPLICABLE |= {
    "H9.1",
    "H9.2",
    "H9.5",
    "H9.6",
    "H9.7",
}  # one network, none trained as a whole, one rate for all blocks
INAPPLICABLE |= {"H17.12"}  # no other card was named
CHOSEN = {"H10.4"}  # not applicable where no depth is chosen on tuning: in a smoke book a matter of the fourth digit
each_chapter = pytest.mark.parametrize("name", config.chapters())


def train_history(run: Run, metric: str) -> np.ndarray:
    """One value an epoch, the first before any step."""
    return run.history.query("part == 'train'").sort_values("epoch")[metric].to_numpy()


def entropy(run: Run) -> float:
    """Entropy of the class shares of the training part, in nats."""
    shares = np.array(run.record["class_counts"]) / sum(run.record["class_counts"])
    return float(-(shares * np.log(shares)).sum())


def validation_log_loss(run: Run) -> float:
    rows = run.predictions.query("part == 'validation'")
    return log_loss(rows["label"], rows["probability"])


NUMBERS: dict[str, Callable[[Run], float]] = {
    "parameters_total": lambda run: run.record["parameters_total"],
    "start_loss_minus_entropy": lambda run: train_history(run, "loss")[0] - entropy(run),
    "end_loss_minus_start_loss": lambda run: train_history(run, "loss")[-1] - train_history(run, "loss")[0],
    "train_auc_at_end": lambda run: train_history(run, "auc")[-1],
    "validation_log_loss": validation_log_loss,
    "movement_in_last_epoch": lambda run: float(np.abs(np.diff(run.dynamics, axis=0))[-1].mean()),
}


def outside(where: str, value: float, band: list) -> list[str]:
    """Why a value is not in its band: nothing when it is."""
    low, high, reason = band
    assert low <= high and len(reason) > 20, f"{where}: a band is [low, high, reason]"
    return [] if low <= value <= high else [f"{where} is {value:.4g}, expected {low} to {high}: {reason}"]


def runs_used(root: Path, name: str) -> list[Run]:
    path = root / "chapters" / name / "runs_used.json"
    return [Run(root / "runs" / key) for key in atomic.read_json(path)] if path.exists() else []


@each_chapter
def test_runs_are_within_their_bands(name, root):
    bands, problems = BANDS.get(name, {}).get("runs", {}), []
    matched = set()
    for run in runs_used(root, name):
        patterns = [pattern for pattern in bands if fnmatch(run.record["name"], pattern)]
        assert len(patterns) == 1, f"bands.yml, {name}: {run.record['name']} fits {patterns or 'nothing'}"
        matched |= set(patterns)
        for number, band in bands[patterns[0]].items():
            problems += outside(f"{run.record['name']}, {number}", NUMBERS[number](run), band)
    assert matched == set(bands), f"bands.yml, {name}: no run fits {set(bands) - matched}"
    assert not problems, "\n".join(problems)


def measured(name: str, root: Path) -> list[dict]:
    """Records of the hypotheses that can be put to the smoke book of the default data set."""
    records = atomic.read_json(root / "chapters" / name / "hypotheses.json")
    unasked = {record["id"] for record in records if record["verdict"] == "not applicable"}
    assert unasked - CHOSEN == INAPPLICABLE & {record["id"] for record in records}
    return [record for record in records if record["id"] not in unasked]


@each_chapter
def test_hypotheses_are_within_their_bands(name, root):
    bands = BANDS.get(name, {}).get("hypotheses", {})
    records = {record["id"]: record for record in measured(name, root)}
    assert set(records) <= set(bands) <= set(records) | CHOSEN, (
        f"bands.yml, {name}: every hypothesis that is measured has a band, no other"
    )
    problems = [
        problem for id, record in records.items() for problem in outside(id, record["estimate"]["value"], bands[id])
    ]
    assert not problems, "\n".join(problems)


@each_chapter
def test_intervals_hold_their_value_and_smoke_judges_nothing(name, root):
    for record in measured(name, root):
        estimate = record["estimate"]
        low, value, high = (estimate[key] for key in ("low", "value", "high"))
        without_effect = low == value == high == 0  # such as a patience that was never at its end
        assert all(map(math.isfinite, (low, value, high))) and low <= value <= high, record["id"]
        assert low < high or without_effect, record["id"]
        assert 0.95 <= estimate["level"] < 1 and 0 <= record["p_value"] <= 1, record["id"]
        assert record["verdict"] == "not judged (smoke)", record["id"]


def test_no_band_is_left_over():
    assert set(BANDS) <= set(config.chapters())
