"""What the parts hold, and how far apart the same networks are on two of them."""

from collections.abc import Mapping

import pandas as pd

from lib import splits
from lib.cards import Card
from lib.estimates import Estimate, Inapplicable
from lib.texts import Sentence, sentence

FEW = 8  # values of a property that are counted; one with more has no shares to look at


def shares(card: Card, images: pd.DataFrame) -> pd.DataFrame:
    """What each part holds: images, groups, and which share is of each class and of each value of the card's properties.

    images: as `custody.development`. Of two classes the one that metrics speak of has a column, and of two values the first.
    """
    held = images.groupby("part")["group"].agg(images="size", groups="nunique")
    columns = [held.reindex([part for part in splits.PARTS if part in held.index])]
    classes = dict(enumerate(card.classes))
    told = {"class": images["label"].map(classes)} | {name: images[name].astype(str) for name in card.properties}
    for name, values in told.items():
        share = pd.crosstab(images["part"], values, normalize="index")
        if name == "class" and len(classes) == 2:
            share = share.reindex(columns=[classes[1]], fill_value=0.0)
        if 1 <= share.shape[1] <= FEW:
            columns.append(
                (share.iloc[:, :1] if share.shape[1] == 2 else share).add_prefix(f"{name.replace('_', ' ')}: ")
            )
    return pd.concat(columns, axis=1).rename_axis("part")


def apart(reached: pd.DataFrame, moved: Mapping[str, Estimate | Inapplicable]) -> Sentence:
    """How far the same networks are apart on two parts, beside the largest difference that a change made on the second.

    reached: as `tuned`. moved: of each setting to its parent, as `differences`, in the same unit.
    """
    first, second = reached.columns
    between = (reached[first] - reached[second]).abs().mean()
    changes = [abs(each.value) for each in moved.values() if isinstance(each, Estimate)]
    if pd.isna(between) or not changes:
        return sentence("There are no such settings to compare.")
    more = "more" if between > max(changes) else "no more"
    return sentence(
        f"One and the same setting differs between {first} and {second} by {between:.3f}, mean over these settings; the",
        f"largest difference that a change made on {second} is {max(changes):.3f}. Here two parts differ by {more} than two",
        "settings do: compare settings within a part, never a number of one part with a number of another.",
    )
