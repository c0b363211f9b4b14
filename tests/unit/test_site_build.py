"""Builds of the site: what is refused, what a partial build shows, and that the earlier site survives."""

import csv
import html
import json
import re
import runpy
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from lib.site import build
from lib.site.notebook import SiteError

fake_book = runpy.run_path(str(Path(__file__).parents[1] / "browser" / "fake_book.py"))
make_book = fake_book["make_book"]


@pytest.fixture
def small_book(tmp_path: Path) -> tuple[Path, Path]:
    """ROOT and the folder of scripts of a small book that has run."""
    return make_book(tmp_path, profile="cpu")


def page(root: Path, name: str) -> str:
    return (root / "site" / f"{name}.html").read_text(encoding="utf-8")


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def command_line(root: Path, notebooks: Path, partial: bool) -> subprocess.CompletedProcess:
    """A build in a process of its own: Sphinx keeps settings between two builds in one process."""
    options = ["--notebooks", str(notebooks)] + ["--partial"] * partial
    command = [sys.executable, "-m", "lib.site.build", str(root), *options]
    return subprocess.run(command, capture_output=True, text=True)


def edit_notebook(root: Path, chapter: str, cell: int, **changes: object) -> None:
    path = root / "chapters" / chapter / "notebook.ipynb"
    notebook = nbformat.read(path, 4)
    code = [each for each in notebook.cells if each.cell_type == "code"]
    code[cell].update(changes)
    nbformat.write(notebook, path)


def test_a_full_build_shows_chapters_verdicts_and_runs(small_book: tuple[Path, Path]) -> None:
    root, notebooks = small_book
    assert build.build_site(root, notebooks) == 2
    assert "1. What is in the pictures?" in page(root, "01_look")
    assert "Figure 3.2" in page(root, "03_train") and "Figure 1.1</span>" in page(root, "03_train")
    assert page(root, "hypotheses").count('class="verdict verdict-confirmed"') == 2  # the count above, the row
    assert page(root, "hypotheses").count('class="verdict verdict-not-applicable"') == 2
    assert '<small class="reason">the labels are not graded' in page(root, "hypotheses")
    assert 'id="run-00000000000000000007"' in page(root, "catalogue")
    assert "CC BY-NC-SA 4.0" in page(root, "index") and "540 images in 24 groups" in page(root, "index")
    assert "elpv/cpu/site/index.html" in (root.parents[1] / "index.html").read_text()


HOSTILE = "<script>alert(1)</script> **bold** [a](http://b) `c` {{d}} $e$ ```"


def test_all_findings_can_be_read_and_what_a_person_wrote_stands_as_it_is(small_book: tuple[Path, Path]) -> None:
    root, notebooks = small_book
    written = ["across_parts", "a.png", "test-0123", "one, two", "keep", HOSTILE, "hand", True]
    columns = ["kind", "image", "other", "detail", "decision", "reason", "by", "hidden"]
    pd.DataFrame([written], columns=columns).to_parquet(root / "data" / "ledger.parquet")
    data = json.loads((root / "data" / "data.json").read_text()) | {"let_through": {HOSTILE: 1}}
    (root / "data" / "data.json").write_text(json.dumps(data))
    change(notebooks / "01_look.py", "A wide table follows", "[All](findings.csv). A wide table follows")
    assert build.build_site(root, notebooks) == 2
    (link,) = re.findall(r'href="([^"]*findings\.csv)"', page(root, "01_look"))
    with (root / "site" / link).open(newline="") as file:
        assert list(csv.reader(file)) == [columns, [*map(str, written)]]
    assert f"1 image: {html.escape(HOSTILE)}<" in page(root, "index")


def test_a_partial_build_says_what_has_not_run_and_goes_on_from_there(small_book: tuple[Path, Path]) -> None:
    root, notebooks = small_book
    (root / "chapters" / "01_look").rename(root / "later")
    assert build.build_site(root, notebooks, partial=True) == 1
    assert "has not run yet in this build" in page(root, "01_look")
    (root / "later").rename(root / "chapters" / "01_look")
    assert build.build_site(root, notebooks, partial=True) == 2
    assert "has not run yet" not in page(root, "01_look")
    assert "Figure 1.1</span>" in page(root, "03_train")  # the reference to a figure that was not there before


def test_a_partial_build_writes_only_the_pages_that_changed(small_book: tuple[Path, Path]) -> None:
    root, notebooks = small_book
    command_line(root, notebooks, partial=True)
    times = {path.name: path.stat().st_mtime_ns for path in (root / "site").glob("0*.html")}
    change(notebooks / "03_train.py", "See also", "See as well")
    command_line(root, notebooks, partial=True)
    changed = {name for name, time in times.items() if (root / "site" / name).stat().st_mtime_ns != time}
    assert changed == {"03_train.html"}


