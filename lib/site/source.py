"""The folder that Sphinx renders: pages of the chapters, generated pages, configuration."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml

from lib import config
from lib.site.book import TITLE, Book
from lib.site.catalogue import catalogue_page
from lib.site.contents import RESULTS, Chapter, table_of_contents
from lib.site.dataset import data_set
from lib.site.notebook import OutdatedError, SiteError, chapter_page, raw_html
from lib.site.provenance import chapter_foot, page_foot
from lib.site.report import report_pages
from lib.site.verdicts import hypotheses_page

BOOK_FILES = config.REPOSITORY / "book"
CACHE = ".results"  # results of runs, kept between partial builds
FINDINGS = "findings.csv"  # beside the pages; chapters link it
DATA_SET = "%DATA_SET%"  # where the introduction describes the images
NOT_YET = "This chapter has not run yet in this build."
OUTDATED_STUDY = "This study was run with other code; run it again with `make study`."
NEEDS_LABELS = "This chapter needs labels, and the images of this data set have none."
WARNINGS_WHILE_PENDING = ["ref", "myst.xref_missing"]  # figures of chapters that have not run cannot be found


@dataclass(frozen=True)
class Pages:
    """The source folder and which files belong to it; a file is only written when its content changes."""

    folder: Path
    written: set[str]

    def write(self, name: str, text: str) -> None:
        """Write a file of the source folder."""
        self.written.add(name)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")

    def remove_others(self) -> None:
        """Remove files of earlier builds; names with a dot in front are kept."""
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.is_file() and not name.startswith(".") and name not in self.written:
                path.unlink()


def write_source(
    book: Book,
    chapters: Sequence[Chapter],
    folder: Path,
    partial: bool,
    wanted: Sequence[str] | None = None,
    studies: Sequence[Chapter] = (),
) -> list[Chapter]:
    """Bring the source folder up to date; returns the chapters that have run.

    wanted: names of the chapters that the data set allows; None: all. The others get a page that says why they are empty.
    studies: those that have been run for the data set get a page too.
    Raises SiteError when a notebook is hollow or, unless partial, when a chapter is missing or outdated.
    """
    pages = Pages(folder, set())
    allowed = [chapter for chapter in chapters if wanted is None or chapter.name in wanted]
    for chapter in chapters:
        if chapter not in allowed:
            pages.write(f"{chapter.name}.md", f"# {chapter.heading}\n\n{NEEDS_LABELS}\n")
    finished = [chapter for chapter in allowed if _write_chapter(book, chapter, pages, partial)]
    for path in sorted((BOOK_FILES / "_static").iterdir()):
        pages.write(f"_static/{path.name}", path.read_text(encoding="utf-8"))
    pages.write("conf.py", (BOOK_FILES / "conf.py").read_text(encoding="utf-8"))
    run = [study for study in studies if _write_study(book, study, pages)]
    pages.write("_toc.yml", yaml.safe_dump(table_of_contents(list(chapters), run), sort_keys=False))
    pages.write(FINDINGS, book.findings)
    pages.write("site.json", _facts(book, pending=len(finished) < len(chapters)))
    _write_pages(book, finished, pages)
    pages.remove_others()
    return finished


def _write_chapter(book: Book, chapter: Chapter, pages: Pages, partial: bool) -> bool:
    try:
        if not book.record(chapter.name):
            raise OutdatedError(f"{chapter.name} has not been executed in {book.root}; run the chapter first")
        if missing := set(book.runs_used(chapter.name)) - {run["key"] for run in book.runs}:
            raise OutdatedError(
                f"{chapter.name} used the run {min(missing)}, which is missing; delete its folder in chapters/ and build again"
            )
        page = chapter_page(chapter, book.notebook(chapter.name), chapter_foot(book, chapter.name))
    except (OutdatedError, FileNotFoundError) as problem:
        if not partial:
            raise SiteError(str(problem)) from None
        pages.write(f"{chapter.name}.md", f"# {chapter.heading}\n\n{NOT_YET}\n")
        return False
    pages.write(f"{chapter.name}.ipynb", nbformat.writes(page))
    return True


def _write_study(book: Book, study: Chapter, pages: Pages) -> bool:
    """Whether the study has been run; its results are the same in every profile, and the book depends on none."""
    results = Book(book.root.parent / "studies")
    if not results.record(study.name):
        return False
    try:
        page = chapter_page(study, results.notebook(study.name), chapter_foot(results, study.name))
        pages.write(f"{study.name}.ipynb", nbformat.writes(page))
    except (OutdatedError, FileNotFoundError):
        pages.write(f"{study.name}.md", f"# {study.heading}\n\n{OUTDATED_STUDY}\n")
    return True


def _write_pages(book: Book, finished: Sequence[Chapter], pages: Pages) -> None:
    foot = raw_html(page_foot(book, [chapter.name for chapter in finished]))
    introduction = (BOOK_FILES / "intro.md").read_text(encoding="utf-8").replace(DATA_SET, data_set(book))
    references = (BOOK_FILES / "references.md").read_text(encoding="utf-8")
    pages.write("index.md", f"{introduction}\n{foot}\n")
    pages.write("references.md", f"{references}\n{foot}\n")
    pages.write("hypotheses.md", hypotheses_page(book, finished))
    pages.write("catalogue.md", catalogue_page(book, finished, pages.folder / CACHE))
    for name, text in report_pages(book, finished, ["index", *RESULTS]).items():
        pages.write(f"{name}.md", text)


def _facts(book: Book, pending: bool) -> str:
    facts = {"title": TITLE, "banner": book.banner, "suppress_warnings": WARNINGS_WHILE_PENDING if pending else []}
    return json.dumps(facts, indent=1)


def empty(folder: Path) -> None:
    """Make the folder anew, so that nothing of earlier builds can stay."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
