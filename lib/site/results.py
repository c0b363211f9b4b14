"""What a run reaches on the validation part, kept beside the pages so that it is computed once a run."""

from pathlib import Path
from typing import Any

from lib import atomic

METRICS = {"auc": "AUC", "accuracy": "Accuracy"}


def run_results(folder: Path, record: dict[str, Any], cache: Path) -> dict[str, dict[str, Any]]:
    """Estimates of a run, one a metric: value, low, high, level; limits are None where there is no interval.

    folder: of the run, with `predictions.parquet`. cache: folder of results computed before, keyed by the hash of the
    predictions in the run's record.
    """
    fingerprint = record.get("files", {}).get("predictions.parquet")
    stored = cache / f"{record['key']}.json"
    if stored.exists():
        known = atomic.read_json(stored)
        if known["predictions"] == fingerprint:
            return known["results"]
    results = measure_run(folder / "predictions.parquet")
    atomic.write_json(stored, {"predictions": fingerprint, "results": results})
    return results


def measure_run(predictions: Path) -> dict[str, dict[str, Any]]:
    """Accuracy and AUC on the validation part of a table with columns part, group, label, probability."""
    import pandas as pd
    from sklearn import metrics

    rows = pd.read_parquet(predictions).query("part == 'validation'")
    values = {
        "auc": metrics.roc_auc_score(rows["label"], rows["probability"]),
        "accuracy": metrics.accuracy_score(rows["label"], rows["probability"] > 0.5),
    }
    return {name: {"value": float(value), "low": None, "high": None} for name, value in values.items()}
