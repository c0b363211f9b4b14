"""The page at the root of the server: a list of the sites that have been built."""

from html import escape
from pathlib import Path

from lib import atomic
from lib.site.book import TITLE, Book

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
body {{ font: 1.05rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 12vh auto; padding: 0 1.25rem; }}
h1 {{ font-size: 1.7rem; line-height: 1.25; }}
li {{ margin: .6rem 0; }}
small {{ display: block; opacity: .75; }}
</style>
</head>
<body>
<h1>{title}</h1>
<ul>
{entries}
</ul>
</body>
</html>
"""


def write_index(build_folder: Path) -> None:
    """Write `index.html` into the build folder, one line a site `<dataset>/<profile>/site`."""
    sites = sorted(build_folder.glob("*/*/site/index.html"))
    entries = "\n".join(_entry(build_folder, site) for site in sites)
    atomic.write_text(build_folder / "index.html", PAGE.format(title=escape(TITLE), entries=entries))


def _entry(build_folder: Path, site: Path) -> str:
    book = Book(site.parents[1])
    address = site.relative_to(build_folder).as_posix()
    remark = f"<small>{escape(book.banner)}</small>" if book.banner else ""
    return f'<li><a href="{escape(address)}">{escape(book.dataset)}, profile {escape(book.profile)}</a>{remark}</li>'
