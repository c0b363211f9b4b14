"""What trials say about a method: estimates over groups of images, the rule that is passed or failed, and the flag it earns.

The rule was set before anything was measured. Adebayo et al. 2018 (arXiv:1810.03292) call a method invalid as an explanation
of what was learned where its maps hardly change although the network does, and give no number. Two ends are known: a map
that has nothing to do with the first one has a rank correlation of 0 with it, and an edge detector, which does not look at the
network at all, keeps 1. So a method passes where the correlation, with its interval, lies nearer to the first end than to the
second, after the upper half of the layers was drawn anew: these layers turn what is seen into a class, and what stays when they
are noise is not evidence for a class.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lib.estimates import Bounds, Estimate, Inapplicable
from lib.explain import names
from lib.intervals import estimate
from lib.statistics import ratio

HALFWAY = 0.5  # between a map that is unrelated and one that is the same
UPPER_HALF = 0.5  # of the layers, from the logits down
CORRELATION: Bounds = (-1.0, 1.0)  # of differences of shares, too
Estimates = dict[str, Estimate | Inapplicable]


def mean(values: np.ndarray, groups: np.ndarray, bounds: Bounds) -> Estimate | Inapplicable:
    """Mean of one number an image, with its interval over groups: (n,) float within bounds, (n,) of any kind."""
    return estimate(ratio(values, np.ones(len(values))), groups, bounds)


def means(values: Mapping[str, np.ndarray], groups: np.ndarray, bounds: Bounds) -> Estimates:
    """As `mean`, of each name."""
    return {name: mean(each, groups, bounds) for name, each in values.items()}


def by_share(
    similarity: Mapping[str, np.ndarray], shares: Sequence[float], groups: np.ndarray
) -> dict[str, dict[float, Estimate | Inapplicable]]:
    """Mean similarity by the share of layers that was drawn anew: title of the method -> share -> estimate.

    similarity: method -> (shares, n), as `trials.cascade`. Share 0 is the network as it is, where all are the same.
    """
    return {
        names.title(method): {share: mean(row, groups, CORRELATION) for share, row in zip(shares, rows, strict=True)}
        for method, rows in similarity.items()
    }


def titled_means(
    found: Mapping[str, Mapping[str, np.ndarray]], groups: np.ndarray, bounds: Bounds
) -> dict[str, Estimates]:
    """As `means`, for each kind of score, by the title of the method: kind -> title -> estimate."""
    return {
        kind: {names.title(name): each for name, each in means(values, groups, bounds).items()}
        for kind, values in found.items()
    }


def beyond_controls(
    scores: Mapping[str, np.ndarray], methods: Sequence[str], groups: np.ndarray, bounds: Bounds
) -> dict[str, Estimates]:
    """How far each method is beyond each control, as `beyond`: control -> method -> estimate."""
    return {
        control: {method: beyond(scores, method, control, groups, bounds) for method in methods}
        for control in names.CONTROLS
    }


def beyond(
    scores: Mapping[str, np.ndarray], method: str, control: str, groups: np.ndarray, bounds: Bounds
) -> Estimate | Inapplicable:
    """Mean of a method's score less that of a control, paired by image. bounds: of one score."""
    low, high = bounds
    return mean(scores[method] - scores[control], groups, (low - high, high - low))


def on_defects(
    located: Mapping[str, Mapping[str, np.ndarray]], method: str, groups: np.ndarray
) -> list[Estimate | Inapplicable]:
    """How far a method points beyond the centre, its energy beyond the area of the defects, and beyond that of the centre.

    located, groups: of `trials.located`. Inapplicable where no defect was drawn.
    """
    if not located["energy"]:
        return [Inapplicable("no sound image is left to draw a defect into")] * 3
    pointing, energy = (beyond(located[kind], method, "centre", groups, CORRELATION) for kind in ("pointing", "energy"))
    return [pointing, mean(located["energy"][method], groups, CORRELATION), energy]


def flags(
    randomised: Mapping[str, Estimate | Inapplicable],
    beside: Mapping[str, Mapping[str, Estimate | Inapplicable]],
    judged: bool,
) -> dict[str, str]:
    """What each method failed, in words; nothing of one that failed nothing. In a profile that judges nothing: that.

    randomised: method -> rank correlation after the upper half of the layers was drawn anew. beside: name of a control ->
    method -> how far the method is beyond it.
    """
    if not judged:
        return dict.fromkeys(randomised, "not judged (smoke)")
    found: dict[str, list[str]] = {method: [] for method in randomised}
    for method, each in randomised.items():
        if isinstance(each, Inapplicable):
            found[method].append("not tried: " + each.reason)
        elif each.interval()[1] >= HALFWAY:
            kept = each.interval()[0] > HALFWAY
            found[method].append("hardly changes with the network" if kept else "not shown to change with the network")
    for control, estimates in beside.items():
        for method, each in estimates.items():
            if isinstance(each, Estimate) and each.interval()[0] <= 0:
                worse = "worse than" if each.interval()[1] < 0 else "not shown to beat"
                found[method].append(f"{worse} {names.title(control)}")
    return {method: "; ".join(reasons) for method, reasons in found.items() if reasons}
