"""What training costs: the time of an epoch of finished runs, and a law fitted to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
        return {name: StudentEstimate(value=float(value), standard_error=float(e), **common) for name, value, e in pairs}


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


def runs_timed(finished: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """Time of every run: setting, seconds of training, and of one epoch of its last phase."""
    raise NotImplementedError
