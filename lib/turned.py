"""Images whose decision turns between two settings, such as two sizes (S4.12)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.estimates import Estimate, Inapplicable
from lib.intervals import estimate
from lib.metrics import decisions, of_labels
from lib.runs import Predictions
from lib.statistics import mean_of
from lib.training.data import Part

RIGHT, WRONG = "wrong to right", "right to wrong"
STAYED = {True: "right in both", False: "wrong in both"}


def turns(first: Predictions, second: Predictions) -> pd.DataFrame:
    """What two settings give to the label of each image, on average over seeds, and whether the decision turns.

    first, second: of the same images, in any order. Returns image, group, label, before, after (probabilities in [0, 1]), turn: a
    row an image, those that gain most first.
    """
    given, right = zip(*(_judged(side.aligned(first.images), first.labels) for side in (first, second)), strict=True)
    turn = np.where(right[0] == right[1], np.where(right[0], *STAYED.values()), np.where(right[1], RIGHT, WRONG))
    table = pd.DataFrame(
        {
            "image": first.images,
            "group": first.groups,
            "label": first.labels,
            "before": given[0],
            "after": given[1],
            "turn": turn,
        }
    )
    return table.iloc[np.argsort(table["before"] - table["after"], kind="stable")].reset_index(drop=True)


def counts(turned: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    """Images by true class (rows) and by what becomes of their decision (columns)."""
    kinds = [STAYED[True], RIGHT, WRONG, STAYED[False]]
    table = pd.crosstab(turned["label"], turned["turn"]).reindex(index=range(len(classes)), columns=kinds, fill_value=0)
    return table.set_axis(classes).rename_axis(index="true class", columns=None)


def gained_and_lost(turned: pd.DataFrame) -> str:
    """How many images turn right and how many wrong: a sentence, so that pictures of the first do not stand alone."""
    right, wrong = ((turned["turn"] == turn).sum() for turn in (RIGHT, WRONG))
    return f"{right} images turn from wrong to right, {wrong} from right to wrong: of the first alone pictures are shown below."


def balance(turned: pd.DataFrame) -> Estimate | Inapplicable:
    """Share of the images that turn right minus that of those that turn wrong, over groups: the counts of the table."""
    change = (turned["turn"] == RIGHT).astype(float) - (turned["turn"] == WRONG)
    return estimate(mean_of(change.to_numpy()), turned["group"].to_numpy(), (-1.0, 1.0))


def drawn(
    rows: pd.DataFrame, parts: Mapping[str, Part], classes: Sequence[str]
) -> tuple[dict[str, list[np.ndarray]], list[list[str]]]:
    """Pictures of some rows of `turns`, from each of two parts, and the class of each with what it is given.

    Returns name of the part -> images (height, width[, 3]) uint8, and below each image its lines; nothing of no row.
    """
    pictures, below = {}, []
    for (name, part), column in zip(parts.items() if len(rows) else (), ("before", "after"), strict=False):
        place = pd.Index(part.names).get_indexer(rows["image"])
        pictures[name] = [part.pixels[part.rows[each]].squeeze() for each in place]
        pairs = zip(rows["label"], rows[column], strict=True)
        below.append([f"{classes[label]}<br>{given:.2f}" for label, given in pairs])
    return pictures, below


def _judged(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = probabilities.mean(axis=0)
    return of_labels(mean, labels), decisions(mean) == labels
