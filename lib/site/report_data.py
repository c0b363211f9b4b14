"""What the report pages say of the images: from the data set's card, the record of the data, findings and manifest."""

from html import escape
from typing import Any

import pandas as pd

from lib import cards, config
from lib.site.book import Book
from lib.site.fragments import counted, table
from lib.site.places import Fact, Open, Place

PAGE = "02_clean_and_split.html"
RECORD = "data/data.json"
PARTS = ("train", "tuning", "validation", "test")
OF_CARD = (
    "title", "address", "citation", "licence", "classes", "positive_class", "label_kind", "grouping", "official_parts",
    "selection", "properties", "published_counts", "card_recipe",
)  # fmt: skip
MISSING = ("missing_label", "unknown_label", "missing_file", "unreadable", "empty_file", "truncated", "not_an_image")
COPIES = ("copy_of_bytes", "copy_of_pixels", "near_copy", "repeated_series", "across_parts")
GROUPING = {
    "blocks": "blocks of {size} consecutive rows, because nothing that binds images is published",
    "pattern": "what the pattern {pattern} finds in the name of the file",
    "column": "the column {column}",
    "image": "each image by itself: nothing is known that would bind two of them",
}


def of_data(book: Book, tested: dict[str, Any] | None) -> dict[str, Place]:
    """Places about the data set. tested: the part `test` of the record of the final test, once there is one."""
    return _of_card(book.dataset) | _of_record(book, tested) | _of_findings(book) | _of_manifest(book)


def _of_card(dataset: str) -> dict[str, Place]:
    try:
        card = cards.load(dataset)
    except config.UserError as error:
        return dict.fromkeys(OF_CARD, Open(f"the card of the data set cannot be read here ({error})"))
    source = f"params/datasets/{dataset}.yml" if dataset in config.datasets() else "the folder of the images"
    said = {
        "title": card.title,
        "address": card.address or None,
        "citation": card.citation or None,
        "licence": card.licence,
        "classes": ", ".join(card.classes) or "none, the images have no labels",
        "positive_class": card.positive or "none is singled out",
        "label_kind": _labels(card),
        "grouping": GROUPING[card.group.kind].format(**card.group.model_dump()),
        "official_parts": _official(card),
        "selection": _selection(card),
        "properties": ", ".join(name.replace("_", " ") for name in card.properties) or "none",
        "published_counts": ", ".join(f"{part}: {count:,}" for part, count in card.counts.items()) or None,
        "card_recipe": ", ".join(step.step.replace("_", " ") for step in card.recipe),
    }
    missing = {
        name: Open(f"the card does not say: {name.replace('_', ' ')}") for name, text in said.items() if not text
    }
    pages = {"address": card.address}
    facts = {
        name: Fact(text, f"{source}: {name}", pages.get(name, "index.html")) for name, text in said.items() if text
    }
    return facts | missing


def _labels(card: cards.Card) -> str:
    if not card.graded:
        return f"one class an image, of {counted(len(card.classes), 'class', 'classes')}" if card.labelled else "none"
    named = ", ".join(f"{name} ({level:g})" for level, name in sorted(card.level_names.items()))
    return f"a graded level ({named}), cut in two: {card.classes[1]} where it lies above {card.labels.above:g}"


def _official(card: cards.Card) -> str:
    return "; ".join(f"{name} becomes {', '.join(parts)}" for name, parts in card.official.items()) or "none published"


def _selection(card: cards.Card) -> str:
    chosen = card.selection.model_dump(exclude_defaults=True)
    return "; ".join(f"{name}: {value}" for name, value in chosen.items()) or "all that can be used"


