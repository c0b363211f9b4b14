"""How well masks fit, and what they do to the images of a data set; a card without a mask has nothing to show."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from lib import masks
from lib.estimates import Estimate, Inapplicable
from lib.intervals import estimate
from lib.statistics import ratio

Pictures = dict[str, list[np.ndarray]]


def finder(kind: masks.Kind | None, effort: str) -> masks.Network | None:
    """The network that finds masks of a kind, taught now where there is none; None where a card names no kind."""
    return masks.get(masks.Settings(of=kind, effort=effort)) if kind else None


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
    """What share of the images their masks cover, and how many masks are refused; one row, none without a network.

    picture: gives (height, width) or (height, width, 3) uint8 of a path.
    """
    if network is None:
        return pd.DataFrame()
    found = masks.survey(network, picture, paths)
    shares = found["coverage_fraction"].quantile([0, 0.25, 0.5, 0.75, 1]).tolist()
    names = ["least", "lower quartile", "median", "upper quartile", "most"]
    return pd.DataFrame(
        [{"images": len(found), "refused": int(found["refused"].sum()), **dict(zip(names, shares, strict=True))}]
    )


def _white(masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [np.uint8(255 * mask) for mask in masks]
