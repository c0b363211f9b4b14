"""Whole smoke books on generated data sets: what cannot be asked of them is said, and nothing built tells a test label."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from lib import atomic, cards, config
from lib.custody import curation
from tests.data import TREES, Planted

ONE_SEED = {"H8.15", "H8.25", "H8.26", "H16.4"}  # shows no spread between seeds
IN_SMOKE = {"H9.1", "H9.2", "H9.5", "H9.6", "H9.7"}  # of one network, none trained as a whole, all blocks at one rate
UNGRADED = {"H11.1", "H11.4", "H17.11"}
ALONE = {"H17.12"}  # no other card was named
OPERATING = {"H17.9", "H17.10"}  # of several classes, or no threshold of a smoke model reaches it
CHOSEN = {"H10.4"}  # of no depth, where none is chosen on tuning
BLANK = {"H15.6", "H15.7", "H15.9", "H15.12"}  # where every map of a network that hardly learned is blank
ONE_SOURCE = {"H15.5"}  # folders are the classes: nothing tells sources apart
NO_SIMULATOR = {"H15.17", "H15.18", "H15.19", "H15.20"}  # of defects whose place is known
EVERYWHERE = ONE_SEED | IN_SMOKE | ALONE | NO_SIMULATOR
BOOKS = {  # tree -> hypotheses that cannot be put to it
    "folder three_classes": {"H1.1", "H1.2", "H2.3", "H2.4", "H4.7", "H5.2", "H5.3", "H5.5", "H3.11", "H8.11"}
    | (EVERYWHERE - ALONE)
    | UNGRADED
    | ONE_SOURCE,
    "chest_xray": {"H1.2", "H2.3", "H2.4", "H4.7", "H5.3", "H5.5", "H8.11"} | EVERYWHERE | UNGRADED | ONE_SOURCE,
    "mammograms": {"H2.3", "H3.11", "H8.11", "H17.11"} | EVERYWHERE,
    "nih_unlabelled": {"H1.1", "H1.2", "H1.3", "H1.4", "H2.1", "H2.2", "H2.3", "H2.4"},
}
ELSEWHERE = "folder three_classes"  # its frozen model is tried on other images of these classes
NUMBERS = {".npy", ".h5", ".onnx"}  # pixels, weights and what networks answer: hundreds of megabytes without a word
NOT_TEXT = {".woff", ".woff2", ".ttf", ".png", ".parquet"} | NUMBERS  # tables are read as such


class Book(NamedTuple):
    name: str
    tree: Planted
    root: Path
    output: str


def python(
    environment: dict[str, str], *arguments: str, folder: Path = config.REPOSITORY
) -> subprocess.CompletedProcess:
    """Run a module of this project, or of the copy in `folder`, as a user would."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)


@pytest.fixture(scope="module", params=BOOKS)
def book(request, tmp_path_factory) -> Iterator[Book]:
    """A smoke book of one tree; DATA and the build folder are its own."""
    folder = tmp_path_factory.mktemp("other")
    tree, card = TREES[request.param](folder / "pictures", 7), request.param.split()[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(config.BUILD_VARIABLE, str(folder / "build"))
        patch.setenv(config.DATA_VARIABLE, str(tree.folder))
        dataset = card if card in config.datasets() else config.own_dataset()[0]
        asked = ["--profile", "smoke", "--data", str(tree.folder), "--no-serve"]
        asked += ["--dataset", dataset if card in config.datasets() else ""]
        if request.param == ELSEWHERE:
            asked += ["--external-data", str(TREES[request.param](folder / "elsewhere", 11).folder)]
        done = python({}, "lib.book", *asked)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        yield Book(request.param, tree, config.book_root(dataset, "smoke"), done.stdout + done.stderr)


def test_the_book_is_whole_and_says_what_cannot_be_asked(book):
    assert (book.root / "site" / ".complete").exists() and f"smoke is built: {book.root / 'site'}" in book.output
    built = sorted(path.name for path in (book.root / "chapters").iterdir())
    labelled = book.name != "nih_unlabelled"
    assert built == (config.chapters() if labelled else ["01_explore", "02_clean_and_split"])
    records = [r for name in built for r in atomic.read_json(book.root / "chapters" / name / "hypotheses.json")]
    unasked = {r["id"] for r in records if r["verdict"] == "not applicable"}
    assert unasked - OPERATING - CHOSEN - BLANK == BOOKS[book.name] and (
        book.name != "folder three_classes" or unasked >= OPERATING
    )
    assert {r["verdict"] for r in records} <= {"not applicable", "not judged (smoke)"}
    pages = {name: (book.root / "site" / f"{name}.html").read_text() for name in config.chapters()}
    assert ("This chapter needs labels" in pages["05_simple_network"]) != labelled


def test_no_warning_was_given(book):
    logs = [path.read_text() for path in (book.root / "logs").glob("*.log")]
    notebooks = [path.read_text() for path in (book.root / "chapters").glob("*/notebook.ipynb")]
    assert len(logs) == len(notebooks) >= 2
    for text in [book.output, *logs, *notebooks]:
        assert not [line for line in text.splitlines() if re.search(r"\wWarning:|Traceback", line)]  # lines are long


def names_of(paths: Iterable[str]) -> set[str]:
    """What names an image: its path, and its name where that is no mere number."""
    stems = {Path(path).stem for path in paths}
    return {path.rpartition(".")[0] for path in paths} | {stem for stem in stems if len(stem) > 5}


def named_in(text: str, names: set[str]) -> set[str]:
    """Those that stand in a text as whole words; a plain search first, because nearly all do not stand there at all."""
    there = [name for name in names if name in text]
    return {name for name in there if re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w-])", text)}


