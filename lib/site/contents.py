"""Which pages the book has, in order: the chapters by the numbers of their notebooks, and the pages of results."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = ("hypotheses", "catalogue", "references")  # pages after the chapters
REPORT = ("model_card", "datasheet", "claim")  # pages that others ask for, filled from the records


@dataclass(frozen=True)
class Chapter:
    """One chapter: `name` is the notebook's name without ending, `number` its two leading digits, `source` the script."""

    name: str
    number: int | None  # None: a study, which is no part of the book's argument
    title: str
    source: Path

    @property
    def heading(self) -> str:
        """Number and title, as the page and the contents show them."""
        return self.title if self.number is None else f"{self.number}. {self.title}"


def read_chapters(notebooks: Path) -> list[Chapter]:
    """All chapters of a folder of percent scripts `NN_name.py`, in the order of their numbers.

    Raises ValueError when a script has no `# # Title` line.
    """
    sources = sorted(notebooks.glob("[0-9][0-9]_*.py"))
    return [Chapter(source.stem, int(source.stem[:2]), _title(source), source) for source in sources]


def read_studies(notebooks: Path) -> list[Chapter]:
    """All studies of a folder, `study_<name>.py`, as chapters without a number."""
    return [Chapter(source.stem, None, _title(source), source) for source in sorted(notebooks.glob("study_*.py"))]


def table_of_contents(chapters: list[Chapter], studies: list[Chapter] | None = None) -> dict[str, Any]:
    """The book's `_toc.yml` (format of sphinx-external-toc): introduction, chapters, studies that were run, results, report."""
    names = {"Chapters": [page.name for page in chapters], "Studies": [page.name for page in studies or []]}
    captions = names | {"Results": RESULTS, "Report": REPORT}
    trees = [
        {"caption": caption, "entries": [{"file": name} for name in pages]}
        for caption, pages in captions.items()
        if pages or caption == "Chapters"
    ]
    return {"root": "index", "subtrees": trees}


def _title(source: Path) -> str:
    match = re.search(r"^# # (.+)$", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if match is None:
        raise ValueError(f"{source.name} has no title: its first markdown cell must begin with '# # '")
    return match.group(1).strip()
