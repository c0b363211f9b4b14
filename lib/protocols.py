"""Published protocols whose models are trained: every split of all images is a run of its own."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib import cards, config, metrics, pixels, runs, yardstick
from lib.custody import draw
from lib.runs import Run
from lib.training.configuration import Configuration
from lib.training.data import Data
from lib.yardstick import Repeated

RANDOM, BLOCK = "random", "block"


def divided(
    images: pd.DataFrame, card: cards.Card, test_shares: Sequence[float], tuning_share: float, splits: int, seed: int
) -> dict[str, np.ndarray]:
    """The part of every image in every split: name -> (splits, n) str, `train`, `tuning` or `validation`, which is tested.

    images: as `custody.yardstick_labels` gives them. For each share that is tested, first splits of single images at random,
    then of whole groups; named `80/20, random` and `80/20, block`. tuning_share: of the images that are not tested, set aside
    in the same way. Raises UserError for a single split, which has no interval, and where images are too few for a share.
    """
    if splits < 2:
        raise config.UserError(f"SPLITS is {splits}; an interval over splits needs two or more")
    strata = images[draw.strata(card)].astype(str).agg(" ".join, axis=1).to_numpy()
    groups, found = images["group"].to_numpy(), {}
    try:
        for share in test_shares:
            tested = {
                RANDOM: yardstick.random_splits(strata, share, splits, seed),
                BLOCK: yardstick.group_splits(groups, strata, share, splits, seed),
            }
            for kind, held_out in tested.items():
                within = groups if kind == BLOCK else None
                parts = [_parts(split, strata, within, tuning_share, seed + n) for n, split in enumerate(held_out)]
                found[f"{100 * (1 - share):.0f}/{100 * share:.0f}, {kind}"] = np.stack(parts)
    except ValueError as error:
        raise config.UserError(
            f"{len(images)} images cannot be divided with {share:g} tested and {tuning_share:g} of the others set aside: {error}"
        ) from None
    return found


def trained(
    part: np.ndarray, images: pd.DataFrame, configuration: Configuration, card: cards.Card, context: config.Context
) -> Run:
    """The run of one split, trained now when there is none.

    part: (n,) str, of every image. It learns from `train`; the others are measured and decide nothing. Its key follows the
    split. Raises as `runs.on`.
    """
    cache = pixels.cached(context.root / "pixels", card.read, images, configuration.recipe, configuration.image_size)
    parts = {name: runs.part_of(cache, images[part == name]) for name in ("train", "tuning", "validation")}
    return runs.on(Data(**parts, classes=len(card.classes)), configuration, context)


def decided(images: pd.DataFrame, finished: Sequence[Run]) -> Repeated:
    """What the runs, one a split, decided on the images that they were tested on."""
    found = np.full((len(finished), len(images)), -1)
    place = pd.Index(images["image"])
    for row, run in zip(found, finished, strict=True):
        tested = run.predictions[run.predictions["part"] == "validation"]
        row[place.get_indexer(tested["image"])] = metrics.decisions(runs.probabilities(tested))
    return Repeated(images["label"].to_numpy(), images["group"].to_numpy(), found >= 0, found)


def picked(finished: Sequence[Run]) -> np.ndarray:
    """(splits,) accuracy of the epoch that does best on the tested images: what a run gets that chooses by them."""
    tables = [run.history.query("part == 'validation' and epoch > 0") for run in finished]
    return np.array([table["accuracy"].max() for table in tables])


def _parts(
    tested: np.ndarray, strata: np.ndarray, groups: np.ndarray | None, tuning_share: float, seed: int
) -> np.ndarray:
    """(n,) str; groups: that stay whole, None where single images are drawn."""
    part, left = np.where(tested, "validation", "train"), np.flatnonzero(~tested)
    if groups is None:
        aside = yardstick.random_splits(strata[left], tuning_share, 1, seed)[0]
    else:
        aside = yardstick.group_splits(groups[left], strata[left], tuning_share, 1, seed)[0]
    part[left[aside]] = "tuning"
    return part
