"""The chapters as they are now, run by nbval against stored outputs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from lib import config
from tests.notebooks import references

each_chapter = pytest.mark.parametrize("name", config.chapters())


def run_nbval(folder: Path, notebooks: dict[str, NotebookNode]) -> tuple[dict[str, list[str]], str]:
    """Write notebooks into a fresh folder and run them; returns the cells that failed in each, and what nbval said.

    Data and runs are those of the built book; what the notebooks write stays in `folder`.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {config.BUILD_VARIABLE: str(config.build_folder()), config.OUTPUT_VARIABLE: str(folder / "output")}
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q", "-rfE", "--color=no"]
    command += ["-c", str(config.REPOSITORY / "pyproject.toml"), "--rootdir", str(folder)]
    command += ["--nbval-sanitize-with", str(Path(__file__).with_name("sanitize.cfg"))]
    command += [str(folder / f"{name}.ipynb") for name in notebooks]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    said = result.stdout + result.stderr
    assert result.returncode in (0, 1) and re.search(r"\d+ (passed|failed)", said), said
    failed = re.findall(r"^(?:FAILED|ERROR) (?:\S*/)?(\w+)\.ipynb::(.*?)(?: - .*)?$", said, flags=re.MULTILINE)
    assert bool(failed) == bool(result.returncode), said
    return {name: [cell for found, cell in failed if found == name] for name in notebooks}, said


@each_chapter
def test_outputs_are_the_stored_ones(name, root):
    trained_before = sorted(path.name for path in (root / "runs").iterdir())
    notebook = references.graft(references.current(name), references.load(name))
    failed, said = run_nbval(root / "nbval" / name, {name: notebook})
    assert not failed[name], said
    assert sorted(path.name for path in (root / "runs").iterdir()) == trained_before, f"{name} trained something anew"


def opening(stored: dict[str, list]) -> tuple[NotebookNode, NotebookNode]:
    """The first chapter up to its first tagged cell, with outputs grafted, and that cell."""
    notebook = references.graft(references.current("01_explore"), stored)
    last = references.tagged(notebook)[0]
    notebook.cells = notebook.cells[: notebook.cells.index(last) + 1]
    return notebook, last


def test_a_changed_chapter_or_a_wrong_reference_fails(root):
    stored = references.load("01_explore")
    unchanged, last = opening(stored)
    text = "".join(last.outputs[0].data["text/plain"])
    digit = re.search(r"\d(?=\s*$)", text)
    planted = {"unchanged": unchanged}

    planted["wrong_reference"], cell = opening(stored)
    wrong = text[: digit.start()] + str((int(digit.group()) + 1) % 10) + text[digit.end() :]
    cell.outputs[0].data["text/plain"] = wrong

    planted["other_count"], cell = opening(stored)
    cell.source = f"images = images.iloc[1:]\n{cell.source}"

    planted["no_reference"], cell = opening({})

    planted["silent"], cell = opening(stored)
    cell.source += "\npass"

    planted["broken_elsewhere"], cell = opening(stored)
    planted["broken_elsewhere"].cells[3].source += "\n1 / 0"

    failed, said = run_nbval(root / "nbval" / "planted", planted)
    assert not failed["unchanged"], said
    tagged_cell = f"Cell {sum(cell.cell_type == 'code' for cell in unchanged.cells) - 1}"
    for name in ("wrong_reference", "other_count", "no_reference", "silent"):
        assert failed[name] == [tagged_cell], said
    assert "Cell 2" in failed["broken_elsewhere"], said
