"""What training costs: the time of an epoch of finished runs, and a law fitted to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lib.estimates import UNBOUNDED, Inapplicable, StudentEstimate
from lib.runs import Run


@dataclass(frozen=True, eq=False)
class Law:
    """A sum of terms that was fitted by least squares: `factors` times the columns of a table.

    factors: (columns,) float. errors: their standard errors; freedom: degrees of freedom, 0 where nothing is left over.
    """

    names: Sequence[str]
    factors: np.ndarray
    errors: np.ndarray
    freedom: int

    def at(self, table: pd.DataFrame) -> np.ndarray:
        """(rows,): its value for a table with the columns that it was fitted on."""
        return table[list(self.names)].to_numpy(float) @ self.factors

    def estimates(self) -> dict[str, StudentEstimate | Inapplicable]:
        """Each factor with its interval."""
        if not self.freedom:
            return dict.fromkeys(self.names, Inapplicable("as many factors as measurements"))
        common = {"method": f"least squares, t on {self.freedom}", "images": 0, "groups": 0, "seeds": 0}
        common |= {"bounds": UNBOUNDED, "degrees_of_freedom": self.freedom}
        pairs = zip(self.names, self.factors, self.errors, strict=True)
        return {
            name: StudentEstimate(value=float(value), standard_error=float(e), **common) for name, value, e in pairs
        }


def law(table: pd.DataFrame, measured: np.ndarray) -> Law:
    """Least squares. table: (n, terms), a column of ones where there is a constant; columns that say nothing new are left out.

    measured: (n,) float.
    """
    kept: list[str] = []
    for name in table:
        if np.linalg.matrix_rank(table[[*kept, name]].to_numpy(float)) > len(kept):
            kept.append(name)
    design, measured = table[kept].to_numpy(float), np.asarray(measured, float)
    factors = np.linalg.lstsq(design, measured, rcond=None)[0]
    freedom = len(design) - len(kept)
    left = ((measured - design @ factors) ** 2).sum() / freedom if freedom else np.nan
    return Law(kept, factors, np.sqrt(left * np.diag(np.linalg.inv(design.T @ design))), freedom)


def phases(finished: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """The log of training (S0.6), a row a setting and phase, seconds as medians over seeds.

    A machine that was busy, or paused, makes single runs many times as long, and a mean with them. epochs: trained, of all
    seeds the most. seconds: of training. stored_seconds: of computing what is frozen once, as `stored_seconds`. an_epoch:
    seconds. blocks, layers, parameters: that learn, of blocks also those that do in part. images: of all parts.
    """
    rows = [
        {"setting": name, "phase": number, **_logged(phase), "stored_seconds": stored, "images": images}
        for name, group in finished.items()
        for run in group
        for images in [sum(run.record["images"].values())]
        for number, (phase, stored) in enumerate(zip(run.record["phases"], stored_seconds(run), strict=True), start=1)
    ]
    how = {"epochs": "max"} | dict.fromkeys(("seconds", "stored_seconds", "an_epoch"), "median")
    how |= dict.fromkeys(("blocks", "layers", "parameters", "images"), "first")
    return pd.DataFrame(rows).groupby(["setting", "phase"], sort=False).agg(how).reset_index()


def seconds(finished: Mapping[str, Sequence[Run]]) -> dict[str, float]:
    """What a run of each setting takes, as `run_seconds`, median over seeds."""
    return {name: float(np.median([run_seconds(run) for run in group])) for name, group in finished.items()}


def stored_seconds(run: Run) -> list[float]:
    """What computing the answers of frozen layers took, seconds, a number a phase: in this run, or in the one that did it.

    0 where nothing is stored, and where an earlier phase of this run asked for the same answers: they are computed once.
    """
    found, cuts = [], set()
    for phase in run.record["phases"]:
        stored = phase["stored"] or {}
        again = stored.get("found", False) and stored["cut"] in cuts
        found.append(0.0 if again else stored.get("seconds", 0.0))
        cuts.add(stored.get("cut"))
    return found


def run_seconds(run: Run) -> float:
    """What a run takes by itself: training, and computing what is frozen once."""
    return sum(phase["seconds"] for phase in run.record["phases"]) + sum(stored_seconds(run))


def _logged(phase: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: phase[name] for name in ("epochs", "seconds")},
        "blocks": len(phase["blocks_unfrozen"]),
        "layers": phase["layers_unfrozen"],
        "parameters": phase["parameters_trained"],
        "an_epoch": phase["seconds"] / phase["epochs"] if phase["epochs"] else np.nan,
    }
