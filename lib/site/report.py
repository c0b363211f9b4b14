"""The report pages: model card, datasheet and CLAIM checklist, filled from the records, with what is open listed as open."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from lib import config
from lib.site.book import Book
from lib.site.contents import REPORT, Chapter
from lib.site.notebook import raw_html
from lib.site.places import Fact, Place, disagreements, filled
from lib.site.provenance import page_foot
from lib.site.report_data import of_data
from lib.site.report_model import final_record, of_model
from lib.site.report_results import of_results
from lib.site.statements import of_people

TEMPLATES = config.REPOSITORY / "book" / "report"
STATUS = "%STATUS%"  # where a template says how far the final test is
NOT_RUN = "The final test has not run yet in this build: what it would say is open on this page."
REHEARSAL = (
    "The final test of this build is a rehearsal: its test part was carved from the images that models are developed on, and "
    "the profile is too small to conclude anything. The numbers below show what the page looks like, not how good the model is."
)


def report_pages(book: Book, finished: Sequence[Chapter], others: Collection[str] = ()) -> dict[str, str]:
    """Text (MyST markdown) of each page by its name.

    finished: chapters that have run. others: names of further pages that a fact may link to.
    Raises SiteError for a place that nothing fills, UserError for a mistake in what people said.
    """
    pages, places = {*others, *(chapter.name for chapter in finished)}, places_of(book)
    foot = raw_html(page_foot(book, [chapter.name for chapter in finished]))
    made = {}
    for name in REPORT:
        template = (TEMPLATES / f"{name}.md").read_text(encoding="utf-8").replace(STATUS, _status(final_record(book)))
        made[name] = f"{filled(template, f'book/report/{name}.md', places, pages)}\n{foot}\n"
    return made


def places_of(book: Book) -> dict[str, Place]:
    """Everything that a report page may say, by the name of its place."""
    final = final_record(book)
    general: dict[str, Place] = {
        "dataset": Fact(book.dataset, "data/data.json: dataset", "index.html"),
        "profile": Fact(book.profile, "data/data.json: profile", "index.html"),
    }
    tested = final.get("parts", {}).get("test")
    return general | of_data(book, tested) | of_model(book, final) | of_results(book, final) | of_people(book.dataset)


def disagreeing(book: Book, site: Path) -> list[str]:
    """What the built pages say otherwise than the records do: one line a place; empty when all agree.

    site: folder of the HTML pages; those that are not there are passed over.
    """
    places = places_of(book)
    paths = [site / f"{name}.html" for name in REPORT if (site / f"{name}.html").exists()]
    return [line for path in paths for line in disagreements(path.read_text(encoding="utf-8"), path.name, places)]


def _status(final: dict[str, Any]) -> str:
    said = NOT_RUN if not final else REHEARSAL if final["rehearsal"] else ""
    return f"```{{note}}\n{said}\n```" if said else ""
