"""What chapter 17 leaves behind, made up: a record of the final test in the shape that `lib.final.record` writes."""

from pathlib import Path
from typing import Any

from lib import atomic
from lib.final import form


def estimate(value: float, **changes: Any) -> dict[str, Any]:
    """An estimate as a record holds it."""
    known = {"value": value, "low": value - 0.05, "high": value + 0.04, "level": 0.95, "seeds": 1}
    return known | {"method": "jackknife-t over 5 groups", "images": 100, "groups": 5} | changes


def unknown(reason: str) -> dict[str, Any]:
    """What stands in a record where there is no value."""
    return dict.fromkeys(("value", "low", "high", "level", "method")) | {
        "images": 0,
        "groups": 0,
        "seeds": 0,
        "reason": reason,
    }


def record(key: str, rehearsal: bool = False) -> dict[str, Any]:
    """A final test of two finalists. key: of the chosen one's run."""
    finalists = {
        "classical": finalist(
            "support vector machine on features", "c" * 20, run=False, chapter="04_classical_baselines"
        ),
        "transfer": finalist("simple, 48 px", key, run=True, chapter="03_train"),
    }
    measured = {"auc": estimate(0.871), "sensitivity": estimate(0.912), "brier": estimate(0.122)}
    shape = {"brier": 0.12, "log_loss": 0.4, "slope": 0.93, "intercept": 0.1}
    calibrated: dict[str, Any] = {name: estimate(value) for name, value in shape.items()}
    reached = {"sensitivity": 0.957, "specificity": 0.7, "images": 60}
    calibrated["ece"] = {"value": 0.031, "perfect_low": 0.011, "perfect_high": 0.052, "bins": 10}
    parts = dict.fromkeys(("tuning", "validation", "test"), calibrated)
    return {
        "form": form(),
        "dataset": "elpv", "profile": "cpu", "rehearsal": rehearsal, "judged": not rehearsal, "data_hash": "d" * 64,
        "classes": ["sound", "defective"], "positive": "defective",
        "parts": {"tuning": size(60, 3), "validation": size(80, 4), "test": size(100, 5)},
        "chosen": "transfer", "finalists": finalists,
        "constraint": {"metric": "sensitivity", "at_least": 0.95, "part": "tuning"},
        "operating": {name: {"threshold": 0.283, "constraint": "x", "tuning": reached} for name in finalists},
        "calibration": {name: {"raw": parts, "calibrated": parts} for name in finalists},
        "metrics": {part: dict.fromkeys(finalists, measured) for part in ("validation", "test")},
        "confusion": dict.fromkeys(finalists, [[61, 9], [4, 26]]),
        "slices": [
            {"by": "module_type", "slice": "mono", "images": 60, "groups": 3, "by_class": [40, 20], "positives": 20,
             "value": estimate(0.84), "difference": estimate(-0.06), "p_adjusted": 0.412, "told_apart": False},
            {"by": "module_type", "slice": "poly", "images": 40, "groups": 2, "by_class": [40, 0], "positives": 0,
             "value": unknown("auc needs images of label 1, there are none"), "difference": unknown("the same"),
             "p_adjusted": None, "told_apart": False},
        ],
        "slice_metric": "auc",
        "worst_slice": {"by": "module_type", "slice": "mono", "sentence": "The worst slice is module type mono."},
        "comparisons": [{"first": "transfer", "second": "classical", "method": "jackknife-t", "difference": estimate(0.02),
                         "p_value": 0.2, "p_adjusted": 0.44, "images_needed": 1234,
                         "power_sentence": "About 1,234 images would be needed."}],
        "decision": {"threshold": 0.283, "gain": estimate(0.07)},
        "openings": {"count": 1, "key": "k" * 20, "again": False, "ledger": "custody/elpv.jsonl", "studies_with_all_labels": [],
                     "entries": [{"number": 1, "opened": "2026-11-29T15:00:00+00:00", "profile": "cpu", "reason": "first opening",
                                  "key": "k" * 20, "data": "d" * 64, "images": 100, "groups": 5, "decisions": {}}]},
        "external": None,
        "beside": {
            "sentences": {"rule": "Not every pin is first.", "alone": "Brightness reaches 0.754.", "parts": "Parts differ.",
                          "within_kinds": "Of pairs of one kind 0.83.", "explained": "It is not explained."},
            "shares": [{"of": "class", "kind": "sound", "train": 68.6, "test": 64.8}],
        },
    }  # fmt: skip


def external() -> dict[str, Any]:
    """What the record says of another data set."""
    sides = {"own test part": estimate(0.871), "other data set": estimate(0.803), "drop": estimate(0.068)}
    known = {"dataset": "other", "title": "Cells of another maker", "licence": "CC0", "steps": {"listed": 48}}
    return known | {"images": 48, "groups": 6, "metrics": {"auc": sides}}


def finalist(title: str, key: str, run: bool, chapter: str) -> dict[str, Any]:
    """An entry of the finalists."""
    known = {
        "title": title,
        "chapter": chapter,
        "key": key,
        "seed": 7,
        "network": "simple",
        "image_size": 48,
        "run": run,
    }
    return known | {"temperature": 1.317, "threshold": 0.283, "threshold_reason": None, "temperature_reason": None}


def size(images: int, groups: int) -> dict[str, Any]:
    """Images and groups of a part."""
    return {"images": images, "groups": groups, "by_class": [images - 30, 30]}


def write(root: Path, value: dict[str, Any]) -> Path:
    """Put the record where chapter 17 leaves it; returns its path."""
    path = root / "chapters" / "17_final_test" / "final.json"
    atomic.write_json(path, value)
    return path
