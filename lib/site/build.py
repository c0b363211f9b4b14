"""Build the site of one book: `python -m lib.site.build ROOT [--partial]`, ROOT being build/<dataset>/<profile>.

A full build starts from nothing and wants every chapter; a partial one, after each chapter, is incremental and shows what
has run. Either way warnings are errors, and the earlier site stays until the new one is whole.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from sphinx.cmd.build import main as sphinx_build

from lib import atomic, config
from lib.site.book import Book
from lib.site.contents import read_chapters, read_studies
from lib.site.fragments import counted
from lib.site.index import write_index
from lib.site.notebook import SiteError
from lib.site.report import disagreeing
from lib.site.source import empty, write_source

WARNINGS_ARE_ERRORS = ("-q", "-n", "-W", "--keep-going", "-b", "html")


def build_site(root: Path, notebooks: Path, partial: bool = False, wanted: Sequence[str] | None = None) -> int:
    """Build ROOT/site from what has been executed; returns the number of chapters on it.

    notebooks: folder of the chapters' scripts. wanted: names of those that the data set allows; None: all.
    Raises SiteError; ROOT/site is then as it was before.
    """
    root = root.resolve()
    with atomic.lock(root / ".site.lock"):
        recover(root)
        source = root / "site_source"
        if not partial:
            empty(source)
        studies = read_studies(notebooks)
        finished = write_source(Book(root), read_chapters(notebooks), source, partial, wanted, studies)
        _render(source)
        if not partial:  # while chapters run, records grow under the pages
            _check_report(Book(root), source / ".html")
        publish(source / ".html", root / "site")
    write_index(root.parents[1])
    return len(finished)


def publish(folder: Path, site: Path) -> None:
    """Put a copy of a finished folder in the place of the site, which is never half old and half new."""
    new, old = site.with_name(".site.partial"), site.with_name(".site.old")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(folder, new, ignore=shutil.ignore_patterns(".*"))
    if site.exists():
        os.replace(site, old)
    os.replace(new, site)
    shutil.rmtree(old, ignore_errors=True)


def recover(root: Path) -> None:
    """Bring the earlier site back when a process was killed just between the two renames of `publish`."""
    if (root / ".site.old").exists() and not (root / "site").exists():
        os.replace(root / ".site.old", root / "site")
    shutil.rmtree(root / ".site.old", ignore_errors=True)


def _render(source: Path) -> None:
    doctrees, pages = source / ".doctrees", source / ".html"
    if sphinx_build([*WARNINGS_ARE_ERRORS, "-d", str(doctrees), str(source), str(pages)]):
        shutil.rmtree(doctrees, ignore_errors=True)  # Sphinx does not repeat the warnings of pages it has read
        raise SiteError("Sphinx found the problems above; the earlier site stays")


def _check_report(book: Book, pages: Path) -> None:
    """Raises SiteError where a report page says something else than the records."""
    if lines := disagreeing(book, pages):
        raise SiteError("; ".join(lines[:3]) + (f"; and {len(lines) - 3} more" if len(lines) > 3 else ""))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Build the site of one book.")
    parser.add_argument("root", type=Path, help="build/<dataset>/<profile>")
    parser.add_argument("--partial", action="store_true", help="show what has run so far")
    parser.add_argument("--notebooks", type=Path, default=config.NOTEBOOKS, help="folder of the chapters' scripts")
    parser.add_argument("--chapters", nargs="+", help="chapters that this data set allows; all unless named")
    options = parser.parse_args(arguments)
    try:
        count = build_site(options.root, options.notebooks, options.partial, options.chapters)
    except (SiteError, ValueError) as problem:
        print(f"site not built: {problem}", file=sys.stderr)
        return 1
    print(f"{counted(count, 'chapter')} on {options.root / 'site' / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
