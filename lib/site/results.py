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
    """Metrics on the validation part, with intervals over groups; a metric that is undefined there has no value.

    predictions: table with columns part, group, label and probability (with many classes probability_0, probability_1 ...).
    """
    import pandas as pd  # here, so that pages without new runs are built without it

    from lib import metrics

    rows = pd.read_parquet(predictions).query("part == 'validation'")
    columns = [name for name in rows.columns if name.startswith("probability")]
    probability = rows[columns].to_numpy().squeeze()
    results: dict[str, dict[str, Any]] = {}
    for name in METRICS:
        try:
            estimate = metrics.metric_estimate(name, rows["label"].to_numpy(), probability, rows["group"].to_numpy())
            results[name] = estimate.record()
        except ValueError:  # a class without any image
            results[name] = {"value": None}
    return results
