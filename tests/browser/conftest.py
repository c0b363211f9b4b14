"""A browser and a site to look at."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from lib import config
from lib.site import build, serve

sys.path.insert(0, str(Path(__file__).parent))  # the helpers beside this file

from fake_book import make_book  # noqa: E402
from visiting import DESKTOP, Open, Site, Visit  # noqa: E402

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one that the variable CHROMIUM names."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(path).exists():
        pytest.fail(f"no Chromium at {path}: apt-get install chromium, or name one in CHROMIUM", pytrace=False)
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield instance
        instance.close()


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site of BOOK_SITE_ROOT, else of the smoke book in BOOK_BUILD, else of a small book made for the tests."""
    named = os.environ.get("BOOK_SITE_ROOT")
    if not named and config.BUILD_VARIABLE in os.environ:
        named = str(config.book_root("elpv", "smoke"))
    root = Path(named).resolve() if named else _small_book(tmp_path_factory.mktemp("book"))
    assert (root / "site" / "index.html").exists(), f"no site in {root}; build it first"
    folder = root.parents[1]
    listening = serve.start(folder, 8790)
    yield Site(f"{listening}{(root / 'site').relative_to(folder)}/", root / "site")
    serve.stop(folder)


@pytest.fixture(scope="session")
def visit(browser: Browser, built_site: Site) -> Iterator[Open]:
    """Open a page of the site: `visit("index.html", viewport=PHONE, color_scheme="dark")`; equal options share a cache."""
    contexts: dict[str, BrowserContext] = {}

    def open_page(name: str, **options: object) -> Visit:
        if str(options) not in contexts:
            contexts[str(options)] = browser.new_context(**{"viewport": DESKTOP, **options})
        context = contexts[str(options)]
        for earlier in context.pages:
            earlier.close()
        visited = Visit(context.new_page())
        visited.watch(built_site.address)
        visited.page.goto(built_site.address + name, wait_until="load")
        return visited

    yield open_page
    for context in contexts.values():
        context.close()


def _small_book(folder: Path) -> Path:
    root, notebooks = make_book(folder)
    build.build_site(root, notebooks)
    return root
