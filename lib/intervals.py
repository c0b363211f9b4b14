"""Intervals for any weighted statistic: images of a group are alike, and a claim about a method varies by seed too."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

Statistic = Callable[[np.ndarray], np.ndarray]
Bounds = tuple[float, float]

UNBOUNDED: Bounds = (-np.inf, np.inf)
FEWEST_TO_BOOTSTRAP = 30  # groups, and seeds where there are several
CHUNK_ELEMENTS = 2**20  # weights held at a time: 8 MiB of float64


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
        return 2 * stats.t.sf(distance / max(self.standard_error, np.finfo(float).tiny), self.degrees_of_freedom)


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


def rescale(value: np.ndarray | float, bounds: Bounds) -> np.ndarray | float:
    """Log-odds between two finite bounds, logarithm above one, unchanged without: t intervals cover better there.

    value: float of any shape; same shape back, infinite at a bound and NaN beyond it. Source: Pepe 2003, chapter 5.
    """
    low, high = bounds
    with np.errstate(divide="ignore", invalid="ignore"):
        if np.isfinite(high):
            return special.logit((value - low) / (high - low))
        return np.log(value - low) if np.isfinite(low) else value


def _slope(value: float, bounds: Bounds) -> float:
    """Derivative of `rescale` at a value strictly within bounds."""
    return 1 / (value - bounds[0]) + 1 / (bounds[1] - value) or 1.0


def _group_index(groups: np.ndarray) -> tuple[np.ndarray, int]:
    index, names = pd.factorize(np.ravel(groups))
    if np.ndim(groups) != 1 or not len(index) or index.min() < 0:
        raise ValueError(f"groups has shape {np.shape(groups)} or gaps; give every image one group, (n,)")
    if len(names) < 2:
        raise ValueError(f"all {len(index)} images are of one group; an interval needs two groups or more")
    return index, len(names)


def _evaluate(statistic: Statistic, images: int, rows: int, weights: Callable[[int, int], np.ndarray]) -> np.ndarray:
    """(seeds, rows): the statistic of the weights(first, count) of a bounded number of rows at a time."""
    step = max(1, CHUNK_ELEMENTS // images)
    spans = [(first, min(step, rows - first)) for first in range(0, rows, step)]
    return np.concatenate([np.atleast_2d(statistic(weights(*span))) for span in spans], axis=1)


def _resampled(statistic: Statistic, index: np.ndarray, groups: int, rows: int, random_seed: int) -> np.ndarray:
    """(rows,) sorted: mean over seeds drawn with replacement, on groups drawn with replacement."""
    group_generator, seed_generator = np.random.default_rng(random_seed).spawn(2)

    def weights(first: int, count: int) -> np.ndarray:
        drawn = group_generator.integers(groups, size=(count, groups)) + groups * np.arange(count)[:, None]
        return np.bincount(drawn.ravel(), minlength=count * groups).reshape(count, groups).astype(float)[:, index]

    values = _evaluate(statistic, len(index), rows, weights)
    share = seed_generator.multinomial(len(values), np.full(len(values), 1 / len(values)), size=rows) / len(values)
    return np.sort(np.einsum("sr,rs->r", values, share))


def _left_out(statistic: Statistic, index: np.ndarray, groups: int, most: int, random_seed: int) -> np.ndarray:
    """(seeds, units): without one group each; without one random bundle of groups where there are more than most."""
    unit = np.random.default_rng(random_seed).permutation(groups)[index] % most if groups > most else index
    weights = lambda first, count: (unit != np.arange(first, first + count)[:, None]).astype(float)  # noqa: E731
    return _evaluate(statistic, len(index), min(groups, most), weights)


def _jackknife_error(values: np.ndarray, left_out: np.ndarray, bounds: Bounds) -> tuple[float, float]:
    """Standard error on the scale of `rescale`, and degrees of freedom, of the mean of values (seeds,).

    One seed: jackknife about the value. Several: MS / seeds + covariance of seeds through shared images (Obuchowski and
    Rockette 1995, seeds as readers), Satterthwaite's degrees of freedom, at most units - 1. MS / seeds + jackknife
    variance of the mean would count twice what seed and images do together.
    """
    (seeds, units), value = left_out.shape, values.mean()
    if value in bounds or np.isnan(left_out).any():
        return np.inf, units - 1
    moved = left_out - values[:, None]
    scaled = rescale(value + moved, bounds) - rescale(value, bounds)
    scaled = np.where(np.isfinite(scaled), scaled, moved * _slope(value, bounds))
    covariance = (units - 1) / units * scaled @ scaled.T
    if seeds == 1:
        return float(np.sqrt(covariance[0, 0])), units - 1
    shared = max(0.0, (covariance.sum() - np.trace(covariance)) / (seeds * (seeds - 1)))
    own = values.var(ddof=1) * _slope(value, bounds) ** 2 / seeds
    total, spread = own + shared, own**2 / (seeds - 1) + shared**2 / (units - 1)
    return float(np.sqrt(total)), float(min(total**2 / spread if spread else np.inf, units - 1))


def estimate(
    statistic: Statistic, groups: np.ndarray, bounds: Bounds = UNBOUNDED, replicates: int = 1999, random_seed: int = 7
) -> Estimate:
    """Value and interval of a statistic of weighted images; what is drawn are groups, and seeds if there are several.

    statistic: takes weights (rows, n) float >= 0, returns (rows,), or (seeds, rows) for a claim about a method, whose
    value is the mean over seeds; NaN where undefined. groups: (n,) ids of any kind. bounds: two finite, (low, inf) or
    UNBOUNDED. At least 30 groups (and seeds, if several): percentile bootstrap of both together (Owen 2007). Else
    jackknife-t, groups - 1 degrees of freedom (Efron and Tibshirani 1993, chapter 11; Cameron, Gelbach, Miller 2008).
    Raises ValueError for one group, gaps in groups, a statistic without a finite value.
    """
    index, count = _group_index(groups)
    values = _evaluate(statistic, len(index), 1, lambda first, rows: np.ones((rows, len(index))))[:, 0]
    value, seeds = float(values.mean()), len(values)
    if not np.isfinite(value):
        raise ValueError(f"the statistic is {value} on all {len(index)} images; give images on which it is defined")
    common = {"value": value, "images": len(index), "groups": count, "seeds": seeds, "bounds": bounds}
    units = f"{count} groups" + (f" and {seeds} seeds" if seeds > 1 else "")
    if value in bounds and np.isfinite(bounds).all():
        return BoundaryEstimate(method=f"exact at the bound, {count} groups", units=count, **common)
    fewest = min(count, seeds) if seeds > 1 else count
    if fewest >= FEWEST_TO_BOOTSTRAP:
        drawn = _resampled(statistic, index, count, replicates, random_seed)
        return BootstrapEstimate(method=f"percentile bootstrap over {units}", replicates=drawn, units=fewest, **common)
    error, freedom = _jackknife_error(values, _left_out(statistic, index, count, replicates, random_seed), bounds)
    method = f"jackknife-t over {units}" + ("" if np.isfinite(error) else ", undefined without one of them")
    return StudentEstimate(method=method, standard_error=error, degrees_of_freedom=freedom, **common)


def seed_mean_estimate(values: np.ndarray, bounds: Bounds = UNBOUNDED, images: int = 0, groups: int = 0) -> Estimate:
    """Mean of independent values, one a seed (losses at initialisation), with the t interval over seeds.

    values: (seeds,) float within bounds, two or more, else ValueError. images, groups: what each was measured on, for
    the record only; the interval speaks of other seeds on the same images.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) < 2 or not np.all(np.isfinite(values) & (np.clip(values, *bounds) == values)):
        raise ValueError(f"values has shape {values.shape}, gaps or lies beyond {bounds}; give two or more, one a seed")
    seeds, value = len(values), float(values.mean())
    common = {"value": value, "images": images, "groups": groups, "seeds": seeds, "bounds": bounds}
    if value in bounds and np.isfinite(bounds).all():
        return BoundaryEstimate(method=f"exact at the bound, {seeds} seeds", units=seeds, **common)
    error = np.inf if value in bounds else float(values.std(ddof=1) / np.sqrt(seeds) * _slope(value, bounds))
    return StudentEstimate(method=f"t over {seeds} seeds", standard_error=error, degrees_of_freedom=seeds - 1, **common)
