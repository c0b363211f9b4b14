"""Groups of images that belong together, and parts that keep groups whole."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib import config

PARTS = {"train": 0.55, "tuning": 0.10, "validation": 0.15, "test": 0.20}
TRIALS = 2000


def block_groups(size: int, within: Sequence[str] | None, rows: int) -> np.ndarray:
    """Group contiguous rows into blocks of nearly `size`.

    within: (rows,) a property; each run of equal values is cut by itself, into equal blocks. None: one run.
    Returns (rows,) str, names that sort in the order of the data.
    """
    property_values = pd.Series(within if within is not None else [""] * rows)
    run = (property_values != property_values.shift()).cumsum().to_numpy()
    names = np.empty(rows, dtype=object)
    first = 0
    for number in np.unique(run):
        members = np.flatnonzero(run == number)
        for block in np.array_split(members, max(1, round(len(members) / size))):
            names[block] = f"block{first:03d}"
            first += 1
    return names


def assign_parts(
    groups: Sequence[str], strata: Sequence, seed: int, fractions: dict[str, float] = PARTS, trials: int = TRIALS
) -> np.ndarray:
    """Give every group to one part, so that sizes and strata come out as even as groups allow.

    groups, strata: (n,) the group and the stratum (label, level, kind) of each image. fractions: part -> share, sum 1.
    Of `trials` seeded random orders of the groups, each cut at the fractions, the one whose shares of every stratum deviate
    least (mean absolute deviation) is taken. Returns (n,) str.
    Every part gets a group, however unequal they are. Raises UserError when there are fewer groups than parts.
    """
    names, group_index = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < len(fractions):
        raise config.UserError(f"{len(names)} groups for {len(fractions)} parts; every part needs a group of its own")
    strata_index = pd.factorize(pd.Series(list(strata)))[0]
    counts = np.zeros((len(names), strata_index.max() + 1))
    np.add.at(counts, (group_index, strata_index), 1)
    wanted = np.array(list(fractions.values()))
    generator = np.random.default_rng(seed)
    best, best_deviation = None, np.inf
    for _ in range(trials):
        part = _cut(counts.sum(axis=1), generator.permutation(len(names)), wanted)
        shares = np.stack([counts[part == k].sum(axis=0) for k in range(len(wanted))]) / counts.sum(axis=0)
        deviation = np.abs(shares - wanted[:, None]).mean()
        if deviation < best_deviation:
            best, best_deviation = part, deviation
    return np.array(list(fractions))[best[group_index]]


def thinned(groups: Sequence[str], images: int) -> np.ndarray:
    """Choose about `images` rows, evenly spaced over the data, so that every group keeps its share.

    Returns (n,) bool.
    """
    rows = len(groups)
    keep = np.zeros(rows, dtype=bool)
    keep[np.linspace(0, rows - 1, min(images, rows)).round().astype(int)] = True
    return keep


def _cut(sizes: np.ndarray, order: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Part of each group when the groups, in `order`, fill the parts one after the other; every part gets one or more."""
    middle = np.cumsum(sizes[order]) - sizes[order] / 2
    place = np.arange(len(sizes))
    filled = np.searchsorted(np.cumsum(fractions)[:-1] * sizes.sum(), middle)
    filled = np.maximum(filled, place - len(sizes) + len(fractions))  # leaves a group for each of the last parts
    filled[0] = 0
    part = np.empty(len(sizes), dtype=int)
    part[order] = np.minimum.accumulate(filled - place) + place  # skips no part
    return part
