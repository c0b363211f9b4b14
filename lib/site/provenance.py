"""The foot of every page: where its results come from, drawn from records."""

from collections.abc import Sequence
from html import escape

from lib.site.book import Book
from lib.site.fragments import (
    commit,
    counted,
    definitions,
    device,
    duration,
    flat,
    run_link,
    settings,
    short_hash,
    when,
)

LINKS_IN_SIGHT = 8  # more runs than that are folded


def chapter_foot(book: Book, chapter: str) -> str:
    """Where the results of a chapter come from, drawn from its record."""
    record = book.record(chapter)
    names = {run["key"]: run["name"] for run in book.runs}
    keys = sorted((key for key in book.runs_used(chapter) if key in names), key=names.get)
    entries = {
        "Data": f"{escape(book.dataset)}, {short_hash(record.get('data_hash'))}",
        "Labels": escape(record.get("labels", "")),
        "Profile": "" if "labels" in record else escape(book.profile),
        "Code": commit(record.get("commit")),
        "Executed": f"{when(record.get('started'))}, {duration(record.get('seconds'))}",
        "Device": escape(device(record)),
        "Parameters": settings(flat(record.get("parameters") or {})),
        "Versions": settings(record.get("versions") or {}),
        "Runs": _folded([run_link(key, names[key]) for key in keys]) or "none",
    }
    return _foot(entries)


def page_foot(book: Book, chapters: Sequence[str]) -> str:
    """The same for a page that is drawn from the records of several chapters."""
    records = [book.record(chapter) for chapter in chapters]
    commits = sorted({commit(record.get("commit")) for record in records})
    entries = {
        "Data": f"{escape(book.dataset)}, {short_hash(book.data.get('data_hash'))}",
        "Profile": escape(book.profile),
        "Code": ", ".join(commits),
        "Drawn from": f"the records of {counted(len(chapters), 'executed chapter')}",
        "Executed in": duration(sum(record.get("seconds") or 0 for record in records)) if records else "",
        "Devices": "; ".join(sorted({escape(device(record)) for record in records})),
    }
    return _foot(entries)


def _folded(links: list[str]) -> str:
    text = ", ".join(links)
    if len(links) <= LINKS_IN_SIGHT:
        return text
    return f"<details><summary>{counted(len(links), 'run')}</summary>{text}</details>"


def _foot(entries: dict[str, str]) -> str:
    return f'<footer class="provenance"><p>Where this page comes from</p>{definitions(entries)}</footer>'
