"""What chapter 17 leaves behind for the pages that report it: `final.json`, plain numbers with their intervals."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lib import atomic, cards, config, custody, texts
from lib.custody import opening
from lib.estimates import Estimate, Inapplicable
from lib.final import calibration, comparison, decision, form, slices
from lib.final.frozen import Frozen
from lib.final.scoring import of_predictions
from lib.metrics import decisions, fitting, metric_estimate
from lib.runs import Predictions

FILE = "final.json"


def scores(seen: Predictions, threshold: float) -> dict[str, Estimate | Inapplicable]:
    """Every metric that fits, classes decided at a threshold, with its interval."""
    classes = 2 if seen.probabilities.ndim < 3 else seen.probabilities.shape[2]
    return {
        name: of_predictions(name, seen, threshold) for name in [*fitting(classes), *["precision"] * (classes == 2)]
    }


def calibrations(seen: Predictions) -> dict[str, Any]:
    """How calibrated predictions are: brier, log_loss, slope and intercept with intervals, ece as `CalibrationError`."""
    label, p, groups = seen.labels, seen.probabilities[0], seen.groups
    found = {name: metric_estimate(name, label, seen.probabilities, groups) for name in ("brier", "log_loss")}
    lines = {"slope": calibration.slope(label, p, groups), "intercept": calibration.intercept(label, p, groups)}
    return found | lines | {"ece": calibration.error(label, p)}


def write(
    context: config.Context,
    chosen: str,
    constraint: Mapping[str, Any],
    finalists: Mapping[str, Frozen],
    opened: opening.Opened,
    said: Mapping[str, Predictions],
    sliced: list[slices.Slice],
    compared: list[comparison.Comparison],
    external: dict[str, Any] | None = None,
    beside: Mapping[str, Any] | None = None,
) -> Path:
    """Write the record of the final test into the chapter's folder; returns its path.

    chosen: the finalist that the page speaks of. constraint: metric, at_least. said: finalist -> its uncalibrated predictions
    of the opened part. external: what another card gave, plain JSON, or None. beside: as `beside.record`; None: nothing is said.
    """
    card, model = cards.load(context.dataset), finalists[chosen]
    test = {name: finalists[name].calibrated(each) for name, each in said.items()}
    value = {
        "form": form(), "dataset": context.dataset, "profile": context.profile, "rehearsal": not context.judged,
        "judged": context.judged, "data_hash": custody.data_sha256(context), "classes": card.classes,
        "positive": card.classes[1] if len(card.classes) == 2 else None,
        "parts": _parts(card.classes, {part: model.known(part) for part in ("tuning", "validation")} | {"test": test[chosen]}),
        "chosen": chosen,
        "finalists": {name: _finalist(each) for name, each in finalists.items()},
        "constraint": {**constraint, "part": "tuning"},
        "operating": {name: _point(each) for name, each in finalists.items()},
        "calibration": {name: _calibration(each, said[name]) for name, each in finalists.items()},
        "metrics": {
            "validation": {name: plain(scores(each.known("validation"), each.threshold)) for name, each in finalists.items()},
            "test": {name: plain(scores(each, finalists[name].threshold)) for name, each in test.items()},
        },
        "confusion": {name: counts(each, finalists[name].threshold).tolist() for name, each in test.items()},
        "slices": [_slice(each) for each in sliced], "slice_metric": "auc", "worst_slice": _worst(sliced),
        "comparisons": [_comparison(each) for each in compared],
        "decision": _decision(model, test[chosen]),
        "openings": openings(context, opened),
        "external": external, "beside": beside or {"sentences": {}, "shares": []},
    }  # fmt: skip
    atomic.write_json(context.output / FILE, value)
    return context.output / FILE


def counts(seen: Predictions, threshold: float) -> np.ndarray:
    """(classes, classes) int: images by true class (rows) and class decided for, at a threshold where there are two."""
    p = seen.probabilities[0]
    classes = 2 if p.ndim == 1 else p.shape[1]
    places = classes * seen.labels.astype(int) + decisions(p, threshold)
    return np.bincount(places, minlength=classes**2).reshape(classes, classes)


def openings(context: config.Context, opened: opening.Opened) -> dict[str, Any]:
    """Every opening so far, from the ledger, and which of them this is."""
    kept = ("number", "opened", "profile", "reason", "key", "data", "images", "groups", "decisions")
    entries = [{name: entry.get(name) for name in kept} for entry in opening.entries(context)]
    return {
        "count": len(entries),
        "key": opened.entry["key"],
        "again": opened.again,
        "ledger": opened.ledger,
        "entries": entries,
        "studies_with_all_labels": opening.studies_with_labels(context),
    }


def openings_table(context: config.Context) -> pd.DataFrame:
    """Every opening so far for people: a row each, with what was frozen."""
    rows = [
        (
            entry["number"],
            entry["opened"][:10],
            entry["reason"],
            entry["images"],
            _decided(entry["decisions"]),
            entry["key"],
        )
        for entry in opening.entries(context)
    ]
    return pd.DataFrame(rows, columns=["opening", "day", "reason", "images", "frozen before", "key"])


def told(context: config.Context, opened: opening.Opened) -> texts.Sentence:
    """Who has seen the labels of the test part, from the ledger and from the studies' own records."""
    count, studies = len(opening.entries(context)), opening.studies_with_labels(context)
    which = "the one of these very decisions, run again" if opened.again else "entered just now"
    first = f"The ledger, {opened.ledger}, counts {count} {'opening' if count == 1 else 'openings'}; this is {which}."
    rehearsal = "" if context.judged else "It is a rehearsal: in smoke the test part is carved from development."
    seen = (
        "Models of a further opening were made when the result of the one before could be known." if count > 1 else ""
    )
    others = f"Declared studies were given all labels here, and chose nothing by them: {', '.join(studies)}."
    return texts.sentence(
        first, seen, rehearsal, others if studies else "No declared study was given these labels here."
    )


