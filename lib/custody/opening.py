"""The test part: its pictures for whoever predicts, its labels through one function that enters the ledger first."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lib import atomic, cards, config, custody, ledger, manifest
from lib.custody import openings

REASON_VARIABLE = "BOOK_REASON"  # of `make book REASON=...`
REHEARSAL = "rehearsal: in smoke the test part is carved from development"


@dataclass(frozen=True, eq=False)
class Opened:
    """The test part with its labels.

    images: a row an image, as `custody.images`, label (int, index of the class) and level (float, or missing) filled in.
    entry: of the ledger. again: whether the same opening was there already. ledger: where it stands, for people.
    """

    images: pd.DataFrame
    entry: dict[str, Any]
    again: bool
    ledger: str


def hidden(context: config.Context) -> pd.DataFrame:
    """The test part without labels: rows of `custody.images`; `path` is the name, as `pictures` takes it."""
    table = custody.images(context)
    return table[table["part"] == "test"].assign(path=lambda rows: rows["image"]).reset_index(drop=True)


def pictures(context: config.Context) -> Callable[[str], bytes]:
    """The content of a test image by its name in this book; no label is looked at. Raises UserError as `open_labels`."""
    card, rows = cards.load(context.dataset), hidden(context)
    paths = _listed(context, rows).drop_duplicates("sha256").set_index("sha256")["path"]
    by_name = dict(zip(rows["image"], paths.loc[rows["sha256"]], strict=True))
    return lambda name: card.read(by_name[name])


def open_labels(context: config.Context, decisions: dict[str, Any], reason: str | None = None) -> Opened:
    """The labels of the test part, after the opening has been entered into the ledger.

    The key of an opening is made of the data, a hash of these labels (so that corrected ones are another opening), and the
    decisions; before the entry is written nothing but that hash leaves this module.
    decisions: everything that was frozen before, plain JSON: which models (their keys), temperature, threshold.
    reason: why the part is opened again; None: what `make book REASON=...` says. In `smoke` the part is carved from
    development, its ledger lies in the book's own folder, and no reason is asked for.
    Raises UserError in one line as `openings.enter`, before any label is handed out; and when the images are not those that
    the book was made of, or an image has two labels.
    """
    rows = hidden(context)
    given = os.environ.get(REASON_VARIABLE, "") if reason is None else reason
    facts = {"profile": context.profile, "images": len(rows), "groups": int(rows["group"].nunique())}
    why = given if context.judged else given or REHEARSAL
    data = atomic.value_sha256([custody.data_sha256(context), _sealed(context, rows)])
    entry, again = openings.enter(ledger_path(context), data, decisions, why, facts)
    said = _labels(context, rows)
    found = rows.assign(label=said["label"].to_numpy(int), level=said["level"].to_numpy(float))
    return Opened(found, entry, again, ledger_name(context))


def ledger_path(context: config.Context) -> Path:
    """Where openings are entered: in `custody/`, of a build folder that was named in that, of `smoke` in the book's."""
    if not context.judged:
        return context.root / "custody.jsonl"
    named = config.BUILD_VARIABLE in os.environ
    return (config.build_folder() if named else config.REPOSITORY) / "custody" / f"{context.dataset}.jsonl"


def ledger_name(context: config.Context) -> str:
    """The same for people, without the place on one machine."""
    return f"custody/{context.dataset}.jsonl" if context.judged else "custody.jsonl of this book"


def entries(context: config.Context) -> list[dict[str, Any]]:
    """All openings so far, the first one first. Raises UserError as `openings.read`."""
    return openings.read(ledger_path(context))


def studies_with_labels(context: config.Context) -> list[str]:
    """Declared studies that have been given the labels of all images here, the test part included."""
    folder = config.build_folder() / context.dataset / "studies"
    return sorted({path.parent.name for path in folder.glob("*/*/labels_used.json")})


def _sealed(context: config.Context, rows: pd.DataFrame) -> str:
    """Hash of the labels of all rows, whatever their order."""
    said = _labels(context, rows)[["label", "level"]].astype(float)
    return atomic.value_sha256(sorted(map(list, zip(rows["sha256"], *said.astype(str).T.to_numpy(), strict=True))))


def _labels(context: config.Context, rows: pd.DataFrame) -> pd.DataFrame:
    """Label and level of each row, found by content; of copies with two labels that of the one kept by hand."""
    listed = _listed(context, rows)
    kept = ledger.overrides(context.dataset)
    by_hand = kept.loc[kept["kind"].eq("label_conflict") & kept["decision"].eq("keep"), "image"]
    listed = listed[listed["label"].notna()]
    preferred = listed[listed["path"].isin(by_hand)]
    listed = pd.concat([preferred, listed[~listed["sha256"].isin(preferred["sha256"])]])
    told = listed[["sha256", "label", "level"]].drop_duplicates()
    names = rows.drop_duplicates("sha256").set_index("sha256")["image"]
    if (several := told["sha256"].duplicated()).any():
        raise config.UserError(
            f"test image {names[told.loc[several, 'sha256'].iloc[0]]} has copies with two labels; keep one of them by hand"
        )
    by_content = told.set_index("sha256")
    if missing := names[~names.index.isin(by_content.index)].tolist():
        raise config.UserError(f"test image {missing[0]} has no label any more; put the labels back as they were")
    return by_content.loc[rows["sha256"]]


def _listed(context: config.Context, rows: pd.DataFrame) -> pd.DataFrame:
    """What the data set says of every file with the content of a test image: path, sha256, label, level.

    Raises UserError when the content of one is no longer there.
    """
    card = cards.load(context.dataset)
    listed, _ = card.rows()
    cache = context.root.parent / "described.parquet"
    described = manifest.build(card.read, listed["path"].tolist(), listed["identity"].tolist(), cache)
    listed = listed.assign(sha256=described["sha256"])[["path", "sha256", "label", "level"]]
    if missing := rows.loc[~rows["sha256"].isin(listed["sha256"]), "image"].tolist():
        raise config.UserError(
            f"test image {missing[0]} is not there any more, or has changed, since the data of this book were prepared"
        )
    return listed[listed["sha256"].isin(rows["sha256"])]
