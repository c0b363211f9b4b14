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
    """Metrics on the validation part, with intervals over groups; a metric that is undefined there has no value but a reason.

    predictions: table with columns part, group, label and probability (with many classes probability_0, probability_1 ...).
    """
    import numpy as np  # here, so that pages without new runs are built without them
    import pandas as pd

    from lib import metrics, runs

    rows = pd.read_parquet(predictions).query("part == 'validation'")
    label, groups = rows["label"].to_numpy(), rows["group"].to_numpy()
    probability = runs.probabilities(rows)[np.newaxis]
    return {name: metrics.metric_estimate(name, label, probability, groups).record() for name in METRICS}