def _of_record(book: Book, tested: dict[str, Any] | None) -> dict[str, Place]:
    names = ("images_total", "groups_total", "images_listed", "parts_table", "steps_table", "data_hash", "let_through")
    if not book.data.get("steps"):
        return dict.fromkeys(names, Open("the images have not been read yet in this build"))
    data, leaks = book.data, book.data.get("let_through") or {}
    leaking = "; ".join(f"{counted(count, 'image')}: {reason}" for reason, count in leaks.items())
    parts = {name: data["parts"][name] for name in PARTS if name in data["parts"]}
    rows = [
        [name, f"{part['images']:,}", f"{part['groups']:,}", _by_class(book, name, tested)]
        for name, part in parts.items()
    ]
    steps = [[escape(step["after"]), f"{step['images']:,}", f"{step['groups']:,}"] for step in data["steps"]]
    by_part = table(("part", "images", "groups", "images of each class"), rows, "report")
    return {
        "images_total": Fact(f"{data['rows']:,}", f"{RECORD}: rows", PAGE),
        "groups_total": Fact(f"{data['groups']:,}", f"{RECORD}: groups", PAGE),
        "images_listed": Fact(f"{data['steps'][0]['images']:,}", f"{RECORD}: steps", PAGE),
        "parts_table": Fact(by_part, f"{RECORD}: parts", PAGE, block=True),
        "steps_table": Fact(
            table(("after", "images", "groups"), steps, "report"), f"{RECORD}: steps", PAGE, block=True
        ),
        "data_hash": Fact(data["data_hash"], f"{RECORD}: data_hash", PAGE),
        "let_through": Fact(leaking or "none", f"{RECORD}: let_through", PAGE),
    }


def _by_class(book: Book, part: str, tested: dict[str, Any] | None) -> str:
    """Images of each class, which of the test part only the final test may know."""
    if part == "test":
        counts = (tested or {}).get("by_class")
        return ", ".join(f"{count:,}" for count in counts) if counts else "not opened"
    labels = _manifest(book, ["part", "label"]).query("part == @part")["label"].dropna()
    return ", ".join(f"{count:,}" for count in labels.value_counts().sort_index()) or "no labels"


def _of_findings(book: Book) -> dict[str, Place]:
    path = book.root / "data" / "ledger.parquet"
    if not path.exists():
        return dict.fromkeys(
            ("findings_table", "missing_handling", "copies_found"), Open("no findings are recorded yet")
        )
    found = pd.read_parquet(path, columns=["kind", "decision"])
    counts = found.groupby(["kind", "decision"], sort=True).size()
    rows = [
        [escape(kind.replace("_", " ")), escape(decision), f"{count:,}"] for (kind, decision), count in counts.items()
    ]
    missing, copies = (found[found["kind"].isin(kinds)]["decision"].value_counts() for kinds in (MISSING, COPIES))
    said = {
        name: ", ".join(f"{count:,} {decision}" for decision, count in each.sort_index().items())
        for name, each in (("missing_handling", missing), ("copies_found", copies))
    }
    shown = table(("kind of finding", "decision", "findings"), rows, "report") if rows else "<p>Nothing was found.</p>"
    source = "data/ledger.parquet"
    return {name: Fact(text or "none found", source, PAGE) for name, text in said.items()} | {
        "findings_table": Fact(shown, source, PAGE, block=True)
    }


def _of_manifest(book: Book) -> dict[str, Place]:
    rows = _manifest(book, ["width", "height", "mode", "format"])
    if rows.empty:
        return {"image_formats": Open("the images have not been described yet in this build")}
    width, height = _range(rows["width"]), _range(rows["height"])
    kinds = ", ".join(f"{name} ({count:,})" for name, count in rows["format"].value_counts().sort_index().items())
    modes = ", ".join(sorted(set(rows["mode"].dropna())))
    text = f"{kinds}; {width} pixels wide, {height} high; {modes}"
    return {"image_formats": Fact(text, "data/manifest.parquet", "01_explore.html")}


def _range(values: pd.Series) -> str:
    least, most = values.min(), values.max()
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _manifest(book: Book, columns: list[str]) -> pd.DataFrame:
    path = book.root / "data" / "manifest.parquet"
    return pd.read_parquet(path, columns=columns) if path.exists() else pd.DataFrame(columns=columns)
