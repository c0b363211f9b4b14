"""The map of `lib`: who may import whom, what may load a deep-learning library, how large a file may grow."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib import config, graph

PACKAGE = config.REPOSITORY / "lib"
FILES = sorted(PACKAGE.rglob("*.py"))
# A module imports only what stands above it. Modules of a package (with a slash) may import one another.
ORDER = (
    "mistakes", "values", "config", "processes", "atomic", "machine", "onnx", "weights", "networks/", "masks/", "steps/",
    "recipes", "pictures", "dicom", "decode", "perceptual", "manifest", "findings/", "ledger", "readers/", "labels",
    "groups", "folders", "cards", "external", "leaks", "splits", "composition", "custody/", "pixels", "training/", "cost",
    "classical", "backbones", "features/", "lineage", "runs", "grids/", "cells", "combinations", "texts", "estimates",
    "intervals", "unpaired", "scores", "metrics", "statistics", "groupwise", "grades", "brightness", "folds",
    "embedding", "baselines", "yardstick", "protocols", "inflation", "properties", "hypotheses",
    "effects", "epochs", "transfer", "turned", "heads", "timing", "ablations/", "explain/", "sanity", "fit", "masking",
    "preprocessing", "shortcuts", "faults", "final/", "plots/", "chapters", "graph", "jobs", "site/", "lab", "book",
    "studies",
)  # fmt: skip
CLOSED = {  # modules with less above them than their place allows
    "training/": {"decode", "steps/", "pixels", "networks/", "atomic", "onnx"},
    "estimates": set(),
    "intervals": {"estimates"},
    "unpaired": {"estimates"},
    "scores": {"estimates"},
    "metrics": {"estimates", "intervals", "scores"},
    "statistics": {"intervals", "scores"},
    "groupwise": {"estimates", "intervals", "unpaired", "scores", "metrics", "statistics"},
    "brightness": {"metrics"},
    "embedding": set(),
    "values": set(),
    "plots/": {"estimates", "texts"},
    "texts": set(),
}
DEEP_LEARNING = {"tensorflow", "keras", "torch"}
CLASSICAL_CHAPTERS = {"01_explore", "02_clean_and_split", "04_classical_baselines"} & set(config.chapters())
LONGEST_FILE, LONGEST_FUNCTION = 250, 50


def unit(path: Path) -> str:
    """The entry of ORDER that a file belongs to."""
    first, *rest = path.relative_to(PACKAGE).with_suffix("").parts
    return f"{first}/" if rest else first


def may_load_deep_learning(path: Path) -> bool:
    """Files that are only imported where a network is built."""
    light = {"__init__", "__main__", "augmentation", "configuration", "controls", "data"}
    if unit(path) == "explain/":
        return path.stem in {"explainer", "head", "model", "operations"}
    return unit(path) in ("networks/", "training/", "features/") and path.stem not in light


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def units_imported(code: str) -> set[str]:
    """Entries of ORDER that a piece of code imports, anywhere in it."""
    parts = [name.split(".") for name in imported(ast.parse(code)) if name.split(".")[0] == "lib"]
    return {f"{name[1]}/" if f"{name[1]}/" in ORDER else name[1] for name in parts if len(name) > 1}


def asks_for_networks(code: str) -> set[str]:
    """What a piece of code imports by itself that builds, trains or runs networks."""
    names = set(imported(ast.parse(code)))
    direct = {name for name in names if name.split(".")[0] in DEEP_LEARNING or name == "lib.features.extraction"}
    return direct | (units_imported(code) & {"runs", "networks/", "training/"})


def misplaced(unit_name: str, code: str) -> set[str]:
    """What a module imports although it stands below it, or although the module is closed to it."""
    allowed = CLOSED.get(unit_name, set(ORDER[: ORDER.index(unit_name)]))
    return units_imported(code) - allowed - ({unit_name} if unit_name.endswith("/") else set())


def loaded_with_the_module(statements: list[ast.stmt]) -> Iterator[str]:
    """Top-level packages that importing a file imports: not those inside functions, not those for type checkers."""
    for statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield from (name.split(".")[0] for name in imported(statement))
        elif isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING"):
            yield from loaded_with_the_module(statement.orelse)
        else:
            for block in ("body", "orelse", "finalbody"):
                if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from loaded_with_the_module(getattr(statement, block, []))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(config.REPOSITORY).with_suffix("").parts).removesuffix(".__init__")


each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))


@each_file
def test_imports_go_up_only(path):
    if path.parent == PACKAGE and path.stem == "__init__":
        assert not units_imported(path.read_text())
        return
    assert unit(path) in ORDER, f"{path.name} has no place in ORDER; say what it may import by putting it there"
    assert not misplaced(unit(path), path.read_text())


def test_the_order_names_only_what_may_exist():
    later = {"lab", "book", "studies"}  # the front doors
    assert {unit(path) for path in FILES} - {"__init__"} >= set(ORDER) - later


@pytest.mark.parametrize(
    ("unit_name", "code", "refused"),
    [
        ("custody/", "from lib import runs", {"runs"}),
        ("atomic", "def f():\n    import lib.config", set()),
        ("config", "def f():\n    import lib.atomic", {"atomic"}),
        ("metrics", "from lib.atomic import lock", {"atomic"}),
        ("training/", "from lib.training import model\nfrom lib import custody, steps", {"custody/"}),
        ("graph", "from lib.site.book import Book", {"site/"}),
    ],
)
def test_a_wrong_import_is_caught(unit_name, code, refused):
    assert misplaced(unit_name, code) == refused


@each_file
def test_deep_learning_is_imported_where_networks_are(path):
    if not may_load_deep_learning(path):
        assert not DEEP_LEARNING & set(loaded_with_the_module(ast.parse(path.read_text()).body))


def test_everything_else_loads_no_deep_learning_library():
    names = [module_name(path) for path in FILES if not may_load_deep_learning(path)]
    code = f"""