def test_a_study_has_a_page_once_it_was_run(small_book: tuple[Path, Path]) -> None:
    root, notebooks = small_book
    script = (
        fake_book["LOOK"].replace("What is in the pictures?", "How do we compare?").replace('"brightness"', '"study"')
    )
    (notebooks / "study_compare.py").write_text(script)
    assert build.build_site(root, notebooks, partial=True) == 2
    assert "Studies" not in page(root, "index") and not (root / "site" / "study_compare.html").exists()

    studies = root.parent / "studies"
    outputs = [[], [], [fake_book["plot"]("share")], [fake_book["wide_table"]()]]
    fake_book["write_chapter"](studies, notebooks, "study_compare", script, outputs)
    record = studies / "chapters" / "study_compare" / "record.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"labels": "of all images: 540"}))
    assert build.build_site(root, notebooks, partial=True) == 2
    assert "Studies" in page(root, "index") and "study_compare.html" in page(root, "index")
    assert "<h1>How do we compare?" in page(root, "study_compare")
    assert "<dt>Labels</dt><dd>of all images: 540</dd>" in page(root, "study_compare")
    assert "Labels" not in page(root, "01_look")

    (notebooks / "study_compare.py").write_text(script + "\n# %%\n1\n")
    assert build.build_site(root, notebooks, partial=True) == 2
    assert "run it again with" in page(root, "study_compare")


def test_newer_prose_is_shown_with_the_outputs_there_are(small_book: tuple[Path, Path]) -> None:
    root, notebooks = small_book
    change(notebooks / "01_look.py", "A wide table follows", "A rather wide table follows")
    change(notebooks / "01_look.py", "np.arange(5)", "np.arange(5)  # five")
    build.build_site(root, notebooks)
    assert "A rather wide table follows" in page(root, "01_look") and "# five" in page(root, "01_look")


def test_changed_code_is_not_shown_with_old_outputs(small_book: tuple[Path, Path]) -> None:
    root, notebooks = small_book
    change(notebooks / "01_look.py", "np.arange(5)", "np.arange(6)")
    with pytest.raises(SiteError, match=r"01_look: cell 3 is not what was executed"):
        build.build_site(root, notebooks)
    assert build.build_site(root, notebooks, partial=True) == 1


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"execution_count": None}, "03_train: cell 3 .* was not executed"),
        ({"outputs": [nbformat.v4.new_output("error", ename="KeyError", evalue="'a'")]}, "03_train: cell 3 .*KeyError"),
    ],
)
def test_hollow_notebooks_are_refused_by_name_and_cell(
    small_book: tuple[Path, Path], changes: dict, message: str, partial: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    root, notebooks = small_book
    edit_notebook(root, "03_train", 3, **changes)
    arguments = [str(root), "--notebooks", str(notebooks)] + ["--partial"] * partial
    assert build.main(arguments) == 1
    error = capsys.readouterr().err
    assert re.search(message, error) and error.count("\n") == 1


@pytest.mark.parametrize("missing", ["chapters/01_look/notebook.ipynb", "chapters/03_train/record.json"])
def test_a_full_build_wants_every_chapter(small_book: tuple[Path, Path], missing: str) -> None:
    root, notebooks = small_book
    (root / missing).unlink()
    with pytest.raises(SiteError, match=missing.split("/")[1]):
        build.build_site(root, notebooks)


def test_a_missing_run_is_named(small_book: tuple[Path, Path]) -> None:
    root, notebooks = small_book
    used = root / "chapters" / "03_train" / "runs_used.json"
    used.write_text(json.dumps([*json.loads(used.read_text()), "unknown"]))
    with pytest.raises(SiteError, match="03_train used the run unknown, which is missing"):
        build.build_site(root, notebooks)


@pytest.mark.parametrize("partial", [False, True])
def test_warnings_stop_the_build_each_time_and_the_earlier_site_stays(
    small_book: tuple[Path, Path], partial: bool
) -> None:
    root, notebooks = small_book
    build.build_site(root, notebooks, partial)
    before = page(root, "01_look")
    change(notebooks / "01_look.py", "{numref}`brightness`", "{numref}`darkness`")
    for _ in range(2):
        assert "Sphinx found the problems above" in command_line(root, notebooks, partial).stderr
    assert page(root, "01_look") == before
    change(notebooks / "01_look.py", "{numref}`darkness`", "{numref}`brightness`")
    build.build_site(root, notebooks, partial)


def test_a_removed_chapter_leaves_no_page(small_book: tuple[Path, Path]) -> None:
    root, notebooks = small_book
    build.build_site(root, notebooks)
    change(notebooks / "03_train.py", "See also {numref}`brightness`.", "See also nothing.")
    (notebooks / "01_look.py").unlink()
    build.build_site(root, notebooks)
    assert not (root / "site" / "01_look.html").exists()


def test_two_chapters_that_finish_at_once_build_one_after_the_other(
    small_book: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, notebooks = small_book
    inside, most = [], []

    def write_source(*arguments: object) -> list:
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.2)
        inside.pop()
        return []

    monkeypatch.setattr(build, "write_source", write_source)
    monkeypatch.setattr(build, "_render", lambda source: (source / ".html").mkdir(parents=True, exist_ok=True))
    threads = [threading.Thread(target=build.build_site, args=(root, notebooks, True)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1, 1]


def test_a_site_moved_aside_by_a_killed_build_comes_back(tmp_path: Path) -> None:
    (tmp_path / ".site.old").mkdir()
    (tmp_path / ".site.old" / "index.html").write_text("earlier")
    build.recover(tmp_path)
    assert (tmp_path / "site" / "index.html").read_text() == "earlier" and not (tmp_path / ".site.old").exists()
