"""How well masks fit, and what they do to the images of a data set; a card without a mask has nothing to show."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from lib import masks
from lib.estimates import Estimate, Inapplicable
from lib.intervals import estimate
from lib.statistics import ratio
from lib.texts import Sentence, sentence

Pictures = dict[str, list[np.ndarray]]
SMALLER, BRIGHTER = "smaller than any phantom's", "brighter around than any phantom's"


def finder(kind: masks.Kind | None, effort: str, weights: str = "") -> masks.Network | None:
    """The network that finds masks of a kind, taught now where there is none; None where a card names no kind.

    weights: path of a local file to take instead. Raises as `masks.get`.
    """
    return masks.get(masks.Settings(of=kind, effort=effort, weights=weights or None)) if kind else None


def on_phantoms(network: masks.Network | None, count: int) -> Pictures:
    """Held-out phantoms with their true and their found masks, (height, width) uint8 each; empty without a network."""
    if network is None:
        return {}
    phantoms, true = masks.held_out(network.settings, count)
    found = [network.find(phantom).mask for phantom in phantoms]
    return {"phantom": list(phantoms), "true mask": _white(true), "found mask": _white(found)}


def fit(network: masks.Network | None) -> Estimate | Inapplicable:
    """Mean intersection over union on the held-out phantoms, in [0, 1]; the interval is over phantoms."""
    if network is None:
        return Inapplicable("the card names nothing to mask")
    return estimate(ratio(network.iou, np.ones(len(network.iou))), np.arange(len(network.iou)), (0.0, 1.0))


def fit_table(network: masks.Network | None) -> pd.DataFrame:
    """Mean, median and least intersection over union, of the found masks and of one mask for all phantoms."""
    if network is None:
        return pd.DataFrame()
    every = pd.DataFrame({"found masks": network.iou, "one mask for all": network.constant_iou})
    return every.agg(["mean", "median", "min"]).T.rename_axis("intersection over union").reset_index()


def on_pictures(network: masks.Network | None, pictures: Sequence[np.ndarray]) -> Pictures:
    """Images of the data set before and after the mask, uint8; empty without a network."""
    return {"before": list(pictures), "after": [network.apply(one) for one in pictures]} if network else {}


def coverage_table(
    network: masks.Network | None, picture: Callable[[str], np.ndarray], paths: Sequence[str]
) -> pd.DataFrame:
    """What masks cover, and how bright it is outside of them: true masks of the held-out phantoms, found ones of images.

    picture: gives (height, width) or (height, width, 3) uint8 of a path. A row each, none without a network. A mask that is
    smaller than every phantom's, or outside of which it is brighter, is suspicious: the network was taught nothing like it.
    """
    if network is None:
        return pd.DataFrame()
    phantoms = [
        (mask.mean(), False, masks.outside_fraction(one, mask))
        for one, mask in zip(*masks.held_out(network.settings), strict=True)
    ]
    found = masks.survey(network, picture, paths)
    known = {"phantoms, true masks": pd.DataFrame(phantoms, columns=list(found.columns[1:])), "these images": found}
    usual = known["phantoms, true masks"]
    return pd.DataFrame.from_dict({name: _summary(seen, usual) for name, seen in known.items()}, orient="index")


def conclusion(table: pd.DataFrame) -> Sentence:
    """What the table of `coverage_table` says of masks on these images."""
    if table.empty:
        return Sentence("The card names nothing to mask.")
    images = table.loc["these images"]
    small, bright = images[SMALLER], images[BRIGHTER]
    return sentence(
        f"Of {images['images']:.0f} masks, {small:.0f} cover less than that of any phantom, around {bright:.0f} it is brighter "
        f"than around any phantom, and {images['refused']:.0f} were refused.",
        "Such masks cut away what phantoms have inside: that they fit phantoms does not mean that they fit these images."
        if small or bright
        else "They could be right; whether they are, only drawn masks of these images would tell.",
    )


def _summary(seen: pd.DataFrame, usual: pd.DataFrame) -> dict[str, float]:
    """One row of the table. seen: columns of `masks.survey`; usual: the same of phantoms with their true masks."""
    share, outside = seen["coverage_fraction"], seen["outside_fraction"]
    return {
        "images": len(seen),
        "refused": int(seen["refused"].sum()),
        SMALLER: int((share < usual["coverage_fraction"].min()).sum()),
        BRIGHTER: int((outside > usual["outside_fraction"].max()).sum()),
        "least covered": share.min(),
        "lower quartile": share.quantile(0.25),
        "median": share.median(),
        "brightness outside, of that inside": outside.median(),
    }


def _white(masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [np.uint8(255 * mask) for mask in masks]
