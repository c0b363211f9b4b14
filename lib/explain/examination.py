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
from lib.statistics import mean_of

HALFWAY = 0.5  # between a map that is unrelated and one that is the same
UPPER_HALF = 0.5  # of the layers, from the logits down
CORRELATION: Bounds = (-1.0, 1.0)  # of differences of shares, too
SHARE: Bounds = (0.0, 1.0)
Estimates = dict[str, Estimate | Inapplicable]


def mean(values: np.ndarray, groups: np.ndarray, bounds: Bounds) -> Estimate | Inapplicable:
    """Mean of one number an image, with its interval over groups, and over draws where there are several.

    values: (n,) or (draws, n) float within bounds, nan where an image's map says nothing: such images are left out, and where
    none is left it is Inapplicable. groups: (n,) of any kind.
    """
    known = ~np.isnan(np.atleast_2d(values)).any(axis=0)
    if not known.any():
        return Inapplicable("every map is the same everywhere")
    values, groups = values[..., known], groups[known]
    return estimate(mean_of(values if len(np.atleast_2d(values)) > 1 else np.ravel(values)), groups, bounds)


def means(values: Mapping[str, np.ndarray], groups: np.ndarray, bounds: Bounds) -> Estimates:
    """As `mean`, of each name."""
    return {name: mean(each, groups, bounds) for name, each in values.items()}


def by_share(
    similarity: Mapping[str, np.ndarray], shares: Sequence[float], groups: np.ndarray
) -> dict[str, dict[float, Estimate | Inapplicable]]:
    """Mean similarity by the share of layers that was drawn anew: title of the method -> share -> estimate.

    similarity: method -> (shares, draws, n), as `trials.cascade`. Share 0 is the network as it is, where all are the same.
    """
    return {
        names.title(method): {share: mean(row, groups, CORRELATION) for share, row in zip(shares, rows, strict=True)}
        for method, rows in similarity.items()
    }


def still_alike(ranks: Mapping[str, Mapping[float, Estimate | Inapplicable]]) -> str:
    """Which methods still draw something of the same map once all layers are noise: a sentence. ranks: as `by_share` gives."""
    all_anew = {name: found[1.0] for name, found in ranks.items()}
    told = {name: e for name, e in all_anew.items() if isinstance(e, Estimate) and e.interval()[0] > 0}
    if not told:
        return "Once all layers are noise, no method was shown to draw anything of the same map."
    kept = ", ".join(f"{name} {each}" for name, each in told.items())
    return f"Once all layers are noise, maps are still alike by: {kept}. So much of them comes from the image alone."


def by_pixels(
    walked: Mapping[str, Mapping[str, np.ndarray]], kind: str, shown: Sequence[str], groups: np.ndarray
) -> dict[str, dict[float, Estimate | Inapplicable]]:
    """Mean probability by the share of pixels: title of the method or control -> share -> estimate.

    walked: of one baseline, as `trials.walks`. kind: `insertion` or `deletion`. shown: which methods and controls.
    """
    lines = {name: walked[name][kind].T for name in shown}
    return {
        names.title(name): {round(step / (len(rows) - 1), 2): mean(row, groups, SHARE) for step, row in enumerate(rows)}
        for name, rows in lines.items()
    }


def foremost(scores: Mapping[str, np.ndarray], unit: str) -> str:
    """Which method and which control have the largest mean, of those that know a network and of those that know none: a sentence.

    scores: name of a method or control -> (n,) float. unit: what they measure.
    """
    means = {name: float(np.mean(each)) for name, each in scores.items() if len(each)}
    if not means:
        return ""
    best = [max((name for name in means if (name in names.CONTROLS) == side), key=means.get) for side in (False, True)]
    said = [f"{names.title(name)} ({means[name]:z.3f})" for name in sorted(best, key=means.get, reverse=True)]
    ahead = means[best[0]] > means[best[1]]
    known, other = ("a method", "control") if ahead else ("a control that knows no network", "method")
    return f"The largest mean {unit} has {known}: {said[0]}; the best {other} is {said[1]}."


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
    """How far a method points beyond the centre, its energy beyond the area of the defects and beyond that of the centre, and how
    far it points beyond edges.

    located, groups: of `trials.located`. Inapplicable where no defect was drawn. What chance gives is the same for a method
    and a control, so a difference between them is one of two shares.
    """
    if not located["energy"]:
        return [Inapplicable("no sound image is left to draw a defect into")] * 4
    pointing, energy = (beyond(located[kind], method, "centre", groups, SHARE) for kind in ("pointing", "energy"))
    edges = beyond(located["pointing"], method, "edges", groups, SHARE)
    return [pointing, mean(located["energy"][method], groups, CORRELATION), energy, edges]


def flags(
    randomised: Mapping[str, Estimate | Inapplicable],
    beside: Mapping[str, Mapping[str, Estimate | Inapplicable]],
    shuffled: Mapping[str, Estimate | Inapplicable],
    judged: bool,
) -> dict[str, str]:
    """What each method failed, in words; nothing of one that failed nothing. In a profile that judges nothing: that.

    randomised: method -> rank correlation after the upper half of the layers was drawn anew. beside: name of a control ->
    method -> how far the method is beyond it. shuffled: method -> rank correlation with maps of a network that learned shuffled
    labels.
    """
    if not judged:
        return dict.fromkeys(randomised, "not judged (smoke)")
    found: dict[str, list[str]] = {method: [] for method in randomised}
    for method, each in randomised.items():
        found[method] += _unmoved(each, "") + _unmoved(shuffled.get(method), " with the labels")
        known = {control: e[method] for control, e in beside.items() if isinstance(e.get(method), Estimate)}
        worse = [control for control, e in known.items() if e.interval()[1] < 0]
        unshown = [control for control, e in known.items() if e.interval()[0] <= 0 and control not in worse]
        found[method] += [f"{said} {', '.join(controls)}" for said, controls in
                          (("worse than", worse), ("not shown to beat", unshown)) if controls]  # fmt: skip
    return {method: "; ".join(reasons) for method, reasons in found.items() if reasons}


def _unmoved(correlation: Estimate | Inapplicable | None, by: str) -> list[str]:
    """What a method failed whose maps were to change: in words, one or none. None: it was not tried."""
    if correlation is None or isinstance(correlation, Estimate) and correlation.interval()[1] < HALFWAY:
        return []
    if isinstance(correlation, Inapplicable):
        return [f"not tried{by}: {correlation.reason}"]
    return [("hardly changes" if correlation.interval()[0] > HALFWAY else "not shown to change") + by]


def flagged(flags: Mapping[str, str], methods: Sequence[str], judged: bool) -> str:
    """How many of the methods have a flag: a sentence, which also says how many failed beyond doubt."""
    if not judged:
        return f"{len(flags)} of {len(methods)} methods have a flag, because this profile judges nothing."
    failed = [method for method, reasons in flags.items() if "hardly" in reasons or "worse" in reasons]
    return (
        f"{len(flags)} of {len(methods)} methods have a flag. {len(failed)} of them failed something with the whole interval; of "
        f"the other {len(flags) - len(failed)} it was only not shown that they pass."
    )
