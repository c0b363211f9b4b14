"""Which images take part, and parts that keep groups whole."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib import atomic, config
from lib.cards import Selection

PARTS = {"train": 0.55, "tuning": 0.10, "validation": 0.15, "test": 0.20}
TRIALS = 2000
TRIALS_TIMES_GROUPS = 400_000  # thousands of groups come out even by themselves
ABSENT = 2  # a stratum that a part lacks is worse than one that rests on a single group
MOST_STRATA = 24  # a property with more values than that is no stratum


def turns(table: pd.DataFrame, seed: int) -> pd.Series:
    """The turn of each image when some are to be selected: (n,) int, all different, the lowest first.

    table: columns label, part and pixels_sha256. Within each class the parts take turns, in proportion to their sizes;
    within a part a seeded hash of the content decides. So the first images of a class have all parts in their shares.
    """
    lot = table["pixels_sha256"].map(lambda content: atomic.sha256(f"{seed} {content}".encode()))
    within = lot.groupby([table["label"], table["part"]], dropna=False)
    key = (within.rank(method="first") - 0.5) / within.transform("size")
    in_order = table.assign(key=key, lot=lot).sort_values(["key", "lot"], kind="stable").index
    return pd.Series(np.arange(len(table)), in_order).reindex(table.index)


def select(table: pd.DataFrame, selection: Selection, classes: list[str]) -> pd.DataFrame:
    """The rows that the book is about.

    table: columns label (index of the class), level and turn. Levels first, then the forced ratio, then the balanced
    subset, each without replacement and the lowest turns first: one image less brings in one other at most. Raises
    UserError when there are too few images for what is asked.
    """
    if selection.levels is not None:
        table = table[[bool(np.isclose(selection.levels, level).any()) for level in table["level"]]]
    if selection.ratio:
        of, to = (classes.index(name) for name in (selection.ratio.of, selection.ratio.to))
        wanted = round(selection.ratio.ratio * int((table["label"] == to).sum()))
        table = _first(table, {of: wanted}, classes)
    if selection.balanced:
        each = selection.balanced // len(classes)
        table = _first(table, {index: each for index in range(len(classes))}, classes)
    return table


def assign(table: pd.DataFrame, strata: list[str], official: dict[str, list[str]], seed: int) -> pd.Series:
    """The part of each row (n,) str: groups stay whole, strata come out even, published parts keep their use.

    table: columns group, official and the strata. official: published part -> the parts that its images are divided over;
    empty: all images are divided over all parts. Raises UserError when there are too few groups.
    """
    part = pd.Series("", index=table.index)
    wholes = {tuple(parts): [name for name in official if official[name] == parts] for parts in official.values()}
    for parts, names in (wholes or {tuple(PARTS): None}).items():
        rows = table if names is None else table[table["official"].isin(names)]
        if len(rows):
            total = sum(PARTS[name] for name in parts)
            fractions = {name: PARTS[name] / total for name in PARTS if name in parts}
            usable = [name for name in strata if rows[name].nunique() <= MOST_STRATA]
            kinds = list(rows[usable].astype(str).itertuples(index=False, name=None))
            part[rows.index] = assign_parts(rows["group"].tolist(), kinds, seed, fractions)
    return part


def assign_parts(groups: Sequence[str], strata: Sequence, seed: int, fractions: dict[str, float] = PARTS) -> np.ndarray:
    """Give every group to one part, so that sizes and strata come out as even as groups allow.

    groups, strata: (n,) the group and the stratum (label, level, kind) of each image. fractions: part -> share, sum 1.
    Of 2,000 seeded random orders of the groups (fewer where there are very many), each cut at the fractions, the one is
    taken whose shares of every stratum deviate least, and where no stratum of a part rests on few groups. Returns (n,) str.
    Every part gets a group, however unequal they are. Raises UserError when there are fewer groups than parts.
    """
    names, group_index = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < len(fractions):
        raise config.UserError(
            f"{len(names)} groups for {len(fractions)} parts; every part needs a group of its own: give images of more groups, "
            "where an image that belongs to none is one by itself"
        )
    strata_index = pd.factorize(pd.Series(list(strata)))[0]
    counts = np.zeros((len(names), strata_index.max() + 1))
    np.add.at(counts, (group_index, strata_index), 1)
    wanted = np.array(list(fractions.values()))
    generator = np.random.default_rng(seed)
    best, lowest = None, np.inf
    for _ in range(max(20, min(TRIALS, TRIALS_TIMES_GROUPS // len(names)))):
        part = _cut(counts.sum(axis=1), generator.permutation(len(names)), wanted)
        if (found := _unevenness(counts, part, wanted)) < lowest:
            best, lowest = part, found
    return np.array(list(fractions))[best[group_index]]


def thinned(groups: Sequence[str], images: int) -> np.ndarray:
    """Choose about `images` rows, evenly spaced over the data, so that every group keeps its share.

    Returns (n,) bool.
    """
    rows = len(groups)
    keep = np.zeros(rows, dtype=bool)
    keep[np.linspace(0, rows - 1, min(images, rows)).round().astype(int)] = True
    return keep


def _first(table: pd.DataFrame, wanted: dict[int, int], classes: list[str]) -> pd.DataFrame:
    """All rows of the classes that are not named, and so many of those that are, in the table's order."""
    keep = ~table["label"].isin(list(wanted))
    for index, count in wanted.items():
        members = table.loc[table["label"] == index, "turn"]
        if len(members) < count or not count:
            raise config.UserError(
                f"the card's selection asks for {count:,} images of class {classes[index]!r}, there are {len(members):,}"
            )
        keep[members.nsmallest(count).index] = True
    return table[keep]


def _unevenness(counts: np.ndarray, part: np.ndarray, wanted: np.ndarray) -> float:
    """How unequal parts are, and how few groups carry them: means over parts and strata.

    counts: (groups, strata) images. The first term is the absolute deviation of a share from the one that is wanted, the
    second the inverse of the number of groups that count (Kish's effective size): an interval over groups is as wide as
    that is small, however many images there are.
    """
    member = (part == np.arange(len(wanted))[:, None]).astype(float)
    images, squares = member @ counts, member @ counts**2
    deviation = np.abs(images / counts.sum(axis=0) - wanted[:, None])
    concentration = squares / np.maximum(images, 1) ** 2
    return float((deviation + np.where(images > 0, concentration, ABSENT)).mean())


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
