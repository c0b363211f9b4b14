"""Images of another data set with all their labels, for models whose every decision is frozen already."""

from dataclasses import dataclass

import pandas as pd

from lib import cards, config, custody, external, manifest, splits
from lib.custody import draw
from lib.findings import copies


@dataclass(frozen=True)
class Outside:
    """What is left of another data set, and how many images each step left over."""

    card: cards.Card
    table: (
        pd.DataFrame
    )  # columns image, path, sha256, group, level, and label as the book's data set counts its classes
    steps: dict[str, int]


def outside(context: config.Context, name: str) -> Outside:
    """The images of another data set that a model of this book can be judged on.

    Left out are those that cannot be read or have no label, copies of one another, and pictures that stand in the book
    itself, pixel by pixel. In `smoke` they are thinned as the book's are. Raises UserError as `external.card`, and when no
    image is left.
    """
    card, own = external.card(name, context.dataset), cards.load(context.dataset)
    known = set(custody.images(context)["pixels_sha256"])
    with external.images():
        rows, _ = card.rows()
        cache = context.root.parent / "external" / f"{name}.parquet"
        described = manifest.build(card.read, rows["path"].tolist(), rows["identity"].tolist(), cache)
    table = pd.concat([rows.drop(columns=["path", "identity"]), described], axis=1)
    steps = {"listed": len(table)}
    table = table[table["status"].eq("ok") & table["label"].notna() & ~table["outside"]]
    steps["readable, with a label"] = len(table)
    again = copies.exact(draw.strict_first(table, card))["image"]
    table = table[~table["path"].isin(again)]
    steps["each picture once"] = len(table)
    table = table[~table["pixels_sha256"].isin(known)]
    steps["not in the book itself"] = len(table)
    if table.empty:
        raise config.UserError(f"{external.said(name)} has no image that the book does not have; steps: {steps}")
    number = config.profile_settings(context.profile).images
    table = table if number is None else table[splits.thinned(table["group"].tolist(), number)]
    index = {position: own.classes.index(label) for position, label in enumerate(card.classes)}
    table = table.assign(image=table["path"], label=table["label"].map(index).astype(int)).reset_index(drop=True)
    return Outside(card, table[["image", "path", "sha256", "group", "level", "label"]], steps)
