"""Intervals for any weighted statistic: images of a group are alike, and a claim about a method varies by seed too."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from lib.estimates import (
    UNBOUNDED,
    BootstrapEstimate,
    BoundaryEstimate,
    Bounds,
    Estimate,
    Inapplicable,
    StudentEstimate,
    rescale,
    slope,
)

Statistic = Callable[[np.ndarray], np.ndarray]

FEWEST_TO_BOOTSTRAP = 30  # groups, and seeds where there are several
CHUNK_ELEMENTS = 2**20  # weights held at a time: 8 MiB of float64


def _group_index(groups: np.ndarray) -> tuple[np.ndarray, int]:
    index, names = pd.factorize(np.ravel(groups))
    if np.ndim(groups) != 1 or index.min(initial=0) < 0:
        raise ValueError(f"groups has shape {np.shape(groups)} or gaps; give every image one group, (n,)")
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

    def weights(first: int, count: int) -> np.ndarray:
        return (unit != np.arange(first, first + count)[:, None]).astype(float)

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
    scaled = np.where(np.isfinite(scaled), scaled, moved * slope(value, bounds))
    covariance = (units - 1) / units * scaled @ scaled.T
    if seeds == 1:
        return float(np.sqrt(covariance[0, 0])), units - 1
    shared = max(0.0, (covariance.sum() - np.trace(covariance)) / (seeds * (seeds - 1)))
    own = values.var(ddof=1) * slope(value, bounds) ** 2 / seeds
    total, spread = own + shared, own**2 / (seeds - 1) + shared**2 / (units - 1)
    return float(np.sqrt(total)), float(min(total**2 / spread if spread else np.inf, units - 1))


def estimate(
    statistic: Statistic, groups: np.ndarray, bounds: Bounds = UNBOUNDED, replicates: int = 1999, random_seed: int = 7
) -> Estimate | Inapplicable:
    """Value and interval of a statistic of weighted images; what is drawn are groups, and seeds if there are several.

    statistic: takes weights (rows, n) float >= 0, returns (rows,), or (seeds, rows) for a claim about a method, whose
    value is the mean over seeds; NaN where undefined. groups: (n,) ids of any kind. bounds: two finite, (low, inf) or
    UNBOUNDED. At least 30 groups (and seeds, if several): percentile bootstrap of both together (Owen 2007). Else
    jackknife-t, groups - 1 degrees of freedom (Efron and Tibshirani 1993, chapter 11; Cameron, Gelbach, Miller 2008).
    Inapplicable without images, with a single group, where the statistic has no finite value. Raises ValueError for gaps
    in groups.
    """
    index, count = _group_index(groups)
    if count < 2:
        return Inapplicable(
            f"all {len(index)} images are of one group" if count else "there is no image to measure it on"
        )
    values = _evaluate(statistic, len(index), 1, lambda first, rows: np.ones((rows, len(index))))[:, 0]
    value, seeds = float(values.mean()), len(values)
    if not np.isfinite(value):
        return Inapplicable(f"it has no value on the {len(index)} images there are")
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


def difference_between_parts(
    first: Statistic, first_groups: np.ndarray, second: Statistic, second_groups: np.ndarray, most: int = 1999
) -> Estimate | Inapplicable:
    """First minus second, measured on parts of the data that share no group, by the same networks; an unbounded scale.

    first, second: each as `estimate` takes them, of the same seeds. The parts are independent samples of groups: each brings
    its own jackknife variance and degrees of freedom, the seeds bring that of the difference; variances are added, freedom
    is Satterthwaite's (1946). One part may have few groups, the other many. Inapplicable where one has a single group, or
    the difference no finite value; most: random bundles of groups that are left out in turn.
    """
    values, variances, freedoms, counts = [], [], [], []
    for statistic, groups in ((first, first_groups), (second, second_groups)):
        index, count = _group_index(groups)
        if count < 2:
            return Inapplicable(f"all {len(index)} images of a part are of one group")
        value = np.atleast_2d(statistic(np.ones((1, len(index)))))[:, 0]
        left_out = _left_out(statistic, index, count, most, 7)
        values.append(value)
        variances.append(_shared_variance(left_out - value[:, None]))
        freedoms.append(left_out.shape[1] - 1)
        counts.append((len(index), count))
    change = values[0] - values[1]
    if not np.isfinite([*change, *variances]).all():
        return Inapplicable("it has no value without one of the groups")
    if len(change) > 1:
        variances.append(change.var(ddof=1) / len(change))
        freedoms.append(len(change) - 1)
    error, freedom = _added(np.array(variances), np.array(freedoms))
    (first_images, first_count), (second_images, second_count) = counts
    seeds = f" and {len(change)} seeds" if len(change) > 1 else ""
    return StudentEstimate(
        value=float(change.mean()),
        method=f"two samples, jackknife-t over {first_count} and {second_count} groups{seeds}",
        images=first_images + second_images, groups=first_count + second_count, seeds=len(change), bounds=UNBOUNDED,
        standard_error=error, degrees_of_freedom=freedom,
    )  # fmt: skip


def difference_of_means(
    first: Statistic, second: Statistic, groups: np.ndarray, most: int = 1999
) -> Estimate | Inapplicable:
    """First minus second on the same images, each the mean over seeds of its own; an unbounded scale.

    first, second: each as `estimate` takes them, of seeds that need not be the same, nor as many. Groups are shared: the
    jackknife is of the difference of both means. Seeds are not: their spread, pooled over both sides, is counted once a
    side; with one seed on each side two fixed models are compared. Variances are added, freedom is Satterthwaite's (1946).
    Inapplicable with a single group, or where the difference has no finite value; most: as in `difference_between_parts`.
    """
    index, count = _group_index(groups)
    if count < 2:
        return Inapplicable(f"all {len(index)} images are of one group")
    values = [np.atleast_2d(side(np.ones((1, len(index)))))[:, 0] for side in (first, second)]
    left_out = [_left_out(side, index, count, most, 7).mean(axis=0) for side in (first, second)]
    value = float(values[0].mean() - values[1].mean())
    variances, freedoms = [_shared_variance((left_out[0] - left_out[1] - value)[None])], [len(left_out[0]) - 1]
    if not np.isfinite([value, *variances]).all():
        return Inapplicable("it has no value without one of the groups")
    seeds = [len(side) for side in values]
    if spare := sum(seeds) - 2:
        pooled = sum(((side - side.mean()) ** 2).sum() for side in values) / spare
        variances.append(pooled * sum(1 / number for number in seeds))
        freedoms.append(spare)
    error, freedom = _added(np.array(variances), np.array(freedoms))
    return StudentEstimate(
        value=value,
        method=f"jackknife-t over {count} groups, seeds of each side: {seeds[0]} and {seeds[1]}",
        images=len(index), groups=count, seeds=max(seeds), bounds=UNBOUNDED,
        standard_error=error, degrees_of_freedom=freedom,
    )  # fmt: skip


def _shared_variance(moved: np.ndarray) -> float:
    """Jackknife variance through the groups, which all seeds share. moved: (seeds, groups), without a group less the value."""
    seeds, units = moved.shape
    covariance = (units - 1) / units * moved @ moved.T
    if seeds == 1:
        return float(covariance[0, 0])
    return max(0.0, float(covariance.sum() - np.trace(covariance)) / (seeds * (seeds - 1)))


def _added(variances: np.ndarray, freedoms: np.ndarray) -> tuple[float, float]:
    """Standard error and Satterthwaite's degrees of freedom of a sum of independent terms, each (terms,)."""
    total, spread = variances.sum(), (variances**2 / freedoms).sum()
    return float(np.sqrt(total)), float(total**2 / spread if spread else freedoms.sum())


