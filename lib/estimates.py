"""What an estimate is: a value with what its interval at any level needs, or the reason why there is none."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

Bounds = tuple[float, float]

UNBOUNDED: Bounds = (-np.inf, np.inf)
USUAL_DECIMALS = 3
FINE = 0.01  # numbers below it need more decimals


@dataclass(frozen=True)
class Inapplicable:
    """What stands in place of an estimate where a question cannot be put to the data set.

    reason: completes "not applicable, ...": one line that says what the data set lacks.
    """

    reason: str
    value = np.nan

    def __str__(self) -> str:
        return f"not applicable: {self.reason}"

    def shifted(self, offset: float) -> "Inapplicable":
        """Itself, as there is no value."""
        return self

    def record(self, level: float = 0.95) -> dict:
        """Entry "estimate" of a recorded hypothesis: the names of `Estimate.record`, without values, and the reason."""
        unknown = dict.fromkeys(("value", "low", "high", "level", "method"))
        return {**unknown, "images": 0, "groups": 0, "seeds": 0, "reason": self.reason}


@dataclass(frozen=True, eq=False)
class Estimate(ABC):
    """A value, and what its interval at any level needs.

    value and limits: in the unit of the statistic. bounds: the least and the greatest value it can take.
    images, groups, seeds: how many it was measured on; 0 for what plays no part. Unknown limits are the bounds.
    """

    value: float
    method: str
    images: int
    groups: int
    seeds: int
    bounds: Bounds

    def __str__(self) -> str:
        low, high = self.interval()
        if not np.isfinite([low, high]).any():
            return f"{self.value:z.{decimals(abs(self.value))}f} (no interval: {self.method})"
        digits = decimals(max(abs(number) for number in (self.value, low, high)))
        return f"{self.value:z.{digits}f} [{low:z.{digits}f}, {high:z.{digits}f}]"

    def half_width(self, level: float = 0.95) -> float:
        """Half the width of the interval: an effect smaller than that could hardly have been told from none."""
        low, high = self.interval(level)
        return (high - low) / 2

    def shifted(self, offset: float) -> "Estimate":
        """The estimate of the value plus a constant, in its unit, such as minus what chance gives."""
        return replace(self, value=self.value + offset, bounds=(self.bounds[0] + offset, self.bounds[1] + offset))

    @abstractmethod
    def _limits(self, alpha: float) -> tuple[float, float]: ...

    @abstractmethod
    def _p_value(self, margin: float) -> float: ...

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Two-sided confidence interval (low, high), within the bounds; level: fraction in (0, 1), else ValueError."""
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; give a fraction between 0 and 1, such as 0.95")
        low, high = np.clip(self._limits(1 - level), *self.bounds)
        return float(low), float(high)

    def p_value(self, margin: float) -> float:
        """Two-sided p value of "the true value is margin": the smallest alpha whose interval excludes it, in [0, 1].

        Raises ValueError when the margin (same unit as value) lies beyond the bounds.
        """
        if not self.bounds[0] <= margin <= self.bounds[1]:
            raise ValueError(f"margin is {margin}, but the statistic lies within {self.bounds}; give it in that unit")
        return float(min(1.0, self._p_value(margin)))

    def record(self, level: float = 0.95) -> dict:
        """Entry "estimate" of a recorded hypothesis, valid JSON: an infinite limit is None. Raises as `interval`."""
        low, high = (limit if np.isfinite(limit) else None for limit in self.interval(level))
        known = {name: getattr(self, name) for name in ("method", "images", "groups", "seeds")}
        return {"value": self.value, "low": low, "high": high, "level": level, **known}


