"""A change runs again exactly what depends on it: dry runs of the build graph on a changed copy of the sources."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from lib import book, config, graph

SOURCES = ("lib", "notebooks", "params", "book", "Snakefile", ".snakemake")
PAGES_ONLY = {"site": 1, "book": 1}
ONE_CHAPTER = {"chapter": 1, **PAGES_ONLY}
CHAPTERS = config.chapters()


def chapters(names: Iterable[str]) -> dict[str, int]:
    """What runs again when these chapters do: those that read their runs, too."""
    again = {*names, *(name for name in CHAPTERS if set(names) & set(graph.chapters_read(name, "elpv", "smoke")))}
    return {"chapter": len(again), **PAGES_ONLY}


ALL_CHAPTERS = chapters(CHAPTERS)
TRAIN_SIMPLE = [
    name
    for name in CHAPTERS
    if any(run.network.family == "simple" for run in graph.runs_of(name, "elpv", "smoke").values())
]


@pytest.fixture
def copy(tmp_path) -> Path:
    """The sources with Snakemake's records of the smoke book that was built from them."""
    for name in SOURCES:
        source = config.REPOSITORY / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "locks", "log")
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy2(source, tmp_path / name)
    return tmp_path


def jobs(folder: Path, served: bool = False) -> dict[str, int]:
    """Rules that a build would run now, and how often."""
    command = [*book.snakemake_command("elpv", "smoke", 1, served), "--dry-run", "--quiet", "host"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"^(data|run|chapter|page|site|book) +(\d+)$", done.stdout, flags=re.MULTILINE)
    return {rule: int(count) for rule, count in found}


def append(name: str, text: str) -> Callable[[Path], None]:
    """A change that adds text to the end of a file."""

    def change(folder: Path) -> None:
        with (folder / name).open("a") as file:
            file.write(text)

    return change


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    """A change of text inside a file."""

    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text, f"{name} no longer has {old!r}; name another text in this test"
        (folder / name).write_text(text.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(append("lib/plots/style.py", "# a comment\n"), {}, id="comment in lib"),
        pytest.param(lambda folder: [file.touch() for file in folder.glob("lib/*.py")], {}, id="touched files"),
        pytest.param(
            lambda folder: shutil.copy(folder / "lib/networks/simple.py", folder / "lib/networks/other.py"),
            {},
            id="another network",
        ),  # fmt: skip
        pytest.param(append("book/_static/book.css", "/* */\n"), PAGES_ONLY, id="style sheet"),
        pytest.param(append("notebooks/01_explore.py", "\n# %% [markdown]\n# More prose.\n"), PAGES_ONLY, id="prose"),
        pytest.param(append("notebooks/01_explore.py", "\n# %%\ncard\n"), ONE_CHAPTER, id="code cell"),
        pytest.param(
            append("notebooks/05_simple_network.py", "\n# %%\ncard\n"),
            chapters(["05_simple_network"]),
            id="code cell of a chapter that trains",
        ),  # fmt: skip
        pytest.param(
            append("lib/networks/simple.py", "NEW = 1\n"), chapters(TRAIN_SIMPLE), id="network of some chapters"
        ),
        pytest.param(
            replace("params/smoke.yml", "01_explore: {PICTURES: 6", "01_explore: {PICTURES: 5"),
            ONE_CHAPTER,
            id="parameter of one chapter",
        ),  # fmt: skip
        pytest.param(append("lib/plots/style.py", "NEW = 1\n"), ALL_CHAPTERS, id="module that all import"),
        pytest.param(
            replace("params/ledger.yml", "blank: {decision: drop", "blank: {decision: keep"),
            {"data": 1, **ALL_CHAPTERS},
            id="rule for a kind of finding",
        ),  # fmt: skip
        pytest.param(append("lib/splits.py", "NEW = 1\n"), {"data": 1, **ALL_CHAPTERS}, id="module of the data step"),
    ],
)
def test_a_change_runs_again_what_depends_on_it(copy, change, expected):
    change(copy)
    assert jobs(copy) == expected


def test_where_somebody_reads_every_chapter_gets_its_page_at_once(copy):
    assert jobs(copy, served=True) == {"page": len(CHAPTERS), **PAGES_ONLY}
