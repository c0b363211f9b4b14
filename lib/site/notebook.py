"""From an executed notebook to a page: refuse hollow ones, take the newest prose, fold the code."""

from itertools import pairwise
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from lib import atomic, chapters
from lib.site.contents import Chapter
from lib.site.mime import PLOTLY

DEFAULTS_LABEL = "Show code: default parameters, replaced in this build by the next cell"
LANGUAGE = nbformat.from_dict({"name": "python", "pygments_lexer": "ipython3"})
INJECTED_LABEL = "Show the parameters of this build"


class SiteError(Exception):
    """Something that cannot be published; the message is one line for the reader of the build's output."""


class OutdatedError(SiteError):
    """The code of a chapter has changed since it was executed."""


def chapter_page(chapter: Chapter, executed: Path, foot: str) -> NotebookNode:
    """Notebook as the site renders it: prose and captions of the script, outputs of the execution, foot at the end.

    foot: HTML. Raises SiteError when the notebook is hollow, OutdatedError when its code is not the script's.
    """
    outcome = nbformat.read(executed, as_version=4)
    refuse_hollow(chapter, outcome)
    page = with_current_prose(chapter, outcome)
    for cell in page.cells:
        if cell.cell_type == "code":
            _fold(cell)
    _label_parameters(page)
    _number_title(page, chapter)
    page.cells.append(nbformat.v4.new_markdown_cell(raw_html(foot), id="provenance"))
    return page


def refuse_hollow(chapter: Chapter, executed: NotebookNode) -> None:
    """Raise SiteError, naming chapter and cell, when a code cell failed or was not executed, or there is none."""
    problem = chapters.incomplete(executed)
    if not any(cell.source.strip() for cell in chapters.code_cells(executed)):
        problem = "the executed notebook has no code"
    if problem:
        raise SiteError(f"{chapter.name}: {problem.splitlines()[0]}; delete its folder in chapters/ and build again")


def with_current_prose(chapter: Chapter, executed: NotebookNode) -> NotebookNode:
    """The script as a notebook, its code cells completed with what the execution gave.

    Editing prose needs no execution, so the prose may be newer than the outputs. Raises OutdatedError when code differs.
    """
    page = chapters.read(chapter.source)
    page.metadata["language_info"] = LANGUAGE
    injected = [cell for cell in executed.cells if cell.id == chapters.INJECTED_ID]
    cells, outcomes = chapters.code_cells(page), chapters.code_cells(executed)
    if len(cells) != len(outcomes):
        counts = f"{len(outcomes)} code cells were executed, the script has {len(cells)}"
        raise OutdatedError(f"{chapter.name}: {counts}; delete its folder in chapters/ and build again")
    for ordinal, (cell, outcome) in enumerate(zip(cells, outcomes, strict=True), start=1):
        if atomic.code_sha256(cell.source) != atomic.code_sha256(outcome.source):
            raise OutdatedError(
                f"{chapter.name}: cell {ordinal} is not what was executed; delete its folder in chapters/ and build again"
            )
        cell.outputs, cell.execution_count = outcome.outputs, outcome.execution_count
        if not any(PLOTLY in output.get("data", {}) for output in cell.outputs):
            cell.metadata.get("mystnb", {}).pop("figure", None)  # a sentence in its place needs no caption
    is_parameters = ["parameters" in cell.metadata.get("tags", []) for cell in page.cells]
    position = is_parameters.index(True) + 1 if any(is_parameters) else 0  # where papermill puts them
    page.cells[position:position] = injected
    return page


def raw_html(html: str) -> str:
    """MyST block that passes HTML through."""
    return f"```{{raw}} html\n{html}\n```"


def _fold(cell: NotebookNode) -> None:
    tags = cell.metadata.setdefault("tags", [])
    if not any(tag.startswith(("hide-", "remove-")) for tag in tags):
        tags.append("hide-input")


def _label_parameters(page: NotebookNode) -> None:
    for cell, following in pairwise(page.cells):
        if following.get("id") == chapters.INJECTED_ID:
            cell.metadata.setdefault("mystnb", {})["code_prompt_show"] = DEFAULTS_LABEL
            following.metadata.setdefault("mystnb", {})["code_prompt_show"] = INJECTED_LABEL


def _number_title(page: NotebookNode, chapter: Chapter) -> None:
    title = next(cell for cell in page.cells if cell.cell_type == "markdown")
    title.source = title.source.replace(f"# {chapter.title}", f"# {chapter.heading}", 1)
