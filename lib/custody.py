"""Sole owner of the labels: splits first, and hides the labels of the test part from everyone else.

Run as `python -m lib.custody DATASET PROFILE` it is the first step of the build graph.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from lib import atomic, cards, config, manifest, splits

SPLIT_SEED = 20260401
HIDDEN = ("label", "level")  # never present on a test row


def images(context: config.Context) -> pd.DataFrame:
    """The manifest of a book, made on first use.

    One row an image (see `manifest.build`), in the data's order, plus the card's properties, group (str), part (`train`,
    `tuning`, `validation`, `test`), level (the graded label) and label (1 for the positive class). On test rows label
    and level are missing. In `smoke` the rows are a thinned development part with a pseudo-test of its own: the real
    test part is absent.
    """
    folder = context.root / "data"
    if not (folder / "data.json").exists():  # written last
        prepare(context.dataset, context.profile)
    return pd.read_parquet(folder / "manifest.parquet")


def development(context: config.Context) -> pd.DataFrame:
    """The rows whose labels may be seen: train, tuning and validation."""
    table = images(context)
    return table[table["part"] != "test"].astype({"label": int}).reset_index(drop=True)


def data_sha256(context: config.Context) -> str:
    """Hash of the data a book is made from: images, groups, parts and visible labels."""
    images(context)
    return atomic.read_json(context.root / "data" / "data.json")["data_hash"]


def prepare(dataset: str, profile: str) -> None:
    """Read the card, describe the images, split, hide, and write `data/manifest.parquet` and `data/data.json`.

    Images that cannot be read are left out; they are printed and stand in `data.json`, each with its reason. Raises
    UserError when no image can be read, or when there are too few groups.
    """
    card, root = cards.load(dataset), config.book_root(dataset, profile)
    with atomic.lock(root / "data.lock"):
        annotated = _annotated(card)
        readable = annotated["status"] == "ok"
        left_out = annotated[~readable].set_index("path")["reason"].to_dict()
        for path, reason in left_out.items():
            print(f"left out: {path}: {reason}", file=sys.stderr)
        if not readable.any():
            raise config.UserError(f"no image can be read, of {len(annotated)}; the reasons stand above")
        annotated = annotated[readable].reset_index(drop=True)
        table = _hide(_split(annotated, [*card.properties, "level"], config.profile_settings(profile).images))
        with atomic.replacing(root / "data" / "manifest.parquet") as temporary:
            table.to_parquet(temporary, index=False)
        atomic.write_json(root / "data" / "data.json", _summary(dataset, profile, table, left_out))


def _annotated(card: cards.Card) -> pd.DataFrame:
    """The manifest with every label: stays inside this module."""
    rows = card.reader.rows()
    table = manifest.build(card.read, rows["path"].tolist()).drop(columns="thumbnail")
    table.insert(0, "image", [str(Path(path).with_suffix("")) for path in table["path"]])
    table[card.properties] = rows[card.properties].astype(str)
    within = rows[card.group.within] if card.group.within else None
    table["group"] = splits.block_groups(card.group.size, within, len(rows))
    table["level"] = rows["level"].astype(float)
    table["label"] = (rows["level"] > card.positive_above_level).astype("Int8")
    return table


def _split(table: pd.DataFrame, strata: list[str], images: int | None) -> pd.DataFrame:
    """Assign the parts; with a number of images, drop the test part and carve a pseudo-test from the rest."""
    table = table.assign(part=_parts(table, strata))
    if images is None:
        return table
    rest = table[table["part"] != "test"]
    rest = rest[splits.thinned(rest["group"].tolist(), images)].reset_index(drop=True)
    return rest.assign(part=_parts(rest, strata))


def _parts(table: pd.DataFrame, strata: list[str]) -> np.ndarray:
    return splits.assign_parts(
        table["group"].tolist(), list(zip(*(table[name] for name in strata), strict=True)), SPLIT_SEED
    )


def _hide(table: pd.DataFrame) -> pd.DataFrame:
    table = table.copy()
    table.loc[table["part"] == "test", list(HIDDEN)] = pd.NA
    return table


def _summary(dataset: str, profile: str, table: pd.DataFrame, left_out: dict[str, str]) -> dict:
    visible = table[["image", "sha256", "group", "part", *HIDDEN]].astype(str)
    counts = table.groupby("part")["group"].agg(images="size", groups="nunique")
    return {
        "dataset": dataset,
        "profile": profile,
        "data_hash": atomic.value_sha256(visible.to_numpy().tolist()),
        "rows": len(table),
        "left_out": left_out,
        "groups": int(table["group"].nunique()),
        "parts": {
            part: {key: int(value) for key, value in row.items()} for part, row in counts.to_dict("index").items()
        },
    }


def main(arguments: list[str]) -> int:
    """`DATASET PROFILE`; a mistake of the user's is one line."""
    try:
        prepare(*arguments)
    except config.UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