def seed_mean_estimate(
    values: np.ndarray, bounds: Bounds = UNBOUNDED, images: int = 0, groups: int = 0
) -> Estimate | Inapplicable:
    """Mean of independent values, one a seed (losses at initialisation), with the t interval over seeds.

    values: (seeds,) float within bounds, else ValueError. images, groups: what each was measured on, for the record
    only; the interval speaks of other seeds on the same images. Inapplicable with a single seed.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or not values.size or not np.all(np.isfinite(values) & (np.clip(values, *bounds) == values)):
        raise ValueError(f"values has shape {values.shape}, gaps or lies beyond {bounds}; give one value a seed")
    if len(values) == 1:
        return Inapplicable("one seed alone shows no spread between seeds")
    seeds, value = len(values), float(values.mean())
    common = {"value": value, "images": images, "groups": groups, "seeds": seeds, "bounds": bounds}
    if value in bounds and np.isfinite(bounds).all():
        return BoundaryEstimate(method=f"exact at the bound, {seeds} seeds", units=seeds, **common)
    error = np.inf if value in bounds else float(values.std(ddof=1) / np.sqrt(seeds) * slope(value, bounds))
    return StudentEstimate(method=f"t over {seeds} seeds", standard_error=error, degrees_of_freedom=seeds - 1, **common)