import importlib, sys
for name in {names}:
    importlib.import_module(name)
    assert not {DEEP_LEARNING} & set(sys.modules), f"importing {{name}} loads a deep-learning library"
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=config.REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", sorted(CLASSICAL_CHAPTERS))
def test_classical_chapters_import_no_deep_learning_library(name):
    """They read arrays; what must be computed by a network is computed in another process."""
    code = graph.code_of(config.NOTEBOOKS / f"{name}.py")
    assert not asks_for_networks(code)
    imports = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
    lines = [*map(ast.unparse, imports), "import cleanlab.filter, sys", f"print({DEEP_LEARNING} & set(sys.modules))"]
    found = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=config.REPOSITORY, capture_output=True, text=True
    )
    assert found.stdout == "set()\n", found.stderr


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from lib import features, embedding, grades", set()),
        ("import keras.layers", {"keras.layers"}),
        ("from lib.features import extraction", {"lib.features.extraction"}),
        ("def later():\n    from lib import runs", {"runs"}),
    ],
)
def test_a_chapter_that_would_load_one_is_caught(code, found):
    assert asks_for_networks(code) == found


@each_file
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_FILE, f"{path.name}: more than {LONGEST_FILE} lines"
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, kinds) and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert not long, f"{path.name}: {long} are longer than {LONGEST_FUNCTION} lines"


@each_file
def test_nobody_can_forget_how_many_threads(path):
    """TensorFlow keeps the number that it starts with, and runs that ask for another are refused."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    given = [(each.args.posonlyargs + each.args.args, each.args.defaults, each.name) for each in functions]
    optional = [
        name for named, values, name in given for one in named[len(named) - len(values) :] if one.arg == "threads"
    ]
    assert not optional, f"{path.name}: {optional} take threads by default; make it a required argument"


@pytest.mark.parametrize("name", ["01_explore", "02_clean_and_split", "04_classical_baselines"])
def test_what_a_chapter_without_networks_imports_loads_no_deep_learning_library(name):
    code = graph.code_of(config.NOTEBOOKS / f"{name}.py")
    statements = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
    imports = "\n".join(map(ast.unparse, statements))
    code = f"{imports}\nimport sys\nassert not {DEEP_LEARNING} & set(sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], cwd=config.REPOSITORY, capture_output=True, text=True)
    assert statements and result.returncode == 0, result.stderr
