"""Reference outputs of the few cells tagged `nbval-check-output`, stored by the id of the code cell.

They hold what is the same on every machine: counts, shapes, schemas. At test time they are grafted onto the chapters as
they are now. `BOOK_BUILD=build/test python -m tests.notebooks.references` takes them anew from the built smoke book and
prints what changed; read the difference before committing it.
"""

import difflib
import json
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from lib import atomic, chapters, config

TAG = "nbval-check-output"
FOLDER = Path(__file__).parent / "references"
DATASET, PROFILE = "elpv", "smoke"


def tagged(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells whose output is compared."""
    return [cell for cell in chapters.code_cells(notebook) if TAG in cell.metadata.get("tags", [])]


def current(name: str) -> NotebookNode:
    """The chapter as its script is now; its parameters are those of `smoke`, so nothing is injected."""
    return chapters.read(config.NOTEBOOKS / f"{name}.py")


def load(name: str) -> dict[str, list]:
    """Stored outputs of a chapter by cell id; empty when there are none."""
    path = FOLDER / f"{name}.json"
    return atomic.read_json(path) if path.exists() else {}


def graft(notebook: NotebookNode, outputs: dict[str, list]) -> NotebookNode:
    """Put stored outputs under the tagged cells of a notebook, in place; cells without one get none."""
    for cell in tagged(notebook):
        cell.execution_count = 1  # nbval compares nothing under a cell that was never run
        cell.outputs = [_notebook_form(output) for output in outputs.get(cell.id, [])]
    return notebook


def executed(name: str) -> dict[str, list]:
    """Outputs of the tagged cells of a chapter of the built book, in the form in which they are stored."""
    path = config.book_root(DATASET, PROFILE) / "chapters" / name / "notebook.ipynb"
    return {cell.id: [_stored_form(output) for output in cell.outputs] for cell in tagged(nbformat.read(path, 4))}


def _stored_form(output: NotebookNode) -> dict:
    kept = {key: value for key, value in output.items() if key not in ("metadata", "execution_count")}
    texts = kept.pop("data", {}) if "data" in kept else None
    kept = {key: _lines(value) if key == "text" else value for key, value in kept.items()}
    return kept if texts is None else kept | {"data": {kind: _lines(text) for kind, text in texts.items()}}


def _notebook_form(output: dict) -> NotebookNode:
    added = {"metadata": {}, "execution_count": 1} if output["output_type"] == "execute_result" else {}
    if output["output_type"] == "display_data":
        added = {"metadata": {}}
    return nbformat.from_dict({**output, **added})


def _lines(value: object) -> object:
    return value.splitlines(keepends=True) if isinstance(value, str) else value


def _text(outputs: dict[str, list]) -> list[str]:
    return json.dumps(outputs, indent=1, sort_keys=True, ensure_ascii=False).splitlines()


def main() -> int:
    """Store the outputs of every chapter anew, remove those of chapters that are gone, print the differences."""
    for path in FOLDER.glob("*.json"):
        if path.stem not in config.chapters():
            path.unlink()
            print(f"removed {path.name}")
    for name in config.chapters():
        before, after = load(name), executed(name)
        changes = list(difflib.unified_diff(_text(before), _text(after), "stored", "now", lineterm="", n=1))
        if changes:
            atomic.write_json(FOLDER / f"{name}.json", after)
        print(f"{name}: " + ("\n".join(["changed", *changes]) if changes else "as before"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