@dataclass(frozen=True, eq=False)
class BootstrapEstimate(Estimate):
    """Percentile interval, expanded for few units (Hesterberg 2015, doi:10.1080/00031305.2015.1089789).

    replicates: (replicates,) float, sorted, NaN last; one without a value counts as lying beyond both limits.
    units: groups, or seeds where they are fewer; the nominal tail becomes that of t with units - 1 degrees of freedom.
    """

    replicates: np.ndarray
    units: int

    def shifted(self, offset: float) -> "BootstrapEstimate":
        """As of any estimate; the replicates move along."""
        return replace(super().shifted(offset), replicates=self.replicates + offset)

    def _limits(self, alpha: float) -> tuple[float, float]:
        count, known = len(self.replicates), int(np.sum(~np.isnan(self.replicates)))
        tail = stats.norm.sf(stats.t.isf(alpha / 2, self.units - 1) * np.sqrt(self.units / (self.units - 1)))
        rank = int(np.floor(tail * (count + 1) + 1e-9)) - (count - known)
        return (self.replicates[rank - 1], self.replicates[known - rank]) if 1 <= rank <= known else UNBOUNDED

    def _p_value(self, margin: float) -> float:
        beyond = min(np.sum(~(self.replicates > margin)), np.sum(~(self.replicates < margin)))
        distance = max(0.0, stats.norm.isf((beyond + 1) / (len(self.replicates) + 1)))
        return 2 * stats.t.sf(distance * np.sqrt(1 - 1 / self.units), self.units - 1)


@dataclass(frozen=True, eq=False)
class StudentEstimate(Estimate):
    """Student t interval on the unbounded scale of `rescale`, mapped back.

    standard_error: on that scale; infinite when unknown. degrees_of_freedom: > 0, not always whole.
    """

    standard_error: float
    degrees_of_freedom: float

    def _limits(self, alpha: float) -> tuple[float, float]:
        if not np.isfinite(self.standard_error):
            return UNBOUNDED
        half_width = stats.t.isf(alpha / 2, self.degrees_of_freedom) * self.standard_error
        low, high = self.bounds
        limits = rescale(self.value, self.bounds) + np.array([-half_width, half_width])
        if np.isfinite(high):
            return low + (high - low) * special.expit(limits)
        return low + np.exp(limits) if np.isfinite(low) else limits

    def _p_value(self, margin: float) -> float:
        distance = abs(rescale(self.value, self.bounds) - rescale(margin, self.bounds))
        if distance == 0 or not np.isfinite(self.standard_error):
            return 1.0
        with np.errstate(over="ignore"):  # an error next to nothing: infinitely many of them lie between
            errors = np.divide(distance, max(self.standard_error, np.finfo(float).tiny))
        return 2 * stats.t.sf(errors, self.degrees_of_freedom)


@dataclass(frozen=True, eq=False)
class BoundaryEstimate(Estimate):
    """Exact interval of a value at one of two finite bounds, where resampling sees no spread.

    Were the true value a share f of the way from the other bound, all `units` independent units would sit at the bound
    with probability f**units at most; the limit is where that is alpha / 2 (Clopper and Pearson 1934).
    """

    units: int

    def _limits(self, alpha: float) -> tuple[float, float]:
        other = self.bounds[0] if self.value == self.bounds[1] else self.bounds[1]
        return tuple(sorted((self.value, other + (alpha / 2) ** (1 / self.units) * (self.value - other))))

    def _p_value(self, margin: float) -> float:
        return 2 * (1 - abs(self.value - margin) / (self.bounds[1] - self.bounds[0])) ** self.units


def decimals(largest: float) -> int:
    """Places after the point: three, or, of numbers below 0.01, as many as show two digits of the largest one, seven at most."""
    return min(7, 1 - math.floor(math.log10(largest))) if 0 < largest < FINE else USUAL_DECIMALS


def rescale(value: np.ndarray | float, bounds: Bounds) -> np.ndarray | float:
    """Log-odds between two finite bounds, logarithm above one, unchanged without: t intervals cover better there.

    value: float of any shape; same shape back, infinite at a bound and NaN beyond it. Source: Pepe 2003, chapter 5.
    """
    low, high = bounds
    with np.errstate(divide="ignore", invalid="ignore"):
        if np.isfinite(high):
            return special.logit((value - low) / (high - low))
        return np.log(value - low) if np.isfinite(low) else value


def slope(value: float, bounds: Bounds) -> float:
    """Derivative of `rescale` at a value strictly within bounds."""
    return 1 / (value - bounds[0]) + 1 / (bounds[1] - value) or 1.0
