"""The difference of two scores that share no image: what each interval says of its side is put together."""

from dataclasses import dataclass

import numpy as np

from lib.estimates import Estimate, Inapplicable

SMALLEST_ALPHA = 1e-12  # below it p values are not told apart
HALVINGS = 50


@dataclass(frozen=True, eq=False)
class UnpairedEstimate(Estimate):
    """First minus second, measured on images and groups of their own.

    Each limit adds the distances of the two sides' limits from their values in squares, so that a side with few groups, or
    one at its bound, brings in the interval that suits it. Source: Zou and Donner 2008, Statistics in Medicine 27,
    1693-1702 (doi:10.1002/sim.3095), after Newcombe 1998.
    """

    first: Estimate
    second: Estimate

    def _limits(self, alpha: float) -> tuple[float, float]:
        first, second = (side.interval(1 - alpha) for side in (self.first, self.second))
        below = np.hypot(self.first.value - first[0], second[1] - self.second.value)
        above = np.hypot(first[1] - self.first.value, self.second.value - second[0])
        return self.value - below, self.value + above

    def _p_value(self, margin: float) -> float:
        outside, inside = 1.0, SMALLEST_ALPHA
        for _ in range(HALVINGS):  # the interval narrows as alpha grows
            alpha = np.sqrt(outside * inside)
            low, high = self._limits(alpha)
            outside, inside = (outside, alpha) if low <= margin <= high else (alpha, inside)
        return outside


def difference(first: Estimate | Inapplicable, second: Estimate | Inapplicable) -> Estimate | Inapplicable:
    """First minus second with its interval. Inapplicable where one of them is.

    Raises ValueError when they are not of one scale.
    """
    for side in (first, second):
        if isinstance(side, Inapplicable):
            return side
    if first.bounds != second.bounds:
        raise ValueError(
            f"one score lies within {first.bounds}, the other within {second.bounds}; give the same metric"
        )
    low, high = first.bounds
    return UnpairedEstimate(
        value=first.value - second.value,
        method=f"squares added of two intervals: {first.method}; {second.method}",
        images=first.images + second.images,
        groups=first.groups + second.groups,
        seeds=max(first.seeds, second.seeds),
        bounds=(low - high, high - low),
        first=first,
        second=second,
    )
