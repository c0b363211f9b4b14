"""Studies stand beside the book: they alone see all labels, no chapter depends on one, and they keep the form of a page."""

import ast
import re

import pytest

from lib import chapters, config, graph

NOTEBOOKS = {name: config.NOTEBOOKS / f"study_{name}.py" for name in config.studies()}
ALL_LABELS = "yardstick_labels"
MAY_ASK = {"custody/__init__.py", "studies.py"}  # where it is defined, and the command that runs a declared study

each_study = pytest.mark.parametrize("name", NOTEBOOKS)


def names_used(code: str) -> set[str]:
    """Every name and attribute in a piece of code, also as text, as `getattr` takes it."""
    nodes = list(ast.walk(ast.parse(code)))
    found = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    found |= {node.id for node in nodes if isinstance(node, ast.Name)}
    found |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return found | {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_no_chapter_sees_all_labels():
    scripts = {path.stem for path in config.NOTEBOOKS.glob("*.py")} - {path.stem for path in NOTEBOOKS.values()}
    asking = {name for name in scripts if ALL_LABELS in names_used(graph.code_of(config.NOTEBOOKS / f"{name}.py"))}
    assert not asking and set(config.chapters()) <= scripts


def test_no_module_hands_them_on():
    package = config.REPOSITORY / "lib"
    asking = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if ALL_LABELS in names_used(path.read_text()) or f"def {ALL_LABELS}" in path.read_text()
    }
    assert asking == MAY_ASK


def test_no_chapter_depends_on_a_study():
    for name in config.chapters():
        used = {path.name for path in graph.modules_imported(graph.code_of(config.NOTEBOOKS / f"{name}.py"))}
        assert not used & {"yardstick.py", "protocols.py", "studies.py"}, f"{name} imports what belongs to studies"
    rules = (config.REPOSITORY / "Snakefile").read_text()
    assert re.findall(r".*studies.*", rules) == ["        graph.studies_run(DATASET),"]


@pytest.mark.parametrize(
    "code",
    [
        "custody.yardstick_labels(c)",
        "from lib.custody import yardstick_labels as f",
        "getattr(custody, 'yardstick_labels')",
    ],
)
def test_asking_is_seen(code):
    assert ALL_LABELS in names_used(code)


@each_study
def test_a_study_has_the_form_of_a_chapter(name):
    cells = chapters.read(NOTEBOOKS[name]).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    lines = cells[0].source.splitlines()
    assert re.fullmatch(r"# [A-Z].*\?", lines[0])
    assert re.fullmatch(r"\*\*Needs\*\* \S.* · \*\*Produces\*\* \S.* · \*\*Answers\*\* \S.*", lines[1])
    assert f'context = config.study("{name}", DATASET)' in code[2]
    assert len(code) in range(12, 26) and max(len(source.splitlines()) for source in code) <= 20
    kinds = ast.FunctionDef | ast.ClassDef | ast.Lambda
    assert not [node for source in code for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    headings = [line for cell in cells for line in cell.source.splitlines() if line.startswith("## ")]
    assert headings[-2:] == ["## What we found", "## What next"] and "claims.judge()" in code
