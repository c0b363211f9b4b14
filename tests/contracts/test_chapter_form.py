"""The form of a chapter: six blocks to open, a budget, and the two blocks that close it."""

import ast
import io
import re
import statistics
import tokenize

import jupytext
import pytest

from lib import chapters, config

CODE_CELLS = range(12, 26)
MEDIAN_LINES = range(3, 7)
LONGEST_CELL = 20
COMMENT_SHARE = 0.1
OPENING = re.compile(r"\*\*Needs\*\* \S.* · \*\*Produces\*\* \S.* · \*\*Answers\*\* \S.*")
LESSON_FUNCTIONS: dict[tuple[str, str], str] = {}  # (chapter, function) -> why the function itself is the lesson
REFUSED = {
    "sys.path": "lib is installed; nothing is added to the path",
    "os.system": "a chapter runs no command",
    "subprocess": "a chapter runs no command",
    "get_ipython": "a chapter runs no magic",
    "urllib": "a chapter downloads nothing",
    "requests": "a chapter downloads nothing",
}

each_chapter = pytest.mark.parametrize("name", config.chapters())


def cells_of(name: str) -> list:
    return chapters.read(config.NOTEBOOKS / f"{name}.py").cells


def code_of(name: str) -> list[str]:
    return [cell.source for cell in cells_of(name) if cell.cell_type == "code"]


def shows(source: str) -> bool:
    """Whether a cell ends in an expression, so that something appears under it."""
    return isinstance(ast.parse(source).body[-1], ast.Expr)


def hypothesis_ids(name: str) -> list[str]:
    calls = [node for node in ast.walk(ast.parse("\n".join(code_of(name)))) if isinstance(node, ast.Call)]
    return [ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func).split(".")[-1] == "Hypothesis"]


@each_chapter
def test_saving_it_in_jupyter_changes_nothing(name):
    script = (config.NOTEBOOKS / f"{name}.py").read_text(encoding="utf-8")
    notebook = jupytext.reads(script, fmt="py:percent")
    assert jupytext.writes(notebook, fmt="py:percent").splitlines() == script.splitlines()


@each_chapter
def test_opens_with_a_question_and_what_it_needs(name):
    first = cells_of(name)[0]
    lines = first.source.splitlines()
    assert first.cell_type == "markdown"
    assert re.fullmatch(r"# [A-Z].*\?", lines[0]), f"{name}: the title {lines[0]!r} asks no question"
    assert OPENING.fullmatch(lines[1]), f"{name}: line 2 is not **Needs** … · **Produces** … · **Answers** …"


@each_chapter
def test_opens_with_imports_parameters_setup_first_result(name):
    cells = cells_of(name)
    assert [cell.cell_type for cell in cells[1:4]] == ["code"] * 3, f"{name}: imports, parameters, setup come first"
    imports, parameters, setup = cells[1:4]
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(imports.source).body)
    assert "parameters" in parameters.metadata.get("tags", [])
    assert f'context = chapter("{name}", DATASET, PROFILE)' in setup.source, f"{name}: no context in the setup cell"
    assert shows(code_of(name)[3]), f"{name}: the cell after the setup shows nothing"


@each_chapter
def test_imports_stand_in_the_first_cell_alone(name):
    later = [node for source in code_of(name)[1:] for node in ast.walk(ast.parse(source))]
    assert not [ast.unparse(node) for node in later if isinstance(node, ast.Import | ast.ImportFrom)]


@each_chapter
def test_budget_of_cells_and_lines(name):
    lengths = [len(source.splitlines()) for source in code_of(name)]
    assert len(lengths) in CODE_CELLS, f"{name}: {len(lengths)} code cells, allowed are 12 to 25"
    assert max(lengths) <= LONGEST_CELL, f"{name}: code cell {lengths.index(max(lengths)) + 1} has {max(lengths)} lines"
    assert round(statistics.median(lengths)) in MEDIAN_LINES, f"{name}: median {statistics.median(lengths)} lines"


@each_chapter
def test_prose_explains_and_comments_are_few(name):
    code = "\n".join(code_of(name)) + "\n"
    lines = [line for line in code.splitlines() if line.strip()]
    comments = [
        token for token in tokenize.generate_tokens(io.StringIO(code).readline) if token.type == tokenize.COMMENT
    ]
    assert len(comments) < COMMENT_SHARE * len(lines), f"{name}: {len(comments)} comments in {len(lines)} lines of code"


@each_chapter
def test_no_function_no_shell_no_download(name):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for source in code_of(name):
        marks = [line for line in source.splitlines() if line.lstrip().startswith(("!", "%"))]
        assert not marks, f"{name}: shell or magic lines {marks}"
        defined = {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)}
        unexplained = {function for function in defined if (name, function) not in LESSON_FUNCTIONS}
        assert not unexplained, f"{name}: {unexplained} belong into lib"
        for text, reason in REFUSED.items():
            assert not re.search(rf"\b{re.escape(text)}\b", source), f"{name}: {text}: {reason}"


@each_chapter
def test_closes_with_verdicts_and_what_next(name):
    cells = cells_of(name)
    headings = [
        (position, line)
        for position, cell in enumerate(cells)
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("## ")
    ]
    (found, first), (following, last) = headings[-2:]
    assert (first, last) == ("## What we found", "## What next")
    assert "claims.judge()" in [cell.source for cell in cells[found:following] if cell.cell_type == "code"]
    assert following == len(cells) - 1, f"{name}: something comes after What next"


@each_chapter
def test_hypotheses_carry_the_number_of_the_chapter(name):
    ids = hypothesis_ids(name)
    assert ids == [f"H{int(name[:2])}.{number}" for number in range(1, len(ids) + 1)]
    answers = cells_of(name)[0].source.splitlines()[1].split("**Answers**")[1]
    assert re.findall(r"H\d+\.\d+", answers) == ([ids[0], ids[-1]] if len(ids) > 1 else ids), f"{name}: {answers}"


def test_figures_have_a_caption_and_a_name_of_their_own():
    names = []
    for chapter in config.chapters():
        for cell in cells_of(chapter):
            if cell.cell_type == "code" and cell.source.splitlines()[-1].startswith("plots."):
                figure = cell.metadata.get("mystnb", {}).get("figure", {})
                assert figure.get("name", "").startswith("fig-"), f"{chapter}, {cell.id}: a figure without a name"
                assert figure.get("caption", "").endswith((".", "?")), f"{chapter}, {cell.id}: a caption is a sentence"
                names.append(figure["name"])
    assert sorted(names) == sorted(set(names))
