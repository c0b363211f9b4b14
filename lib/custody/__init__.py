"""Sole owner of the labels: curates and splits first, and hides the labels of the test part from everyone else."""

from pathlib import Path

import pandas as pd

from lib import atomic, cards, config, manifest
from lib.custody import curation, hiding

PRIVATE = ["thumbnail", "outside"]  # columns that nobody needs after the data step


def images(context: config.Context) -> pd.DataFrame:
    """The manifest of a book, made on first use.

    One row an image that is left (columns of `manifest.build`, without the thumbnail), plus image (its name in this book:
    the path, or on test rows a name made from its content), the card's properties, group (str), official, part (`train`,
    `tuning`, `validation`, `test`), row (its distance in rows of the data from the first image of its group), level (the
    graded label) and label (index of the class). On test rows label, level, row and path are missing, groups are numbers.
    Development rows are in the data's order, test rows follow. In `smoke` the rows are a thinned development part with a
    pseudo-test of its own: the real test part is absent.
    """
    return pd.read_parquet(_folder(context) / "manifest.parquet")


def development(context: config.Context) -> pd.DataFrame:
    """The rows whose labels may be seen: train, tuning and validation."""
    table = images(context)
    table = table[table["part"] != "test"].reset_index(drop=True)
    return table.astype({"label": int}) if table["label"].notna().all() else table


def ledger(context: config.Context) -> pd.DataFrame:
    """Every finding with what was decided: kind, image, other, detail, decision, reason, by (`policy` or `hand`).

    hidden (bool): of an image that is linked to the test part, so that image or other is no path.
    """
    return pd.read_parquet(_folder(context) / "ledger.parquet")


def summary(context: config.Context) -> dict:
    """What `data.json` says: rows, groups and parts, images left after each step, leaks that were let through."""
    return atomic.read_json(_folder(context) / "data.json")


def data_sha256(context: config.Context) -> str:
    """Hash of the data a book is made from: images, groups, parts and visible labels."""
    return summary(context)["data_hash"]


def yardstick_labels(context: config.Context) -> pd.DataFrame:
    """All images with their labels, those of the test part included: to repeat a published protocol, never to choose.

    Only a study that is declared in params/studies for this data set may ask; what it was given is written into its
    `labels_used.json`, which its page shows. Returns one row an image that can be read and has a label, in the data's
    order, copies included, because published protocols know nothing of them: image (its path), path, sha256, label,
    level, group, the card's properties. Raises UserError for anyone else.
    """
    declared = config.study_settings(context.chapter)
    if declared.dataset != context.dataset or context.root != config.build_folder() / context.dataset / "studies":
        raise config.UserError(f"study {context.chapter} is declared for {declared.dataset}, in a folder of its own")
    if declared.labels != "all":
        raise config.UserError(f"study {context.chapter} is declared to see the development parts alone")
    card = cards.load(context.dataset)
    rows, _ = card.rows()
    cache = context.root.parent / "described.parquet"
    described = manifest.build(card.read, rows["path"].tolist(), rows["identity"].tolist(), cache)
    rows = rows.assign(image=rows["path"], sha256=described["sha256"])
    rows = rows[described["status"].eq("ok") & rows["label"].notna() & ~rows["outside"]].reset_index(drop=True)
    kept = ["image", "path", "sha256", "label", "level", "group", *card.properties]
    told = rows[["path", "sha256", "label"]].astype(str).to_numpy().tolist()
    used = {"images": len(rows), "sha256": atomic.value_sha256(told), "labels": "of all images, the test part included"}
    atomic.write_json(context.output / "labels_used.json", used)
    return rows[kept].astype({"label": int})


def prepare(dataset: str, profile: str) -> None:
    """Read the card, describe the images, decide, split, hide; write `data/` with manifest, ledger and `data.json`.

    Nothing of an image that was left out is lost: the ledger names it with the reason. Raises UserError as `curate`.
    """
    card, root = cards.load(dataset), config.book_root(dataset, profile)
    with atomic.lock(root / "data.lock"):
        curated = curation.curate(card, root.parent / "described.parquet")
        table, number = curated.table, config.profile_settings(profile).images
        real_test = set(table.loc[table["part"] == "test", "path"])
        if number is not None:
            table = curation.smoke(table, card, number)
        tested = real_test | set(table.loc[table["part"] == "test", "path"])
        left = set(table.loc[table["part"] != "test", "path"])
        secret = hiding.secret_names(curated.everything, tested, left, curated.ledger)
        shown, decided = hiding.visible(table, curated.ledger, secret)
        shown = shown.drop(columns=PRIVATE)
        for name, value in (("manifest", shown), ("ledger", decided)):
            with atomic.replacing(root / "data" / f"{name}.parquet") as temporary:
                value.to_parquet(temporary, index=False)
        atomic.write_json(root / "data" / "data.json", _summary(dataset, profile, shown, decided, curated.steps))


def _folder(context: config.Context) -> Path:
    folder = context.root / "data"
    if not (folder / "data.json").exists():  # written last
        prepare(context.dataset, context.profile)
    return folder


def _summary(dataset: str, profile: str, table: pd.DataFrame, decided: pd.DataFrame, steps: list[dict]) -> dict:
    visible = table[["image", "sha256", "group", "part", *hiding.LABELS]].astype(str)
    counts = table.groupby("part")["group"].agg(images="size", groups="nunique")
    let_through = decided[decided["kind"].eq("across_parts") & decided["decision"].eq("keep")]
    return {
        "dataset": dataset,
        "profile": profile,
        "data_hash": atomic.value_sha256(visible.to_numpy().tolist()),
        "rows": len(table),
        "groups": int(table["group"].nunique()),
        "parts": {
            part: {key: int(value) for key, value in row.items()} for part, row in counts.to_dict("index").items()
        },
        "steps": steps,
        "let_through": let_through["reason"].value_counts().to_dict(),
    }
