"""The run catalogue: every training run that the executed chapters used."""

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from lib import cells, grids
from lib.site.book import Book
from lib.site.contents import Chapter
from lib.site.fragments import counted, definitions, device, duration, flat, interval, settings, short_hash, table, when
from lib.site.notebook import raw_html
from lib.site.provenance import page_foot
from lib.site.results import METRICS, run_results
from lib.training.configuration import Configuration

INTRODUCTION = """\
# Run catalogue

Every training run that a chapter of this build used, once each. The results are those of the validation part, with an
interval over groups of images. *Differs in* shows the settings in which a run is not
as most runs on this page are; all of them unfold below each name.
"""
GRID = """\
## The study of transfer learning, cell by cell

Network, initialisation, strategy and number of blocks unfrozen, by the size of the images: how many seeds this build has run,
and of how many, where the source documents' grid has more. Runs on extreme levels, on a share of the training images, on coarse
images or with a rate for each block do not count. *Not run* is a cell of that grid that this profile leaves out, or whose
network is not to be had here; an empty one belongs to neither.
"""
DOCUMENTS = "gpu"  # the profile with the grid of the source documents
HEADER = ("Run", "Differs in", *METRICS.values(), "Parameters trained", "Chapters", "Training")


def catalogue_page(book: Book, chapters: Sequence[Chapter], cache: Path) -> str:
    """Text (MyST markdown) of the page; `cache` is a folder where results of runs are kept between builds."""
    users = {
        record["key"]: [chapter for chapter in chapters if record["key"] in book.runs_used(chapter.name)]
        for record in book.runs
    }
    records = [record for record in book.runs if users[record["key"]]]
    parts = [INTRODUCTION]
    if records:
        usual = usual_settings([record["configuration"] for record in records])
        rows = (_row(book, record, usual, users[record["key"]], cache) for record in records)
        parts += [_summary(records), raw_html(table(HEADER, rows, "catalogue"))]
    else:
        parts.append("No chapter that trains a network has run yet in this build.")
    parts += _grid(book, records)
    parts.append(raw_html(page_foot(book, [chapter.name for chapter in chapters])))
    return "\n\n".join(parts) + "\n"


def _grid(book: Book, records: Sequence[dict[str, Any]]) -> list[str]:
    """Which cells of the study of transfer learning have been run; nothing where no run of it was."""
    chapters = {grids.FAMILIES[name].chapter for name in cells.FAMILIES}
    used = {key for chapter in chapters for key in book.runs_used(chapter)}
    run = [Configuration.model_validate(r["configuration"]) for r in records if r["key"] in used]
    if not run:
        return []
    found = cells.table(cells.wanted(book.dataset, DOCUMENTS), run)
    header = [name.replace("_", " ") for name in found]
    rows = [[escape(str(value)) for value in row] for row in found.itertuples(index=False)]
    return [GRID, raw_html(table(header, rows, "grid"))]


def usual_settings(configurations: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What most configurations that have a setting give to it, the first of equals, by its dotted name, in their order."""
    entries = [flat(each) for each in configurations]
    names = dict.fromkeys(name for entry in entries for name in entry)
    given = {name: [entry[name] for entry in entries if name in entry] for name in names}
    most = {name: Counter(map(repr, values)).most_common(1)[0][0] for name, values in given.items()}
    return {name: next(value for value in values if repr(value) == most[name]) for name, values in given.items()}


def unusual(configuration: dict[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a configuration that are not as usual, by their dotted names."""
    return {name: value for name, value in flat(configuration).items() if value != usual[name]}


def _row(book: Book, record: dict, usual: Mapping[str, Any], users: Sequence[Chapter], cache: Path) -> list[str]:
    configuration, own = flat(record["configuration"]), unusual(record["configuration"], usual)
    results = run_results(book.root / "runs" / record["key"], record, cache)
    links = (f'<a href="{chapter.name}.html" title="{escape(chapter.title)}">{chapter.number}</a>' for chapter in users)
    return [
        _name(record, configuration),
        settings({_leaf(name, list(usual)): value for name, value in own.items()}) or "–",
        *(interval(results.get(name)) for name in METRICS),
        f"{record['parameters_trained']:,}<br><small>of {record['parameters_total']:,}</small>",
        ", ".join(links),
        f"{duration(record['training_seconds'])}<br><small>{when(record['started'])}<br>{escape(device(record))}</small>",
    ]


def _leaf(name: str, names: Sequence[str]) -> str:
    leaf = name.rpartition(".")[2]
    return leaf if sum(other.rpartition(".")[2] == leaf for other in names) == 1 else name


def _name(record: dict[str, Any], configuration: dict[str, Any]) -> str:
    details = {name: escape(str(value)) for name, value in configuration.items()}
    details["layers unfrozen"] = str(record.get("layers_unfrozen", "–"))
    details |= {name: escape(str(value)) for name, value in (record.get("versions") or {}).items()}
    return (
        f'<span id="run-{escape(record["key"])}" class="run-name">{escape(record["name"])}</span>'
        f"<details><summary>{short_hash(record['key'])}</summary>{definitions(details)}</details>"
    )


def _summary(records: Sequence[dict[str, Any]]) -> str:
    total = duration(sum(record["training_seconds"] for record in records))
    return f"{counted(len(records), 'run')}, {total} of training together."
