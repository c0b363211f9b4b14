"""Folds of cross-validation: which images are held out together, drawn at random, in stretches, or by group.

Each function returns (n,) int, the fold of each image. What cannot be done with the images there are raises
`Unanswerable`, whose text is the reason in one line.
"""

import numpy as np
from sklearn.model_selection import StratifiedKFold

from lib import config, splits

FEWEST_FOLDS_OF_A_CLASS = 3  # one held out, one to calibrate on, one to learn from


class Unanswerable(ValueError):
    """A question that these data cannot answer; the text says why. The only exception of folds, inflation, properties."""


def random_folds(labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Single images at random, every class spread evenly. Raises Unanswerable when a class has too few images."""
    labels = np.asarray(labels)
    smallest, count = min(zip(*np.unique(labels, return_counts=True), strict=True), key=lambda pair: pair[1])
    if count < folds:
        raise Unanswerable(f"class {smallest} has {count} images for {folds} folds")
    division = StratifiedKFold(folds, shuffle=True, random_state=seed)
    fold = np.empty(len(labels), dtype=int)
    for number, (_, held_out) in enumerate(division.split(labels, labels)):
        fold[held_out] = number
    return checked(fold, labels)


def block_folds(labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Stretches of the data's order, the first of which begins at a random place; the last goes on at the beginning.

    Where a stretch would hold one class only, as in data that are listed class by class, each class is cut by itself.
    Raises Unanswerable when a class has too few images.
    """
    labels = np.asarray(labels)
    start = np.random.default_rng(seed).random()
    fold = _stretches(len(labels), folds, start)
    of_one_class = any(len(np.unique(labels[fold == number])) < 2 for number in range(folds))
    if of_one_class or _folds_by_class(fold, labels).min() < FEWEST_FOLDS_OF_A_CLASS:
        for name in np.unique(labels):
            members = np.flatnonzero(labels == name)
            fold[members] = _stretches(len(members), folds, start)
    return checked(fold, labels)


def group_folds(groups: np.ndarray, labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Whole groups, classes spread as evenly as groups allow (`splits.assign_parts`).

    groups: (n,) of any kind. Raises Unanswerable when there are fewer groups than folds, or a class lies in few groups.
    """
    groups, labels = np.asarray(groups), np.asarray(labels)
    if single(groups):
        return random_folds(labels, folds, seed)
    try:
        parts = splits.assign_parts(groups, labels, seed, dict.fromkeys(range(folds), 1 / folds))
    except config.UserError:
        raise Unanswerable(f"{len(np.unique(groups))} groups for {folds} folds") from None
    return checked(parts.astype(int), labels)


def single(groups: np.ndarray) -> bool:
    """Whether every group is one image."""
    return len(np.unique(groups)) == len(groups)


def checked(fold: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The folds themselves. Raises Unanswerable when there is one class, or a class lies in fewer than three folds."""
    names, count = np.unique(labels), _folds_by_class(fold, labels)
    if len(names) < 2:
        raise Unanswerable(f"the {len(labels)} images are of one class, or without labels")
    if count.min() < FEWEST_FOLDS_OF_A_CLASS:
        raise Unanswerable(f"class {names[count.argmin()]} lies in {count.min()} folds only; three are needed")
    return fold


def _stretches(rows: int, folds: int, start: float) -> np.ndarray:
    """(rows,) int: contiguous, of nearly equal size, moved on by a share of one of them."""
    return ((np.arange(rows) + 0.5) / rows * folds + start).astype(int) % folds


def _folds_by_class(fold: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.array([len(np.unique(fold[labels == name])) for name in np.unique(labels)])