def test_nothing_that_was_built_names_an_image_of_the_test_part(book, tmp_path):
    """Names of files tell the class, or the row of a table that does."""
    curated = curation.curate(cards.load(book.root.parent.name), tmp_path / "cache.parquet")
    shown = pd.read_parquet(book.root / "data" / "manifest.parquet")
    tested = set(curated.table.loc[curated.table["part"] == "test", "sha256"])
    tested |= set(shown.loc[shown["part"] == "test", "sha256"])
    everything = curated.everything.dropna(subset="sha256")
    secret = names_of(everything.loc[everything["sha256"].isin(tested), "path"]) - names_of(shown["path"].dropna())
    assert len(secret) >= len(tested) > 20
    files = [path for path in book.root.parent.rglob("*") if path.is_file() and path.suffix not in NOT_TEXT]
    files = [path for path in files if "_static" not in path.parts]  # the look of every site, megabytes of it
    texts = {path: path.read_text(errors="replace").replace("<wbr>", "") for path in files}  # where long names may wrap
    for name in ("manifest", "ledger"):
        table = pd.read_parquet(book.root / "data" / f"{name}.parquet")
        texts[book.root / name] = "\n".join(map(str, table.to_numpy().ravel()))
    assert {str(path): found for path, text in texts.items() if (found := named_in(text, secret))} == {}
    development = names_of(shown["path"].dropna())
    assert any(named_in(text, development) for text in texts.values())  # such a name would be found


def test_a_leak_stops_the_book_and_the_advice_works_as_written(tmp_path):
    folder = tmp_path / "checkout"
    for name in ("lib", "params", "notebooks", "book", "Snakefile", "pyproject.toml"):
        source, skipped = config.REPOSITORY / name, shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, folder / name, ignore=skipped) if source.is_dir() else shutil.copy(source, folder)
    tree = TREES["folder parts"](tmp_path / "pictures", 7)
    given = {config.BUILD_VARIABLE: str(tmp_path / "build"), config.DATA_VARIABLE: str(tree.folder)}
    asked = ["lib.book", "--profile", "smoke", "--data", str(tree.folder), "--no-serve"]
    done = python(given, *asked, folder=folder)
    assert done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
    last = done.stderr[done.stderr.rindex("the parts leak") :]  # nothing stands below it
    assert "train/cats/002.png" in last and "train and test: near copy" in last and len(last.splitlines()) < 20
    assert not list((tmp_path / "build").rglob("manifest.parquet"))
    (table,) = re.findall(r"params/datasets/\S+\.csv", last)
    pasted = [line for line in last.splitlines() if line.count(",") == 3]
    (folder / table).write_text("\n".join(pasted))
    dataset = Path(table).stem
    done = python(given, "lib.custody", dataset, "smoke", folder=folder)
    assert done.returncode == 0, done.stderr
    ledger = pd.read_parquet(tmp_path / "build" / dataset / "smoke" / "data" / "ledger.parquet")
    leaks = ledger[ledger["kind"] == "across_parts"]
    assert leaks.loc[leaks["by"] == "hand", ["decision", "reason"]].to_numpy().tolist() == [
        ["drop", "the parts share images"]
    ]
    assert set(leaks["decision"]) == {"drop"} and len(leaks) > 1  # exact copies gave way before
