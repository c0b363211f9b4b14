"""Finalists against each other on the same images: paired, by group, adjusted together; and how many images it would take."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from lib.estimates import Estimate, Inapplicable
from lib.final import delong
from lib.final.scoring import CONSTANT, constant
from lib.hypotheses import ALPHA, holm_levels
from lib.metrics import difference_estimate

POWER = 0.8  # chance to see a difference that is there


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two finalists: difference of AUC, first less second. level: of its interval among all (Holm); None where there is none."""

    first: str
    second: str
    difference: Estimate | Inapplicable
    p_value: float | None
    p_adjusted: float | None
    level: float | None

    @property
    def name(self) -> str:
        """Both names, the first one first."""
        return f"{self.first} less {self.second}"


def pairwise(label: np.ndarray, probabilities: Mapping[str, np.ndarray], groups: np.ndarray) -> list[Comparison]:
    """Every pair of finalists, in the order of the mapping.

    label, groups: (n,). probabilities: finalist -> (n,) of class 1 or (n, classes). Where every image is a group of its own
    and there are two classes the interval is DeLong's, else that of `intervals.estimate` over groups; where one of two gives
    all images the same score there is none.
    """
    pairs = list(combinations(probabilities, 2))
    found = {pair: _difference(label, *(probabilities[name] for name in pair), groups) for pair in pairs}
    raw = {pair: each.p_value(0) for pair, each in found.items() if isinstance(each, Estimate)}
    adjusted, levels = holm(raw), holm_levels(raw)
    return [Comparison(*pair, found[pair], raw.get(pair), adjusted.get(pair), levels.get(pair)) for pair in pairs]


def _difference(
    label: np.ndarray, first: np.ndarray, second: np.ndarray, groups: np.ndarray
) -> Estimate | Inapplicable:
    if constant(first) or constant(second):
        return Inapplicable(CONSTANT)
    alone = len(np.unique(groups)) == len(groups)
    if not alone or np.ndim(first) > 1:
        return difference_estimate("auc", label, first[None], second[None], groups)
    found = delong.areas(label, np.stack([first, second]))
    return found if isinstance(found, Inapplicable) else found.difference(0, 1)


def holm(p_values: Mapping) -> dict:
    """Holm's adjusted p values, by the same keys: below alpha exactly where the step-down procedure rejects."""
    order = sorted(p_values, key=p_values.get)
    adjusted, reached = {}, 0.0
    for step, key in enumerate(order):
        reached = min(1.0, max(reached, (len(order) - step) * p_values[key]))
        adjusted[key] = reached
    return adjusted


def between(found: list[Comparison], first: str, second: str) -> Estimate | Inapplicable:
    """The difference of two finalists, the first less the second, of comparisons made in that order. Raises KeyError."""
    return {each.name: each.difference for each in found}[f"{first} less {second}"]


def table(found: list[Comparison]) -> pd.DataFrame:
    """The comparisons for people: a row a pair."""
    rows = [
        (each.name, str(each.difference), getattr(each.difference, "method", ""), each.p_adjusted, needed(each)[1])
        for each in found
    ]
    return pd.DataFrame(rows, columns=["AUC", "difference", "method", "p, adjusted", "images needed"])


def needed(each: Comparison, alpha: float = ALPHA, power: float = POWER) -> tuple[int | None, str]:
    """How many images of as many groups each would tell the two apart, were the measured difference the true one.

    Returns the number and a sentence. The variance is that of the interval and falls with the number of groups, which are as
    large as here: n (z_alpha/2 + z_power)^2 (error / difference)^2. None, with the reason, where there is no difference or
    no error. Source: Chow, Shao and Wang 2008, "Sample size calculations in clinical research", chapter 3.
    """
    if isinstance(each.difference, Inapplicable):
        return None, str(each.difference)
    half = each.difference.half_width()
    if not np.isfinite(half) or half == 0 or each.difference.value == 0:
        return None, "no number of images: no difference was measured, or its error is not known"
    freedom = getattr(each.difference, "degrees_of_freedom", np.inf)
    error = half / stats.t.isf(0.025, freedom)
    factor = ((stats.norm.isf(alpha / 2) + stats.norm.isf(1 - power)) * error / each.difference.value) ** 2
    images = int(np.ceil(factor * each.difference.images))
    groups = int(np.ceil(factor * each.difference.groups))
    if images <= each.difference.images:
        return images, f"{images:,} in {groups:,} groups, fewer than there are"
    return images, f"{images:,} in {groups:,} groups, for a chance of {100 * power:g} % to see it"
