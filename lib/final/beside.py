"""What the number of the chosen finalist is read beside: images that need no looking at, pairs of one kind, other parts."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib import brightness, composition, config, custody
from lib.estimates import Estimate, Inapplicable
from lib.final.scoring import CONSTANT
from lib.final.slices import Slice
from lib.metrics import by_seed, difference_estimate
from lib.runs import Predictions
from lib.scores import METRICS


def names(context: config.Context, properties: Sequence[str]) -> str:
    """What is known of an image without looking at what it shows, for people."""
    usable = composition.usable(custody.development(context), properties)
    return " and ".join(["brightness", *(name.replace("_", " ") for name in usable)])


def unseen(context: config.Context, images: pd.DataFrame, properties: Sequence[str], classes: int) -> np.ndarray:
    """What a logistic regression on brightness and properties, fitted on the training part, says of any images.

    images: rows of `custody.images`, labels are not looked at. properties: of the card. Nothing is chosen for it. Returns
    (n,) of class 1, or (n, classes).
    """
    development = custody.development(context)
    return brightness.said(development, images, composition.usable(development, properties), classes)[0]


def crosses(label: np.ndarray, alone: np.ndarray) -> dict[str, float]:
    """The metrics that need no threshold, of what is said without looking at what an image shows. alone: as `unseen`."""
    fitting = [name for name, each in METRICS.items() if not each.decides and (alone.ndim == 1 or each.many_classes)]
    found = {name: float(by_seed(name, label, alone[None])[0]) for name in fitting}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def gained(seen: Predictions, alone: np.ndarray) -> Estimate | Inapplicable:
    """AUC of a finalist less that of what is said without looking, paired by image, with its interval."""
    return difference_estimate("auc", seen.labels, seen.probabilities, alone[None], seen.groups)


def told(seen: Predictions, alone: np.ndarray, known: str) -> str:
    """The same as a sentence. known: of `names`."""
    first, second = (float(by_seed("auc", seen.labels, each)[0]) for each in (seen.probabilities, alone[None]))
    if not np.isfinite([first, second]).all():
        return f"How far {known} alone would go cannot be said: a class has no image."
    return (
        f"By {known} alone, which needs no look at what an image shows, a logistic regression that was fitted on the training "
        f"part reaches an AUC of {second:.3f}; the finalist's is {first:.3f}, a difference of {gained(seen, alone)}."
    )


def within_kinds(sliced: Sequence[Slice], everything: float) -> str:
    """How much of an AUC is order within kinds, and how much between them, as a sentence; two classes only.

    everything: the AUC on all images. Of a question the AUC of its pairs: each slice weighted by its pairs of a positive and a
    negative image.
    """
    said = []
    for by in dict.fromkeys(each.by for each in sliced):
        members = [each for each in sliced if each.by == by and len(each.counts) == 2 and min(each.counts)]
        known = [(_in_order(each), each.counts[0] * each.counts[1]) for each in members if _in_order(each) is not None]
        if pairs := sum(number for _, number in known):
            inside = sum(share * number for share, number in known) / pairs
            said.append(f"{inside:.3f} of those of one kind of {by}")
    if not said:
        return "Pairs within kinds are counted for two classes, where a slice has images of both."
    return (
        f"Of all pairs of a positive and a negative image {everything:.3f} are in order; {', '.join(said)}. What a kind lacks "
        "to all pairs is order between kinds, which needs no look at a single image."
    )


def _in_order(one: Slice) -> float | None:
    """Share of the pairs of a slice that are in order; equal scores count half. None where it is not known."""
    if isinstance(one.value, Estimate):
        return one.value.value
    return 0.5 if one.value.reason == CONSTANT else None


def parts(
    context: config.Context, opened: pd.DataFrame, classes: Sequence[str], properties: Sequence[str]
) -> pd.DataFrame:
    """`composition.shares` of the four parts. opened: the test part with its labels."""
    rows = pd.concat([custody.development(context), opened.assign(part="test")], ignore_index=True)
    return composition.shares(rows, classes, properties)


def apart(shares: pd.DataFrame) -> str:
    """Which row of `parts` differs most between two parts, as a sentence."""
    spread = shares.max(axis=1) - shares.min(axis=1)
    (of, kind), row = spread.idxmax(), shares.loc[spread.idxmax()]
    return (
        f"Parts are groups as they came, and differ: of {of} {kind} it is {row.min():.1f} % of {row.idxmin()} and "
        f"{row.max():.1f} % of {row.idxmax()}. So may their numbers, whatever the model."
    )


def record(sentences: Mapping[str, str], shares: pd.DataFrame) -> dict[str, object]:
    """For the report pages: sentences by name, and the shares, plain JSON."""
    flat = [{"of": of, "kind": kind, **row} for (of, kind), row in shares.to_dict("index").items()]
    return {"sentences": dict(sentences), "shares": flat}
