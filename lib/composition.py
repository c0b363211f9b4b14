"""What parts are made of: the shares of classes, and of the values of a card's properties."""

from collections.abc import Sequence

import pandas as pd

from lib import splits

MOST_KINDS = 12  # a property with more values is left out


def usable(images: pd.DataFrame, properties: Sequence[str]) -> list[str]:
    """The properties that divide the training part into a few kinds: more than one value, a dozen at most."""
    train = images[images["part"] == "train"]
    return [name for name in properties if 1 < train[name].astype(str).nunique() <= MOST_KINDS]


def shares(images: pd.DataFrame, classes: Sequence[str], properties: Sequence[str]) -> pd.DataFrame:
    """What each part is made of, in percent of its images: a row a class and a kind, a column a part.

    images: columns part, label, and properties, as `custody.development`. Properties of a few kinds only.
    """
    kinds = {"class": images["label"].astype(int).map(dict(enumerate(classes)))}
    kinds |= {name.replace("_", " "): images[name].astype(str) for name in usable(images, properties)}
    order = [part for part in splits.PARTS if (images["part"] == part).any()]
    tables = {
        name: (100 * pd.crosstab(kind, images["part"], normalize="columns"))[order].round(2)
        for name, kind in kinds.items()
    }
    return pd.concat(tables, names=["of", "kind"])
