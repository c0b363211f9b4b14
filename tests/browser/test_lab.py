"""JupyterLab opens a chapter straight from its script, runs all of it, and saves nothing but the script."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from visiting import DESKTOP, Visit

from lib import config

CHAPTER_VARIABLE = "BOOK_LAB_CHAPTER"  # a script to run instead of the small one below
START_SECONDS, RUN_SECONDS = 60, 300
expect.set_options(timeout=1000 * START_SECONDS)
TOKEN = "only-for-this-test"
SCRIPT = """\
# %% [markdown]
# # Does a chapter run?
# **Needs** nothing · **Produces** a number · **Answers** no hypothesis

# %% tags=["parameters"]
NUMBER = 20

# %% mystnb={"figure": {"name": "a-figure", "caption": "Words with \\"quotes\\", 50 %."}}
print("the sum is", NUMBER + 1)
"""


@pytest.fixture(scope="module")
def chapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A script in a folder of its own."""
    folder = tmp_path_factory.mktemp("notebooks")
    if named := os.environ.get(CHAPTER_VARIABLE):
        return Path(shutil.copy(named, folder))
    script = folder / "01_small.py"
    script.write_text(SCRIPT, encoding="utf-8")
    return script


@pytest.fixture(scope="module")
def laboratory(chapter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a JupyterLab on the folder of the chapter."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {config.BUILD_VARIABLE: str(tmp_path_factory.mktemp("build")), **os.environ, "JUPYTER_TOKEN": TOKEN}
    command = [sys.executable, "-m", "lib.lab", str(chapter.parent), "--port", str(port), "--no-browser"]
    log = tmp_path_factory.mktemp("log") / "lab.log"
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}/"
    try:
        _wait_for(address, process, log)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_a_chapter_opens_as_a_notebook_runs_and_saves_as_it_was(
    browser: Browser, chapter: Path, laboratory: str
) -> None:
    before, written = chapter.read_text(encoding="utf-8"), chapter.stat().st_mtime_ns
    visited = Visit(browser.new_page(viewport=DESKTOP))
    visited.watch(laboratory)
    page = visited.page
    page.goto(f"{laboratory}lab?token={TOKEN}")
    page.locator(".jp-DirListing-item", has_text=chapter.name).dblclick()
    notebook = page.locator(".jp-NotebookPanel .jp-Notebook")
    expect(notebook.locator(".jp-CodeCell").first).to_be_visible()
    expect(page.locator(".jp-Dialog")).to_have_count(0)
    expect(page.get_by_text("Python 3 (this book) | Idle")).to_be_visible()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    prompt = notebook.locator(".jp-CodeCell").last.locator(".jp-InputPrompt")
    expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=1000 * RUN_SECONDS)
    assert notebook.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    if CHAPTER_VARIABLE not in os.environ:
        expect(notebook.locator(".jp-OutputArea-output")).to_have_text("the sum is 21")
    page.get_by_role("menuitem", name="View", exact=True).click()
    page.get_by_text("Collapse All Code", exact=True).click()  # a reader's view, which is no part of the script
    page.keyboard.press("Control+s")
    expect(page.get_by_text("Saving completed")).to_be_visible()
    assert chapter.stat().st_mtime_ns > written
    assert chapter.read_text(encoding="utf-8") == before
    assert [path.name for path in chapter.parent.iterdir()] == [chapter.name]
    assert visited.outside == []
    page.close()


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}api/status?token={TOKEN}", timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}", pytrace=False)
