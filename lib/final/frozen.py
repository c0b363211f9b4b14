"""Finalists with everything that is decided before the test part is opened: temperature and threshold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lib.estimates import Inapplicable
from lib.final import calibration, operating
from lib.final.finalists import Finalist
from lib.runs import Predictions

UNDECIDED = 0.5  # decides where there is no operating point


@dataclass(frozen=True, eq=False)
class Frozen:
    """A finalist, its temperature (1 with a reason where none can be fitted), and its operating point."""

    finalist: Finalist
    temperature: float
    reason: str
    point: operating.OperatingPoint | Inapplicable

    @property
    def threshold(self) -> float:
        """Positive from it upwards; one half where there is no operating point."""
        return UNDECIDED if isinstance(self.point, Inapplicable) else self.point.threshold

    def decision(self) -> dict[str, Any]:
        """What the opening is keyed by: the model as it was declared, its temperature, its threshold (None: there is none)."""
        threshold = None if isinstance(self.point, Inapplicable) else self.point.threshold
        return {"model": self.finalist.declared, "temperature": self.temperature, "threshold": threshold}

    def calibrated(self, seen: Predictions) -> Predictions:
        """The same predictions at its temperature."""
        return _with(seen, calibration.scaled(seen.probabilities[0], self.temperature))

    def known(self, part: str) -> Predictions:
        """What it says of `tuning` or `validation`, calibrated."""
        return self.calibrated(self.finalist.known[part])


def labelled(images: pd.DataFrame, said: np.ndarray) -> Predictions:
    """What was said of an opened part: images with columns image, group, label; said as `Finalist.of_images` returns it."""
    return Predictions(*(images[name].to_numpy() for name in ("image", "group", "label")), np.asarray(said)[None])


def freeze(finalist: Finalist, metric: str, at_least: float) -> Frozen:
    """Temperature and operating point of a finalist from its tuning part alone. metric, at_least: as `operating.choose`."""
    seen = finalist.known["tuning"]
    fitted = calibration.temperature(seen.labels, seen.probabilities[0])
    unknown = isinstance(fitted, Inapplicable)
    used, reason = (1.0, fitted.reason) if unknown else (fitted, "")
    tuned = calibration.scaled(seen.probabilities[0], used)
    return Frozen(finalist, used, reason, operating.choose(seen.labels, tuned, metric, at_least))


def decisions(chosen: str, finalists: Mapping[str, Frozen]) -> dict[str, Any]:
    """Everything that was decided before, plain JSON: which finalist the page speaks of, and how each decides."""
    return {"chosen": chosen, "finalists": {name: each.decision() for name, each in finalists.items()}}


def table(finalists: Mapping[str, Frozen]) -> pd.DataFrame:
    """The frozen finalists for people: a row each."""
    rows = [
        (
            name,
            each.finalist.title,
            each.temperature,
            str(each.point) if not each.reason else f"{each.point} ({each.reason})",
        )
        for name, each in finalists.items()
    ]
    return pd.DataFrame(rows, columns=["finalist", "model", "temperature", "operating point"])


def _with(seen: Predictions, probability: np.ndarray) -> Predictions:
    return Predictions(seen.images, seen.groups, seen.labels, probability[None])
