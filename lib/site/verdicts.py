"""The page of all hypotheses and verdicts."""

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

from lib.site.book import Book
from lib.site.contents import Chapter
from lib.site.fragments import counted, interval, table, verdict_badge
from lib.site.notebook import raw_html
from lib.site.provenance import page_foot
from lib.site.report_model import final_record

HEADER = ("", "Verdict", "Hypothesis", "Claim", "Measured", "Based on")
VERDICTS = ("confirmed", "refuted", "undecided")
NOT_APPLICABLE = "not applicable"
INTRODUCTION = """\
# Hypotheses and verdicts

Each hypothesis was declared in its chapter before anything was measured. The verdict comes from the interval: *confirmed*
when the whole interval lies inside the claim, *refuted* when it lies outside, *undecided* when it crosses the margin.
One that cannot be put to this data set is *not applicable*, and says why.
"""
OPENED_AGAIN = """\
The labels of the test part were opened {count} times. Chapters may have been changed in between, so claims about that part
may have been declared when the result of an earlier opening could be known.
"""


def hypotheses_page(book: Book, chapters: Sequence[Chapter]) -> str:
    """Text (MyST markdown) of the page, from the records of the executed chapters."""
    rows = [(chapter, entry) for chapter in chapters for entry in book.hypotheses(chapter.name)]
    parts = [INTRODUCTION]
    if (count := _openings(book)) > 1:
        parts.append(OPENED_AGAIN.format(count=count))
    if rows:
        records = [entry for _, entry in rows]
        body = table(HEADER, (_row(chapter, entry) for chapter, entry in rows), "hypotheses")
        parts += [raw_html(_counts(records)), raw_html(body), error_sentence(records)]
    else:
        parts.append("No chapter that declares a hypothesis has run yet in this build.")
    parts.append(raw_html(page_foot(book, [chapter.name for chapter in chapters])))
    return "\n\n".join(parts) + "\n"


def _openings(book: Book) -> int:
    return final_record(book).get("openings", {"count": 0})["count"]


def error_sentence(records: Sequence[dict[str, Any]]) -> str:
    """How many were judged, and how many chapters may be expected to hold a false confirmation.

    records: judged hypotheses with keys chapter, verdict, alpha. Holm's procedure keeps the chance of one or more false
    confirmations in a chapter at alpha (Holm 1979), so the expected number of such chapters is at most the sum of alphas.
    """
    judged = [record for record in records if record["verdict"] in VERDICTS]
    inapplicable = sum(record["verdict"] == NOT_APPLICABLE for record in records)
    without = (
        f" {counted(inapplicable, 'hypothesis', 'hypotheses')} cannot be put to this data set." if inapplicable else ""
    )
    if not judged:
        return f"None of the {len(records)} hypotheses was judged in this profile, so no verdict can be false.{without}"
    alphas = {record["chapter"]: record["alpha"] for record in judged}
    confirmed = sum(record["verdict"] == "confirmed" for record in judged)
    chapters = counted(len(alphas), "chapter")
    levels = " or ".join(f"{100 * alpha:g} %" for alpha in sorted(set(alphas.values())))
    return (
        f"{len(judged)} of {len(records)} hypotheses were judged, in {chapters}; {confirmed} of them confirmed. "
        f"[Holm's procedure](references.md) keeps the chance of one or more false confirmations in a chapter at {levels}, "
        f"so the number of chapters that hold one by chance alone is expected to be at most {sum(alphas.values()):.2g}."
        f"{without}"
    )


def claim(record: dict[str, Any]) -> str:
    """The claim in words and signs: metric, direction, margin; HTML."""
    sign = {"greater": "&gt; ", "less": "&lt; ", "equivalent": "within ±&#8239;"}[record["direction"]]
    return f"{escape(record['metric'])} <span class='together'>{sign}{record['margin']:g}</span>"


def _row(chapter: Chapter, record: dict[str, Any]) -> list[str]:
    estimate = record.get("estimate") or {}
    basis = (
        f"{estimate[kind]:,}&nbsp;{kind}" for kind in ("images", "groups", "seeds") if (estimate.get(kind) or 0) > 1
    )
    return [
        f'<a href="{chapter.name}.html" title="{escape(chapter.heading)}">{escape(record["id"])}</a>',
        verdict_badge(record["verdict"]),
        escape(record["statement"]),
        claim(record),
        interval(estimate),
        f"<small>{'<br>'.join(basis)}</small>",
    ]


def _counts(records: Sequence[dict[str, Any]]) -> str:
    counts = Counter(record["verdict"] for record in records)
    badges = " ".join(f"{verdict_badge(verdict)}&nbsp;{count}" for verdict, count in sorted(counts.items()))
    return f'<p class="verdict-counts">{badges}</p>'
