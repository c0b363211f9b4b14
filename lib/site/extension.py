"""Sphinx extension of the book: scripts that work without a network, figures numbered by chapter."""

import importlib.metadata
import importlib.resources
import re
import shutil
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

MATHJAX = "mathjax/tex-svg.js"
PLOTLY = "plotly.min.js"
BEFORE_SPHINX, AFTER_SPHINX = 100, 900  # Sphinx numbers its figures at 500


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the extension; called by Sphinx."""
    app.connect("builder-inited", copy_scripts)
    app.connect("html-page-context", load_plotly_where_used)
    app.connect("env-get-updated", restore_plain_numbers, priority=BEFORE_SPHINX)
    app.connect("env-get-updated", number_by_chapter, priority=AFTER_SPHINX)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def copy_scripts(app: Sphinx) -> None:
    """Put plotly and MathJax beside the pages, from the installed packages."""
    static = Path(app.outdir) / "_static"
    plotly = importlib.resources.files("plotly") / "package_data" / PLOTLY
    mathjax = next(
        file
        for file in importlib.metadata.files("sphinx-mathjax-offline") or []
        if file.parts[-2:] == tuple(MATHJAX.split("/"))
    )
    for source, target in ((Path(str(plotly)), static / PLOTLY), (Path(str(mathjax.locate())), static / MATHJAX)):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def load_plotly_where_used(
    app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None
) -> None:
    """Only pages with a figure load the plotly script (4 MB)."""
    if doctree is not None and any("book-plotly" in raw.astext() for raw in doctree.findall(nodes.raw)):
        app.add_js_file(PLOTLY, loading_method="defer")
        app.add_js_file("figures.js", loading_method="defer")


def restore_plain_numbers(app: Sphinx, environment: BuildEnvironment) -> list[str]:
    """Give Sphinx the numbers it made, so that it finds changes; else it would rewrite every page every time."""
    environment.toc_fignumbers = getattr(environment, "plain_figure_numbers", environment.toc_fignumbers)
    return []


def number_by_chapter(app: Sphinx, environment: BuildEnvironment) -> list[str]:
    """Number figures and tables `<chapter>.<index>`, so that a number does not depend on the other chapters."""
    environment.plain_figure_numbers = environment.toc_fignumbers
    environment.toc_fignumbers = {
        page: {kind: _renumbered(page, numbers) for kind, numbers in kinds.items()}
        for page, kinds in environment.toc_fignumbers.items()
    }
    return []


def _renumbered(page: str, numbers: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    match = re.match(r"(\d\d)_", page)
    chapter = (int(match.group(1)),) if match else ()
    return {name: (*chapter, index) for index, name in enumerate(numbers, start=1)}
