"""Intervals for any weighted statistic: images are correlated within groups, and a claim about a method varies by seed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

Statistic = Callable[[np.ndarray], np.ndarray]
Bounds = tuple[float, float]

UNBOUNDED: Bounds = (-np.inf, np.inf)
FEWEST_BOOTSTRAP_GROUPS = 30
REPLICATES = 1999  # (replicates + 1) * 0.05 / 2 is whole, so a 95 % limit is one of the replicates
BOOTSTRAP_SEED = 2007
CHUNK_ELEMENTS = 2**20  # weights held at a time: 8 MiB of float64


@dataclass(frozen=True, eq=False)
class Estimate(ABC):
    """A value with what is needed for its interval at any level.

    value and the limits are in the unit of the statistic; bounds are the least and the greatest value that it can take.
    images, groups and seeds are counts; 0 where the value was not measured on such a thing.
    """

    value: float
    method: str
    images: int
    groups: int
    seeds: int
    bounds: Bounds

    @abstractmethod
    def _limits(self, alpha: float) -> tuple[float, float]: ...

    @abstractmethod
    def _p_value(self, margin: float) -> float: ...

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Two-sided confidence interval (low, high), within the bounds; level is a fraction in (0, 1).

        A side about which nothing is known ends at its bound. Raises ValueError for another level.
        """
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; it must be a fraction between 0 and 1, such as 0.95")
        low, high = self._limits(1 - level)
        return float(np.clip(low, *self.bounds)), float(np.clip(high, *self.bounds))

    def p_value(self, margin: float) -> float:
        """Two-sided p value of "the value is margin": the smallest alpha whose interval leaves the margin out.

        Raises ValueError when the margin is not a value that the statistic can take.
        """
        if not self.bounds[0] <= margin <= self.bounds[1]:
            raise ValueError(f"margin is {margin}; the statistic lies in {self.bounds}: give the margin in its unit")
        return self._p_value(margin)

    def record(self, level: float = 0.95) -> dict:
        """The entry "estimate" of a recorded hypothesis; a limit that is not finite is None, so that it is valid JSON."""
        low, high = (limit if np.isfinite(limit) else None for limit in self.interval(level))
        counts = {"images": self.images, "groups": self.groups, "seeds": self.seeds}
        return {"value": self.value, "low": low, "high": high, "level": level, "method": self.method, **counts}


@dataclass(frozen=True, eq=False)
class BootstrapEstimate(Estimate):
    """Percentile interval: limits are ranks among the replicates (Davison and Hinkley 1997, section 5.2.1).

    replicates: (replicates,) float, sorted, NaN last. A replicate without a value counts as beyond either limit.
    """

    replicates: np.ndarray

    def _limits(self, alpha: float) -> tuple[float, float]:
        known = self.replicates[~np.isnan(self.replicates)]
        rank = int(np.floor(alpha / 2 * (len(self.replicates) + 1) + 1e-9)) - (len(self.replicates) - len(known))
        return (known[rank - 1], known[-rank]) if 1 <= rank <= len(known) else UNBOUNDED

    def _p_value(self, margin: float) -> float:
        beyond = min(np.sum(~(self.replicates > margin)), np.sum(~(self.replicates < margin)))
        return float(min(1.0, 2 * (beyond + 1) / (len(self.replicates) + 1)))


@dataclass(frozen=True, eq=False)
class StudentEstimate(Estimate):
    """Student t interval: value and standard error (same unit), degrees of freedom (may be broken).

    An infinite standard error says that nothing is known: the interval is the bounds.
    """

    standard_error: float
    degrees_of_freedom: float

    def _limits(self, alpha: float) -> tuple[float, float]:
        half_width = stats.t.isf(alpha / 2, self.degrees_of_freedom) * self.standard_error
        return self.value - half_width, self.value + half_width

    def _p_value(self, margin: float) -> float:
        distance = abs(self.value - margin)
        if distance == 0:
            return 1.0
        ratio = distance / self.standard_error if self.standard_error > 0 else np.inf
        return float(2 * stats.t.sf(ratio, self.degrees_of_freedom))