def calibration_table(seen: Mapping[str, Predictions]) -> pd.DataFrame:
    """How calibrated predictions are, for people: a row each of the mapping."""
    rows = {name: {what: str(each) for what, each in calibrations(part).items()} for name, part in seen.items()}
    titles = {"log_loss": "log loss", "ece": "calibration error"}
    return pd.DataFrame.from_dict(rows, orient="index").rename(columns=titles).rename_axis("predictions")


def _decided(decisions: Mapping[str, Any]) -> str:
    parts = [
        f"{name}: temperature {each['temperature']:g}, threshold "
        + ("none" if each["threshold"] is None else f"{each['threshold']:g}")
        for name, each in decisions["finalists"].items()
    ]
    return f"{decisions['chosen']} chosen; " + "; ".join(parts)


def plain(found: Mapping[str, Any]) -> dict[str, Any]:
    """Estimates as plain JSON; what is no estimate by its fields."""
    return {
        name: each.record() if isinstance(each, Estimate | Inapplicable) else asdict(each)
        for name, each in found.items()
    }


def _parts(classes: list[str], seen: Mapping[str, Predictions]) -> dict[str, Any]:
    return {
        part: {
            "images": len(each.labels),
            "groups": len(np.unique(each.groups)),
            "by_class": np.bincount(each.labels.astype(int), minlength=len(classes)).tolist(),
        }
        for part, each in seen.items()
    }


def _finalist(each: Frozen) -> dict[str, Any]:
    threshold = each.decision()["threshold"]
    why = each.point.reason if threshold is None else None
    own = {
        "title": each.finalist.title,
        "key": each.finalist.key,
        "temperature": each.temperature,
        "threshold": threshold,
    }
    return {**each.finalist.facts, **own, "threshold_reason": why, "temperature_reason": each.reason or None}


def _point(each: Frozen) -> dict[str, Any]:
    if isinstance(each.point, Inapplicable):
        return {"reason": each.point.reason}
    said = each.point.record()
    return {"threshold": said.pop("threshold"), "constraint": said.pop("constraint"), "tuning": said}


def _calibration(each: Frozen, raw: Predictions) -> dict[str, Any]:
    parts = {part: each.finalist.known[part] for part in ("tuning", "validation")} | {"test": raw}
    return {
        "raw": {part: plain(calibrations(seen)) for part, seen in parts.items()},
        "calibrated": {part: plain(calibrations(each.calibrated(seen))) for part, seen in parts.items()},
    }


def _slice(each: slices.Slice) -> dict[str, Any]:
    return {
        "by": each.by, "slice": each.name, "images": each.images, "groups": each.groups, "by_class": each.counts,
        "positives": each.counts[1] if len(each.counts) == 2 else None, "value": each.value.record(),
        "difference": each.difference.record(), "p_adjusted": each.p_adjusted, "told_apart": each.told_apart,
    }  # fmt: skip


def _worst(sliced: list[slices.Slice]) -> dict[str, Any]:
    lowest, sentence = slices.worst(sliced)
    return ({"by": lowest.by, "slice": lowest.name} if lowest else {}) | {"sentence": sentence}


def _comparison(each: comparison.Comparison) -> dict[str, Any]:
    images, sentence = comparison.needed(each)
    return {
        "first": each.first, "second": each.second, "method": getattr(each.difference, "method", None),
        "difference": each.difference.record(), "p_value": each.p_value, "p_adjusted": each.p_adjusted,
        "images_needed": images, "power_sentence": sentence,
    }  # fmt: skip


def _decision(model: Frozen, test: Predictions) -> dict[str, Any]:
    threshold = model.decision()["threshold"]
    return {
        "threshold": threshold,
        "gain": decision.gain(test.labels, test.probabilities[0], test.groups, threshold).record(),
    }
