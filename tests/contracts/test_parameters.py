"""The values of params/ against the `parameters` cell of each chapter: papermill only warns about a name it does not know."""

import ast
from typing import Any

import pytest
import yaml

from lib import chapters, config

ALWAYS = {"DATASET", "PROFILE"}  # injected by the builder, never written in params/
STUDIES = {f"study_{name}": name for name in config.studies()}  # they have no profile
SCRIPTS = sorted(path.stem for path in config.NOTEBOOKS.glob("*.py"))


def parameter_cells(name: str) -> list[str]:
    cells = chapters.read(config.NOTEBOOKS / f"{name}.py").cells
    return [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]


def defaults(name: str) -> dict[str, Any]:
    statements = ast.parse(parameter_cells(name)[0]).body
    return {statement.targets[0].id: ast.literal_eval(statement.value) for statement in statements}


def sections(profile: str) -> dict[str, dict]:
    return yaml.safe_load((config.PARAMETERS / f"{profile}.yml").read_text())["chapters"]


def kind(value: Any) -> Any:
    """The type of a value, of the elements of a list, of the values of a mapping."""
    if isinstance(value, list):
        return ("list", *sorted({str(kind(element)) for element in value}))
    if isinstance(value, dict):
        return ("mapping", *sorted((key, str(kind(element))) for key, element in value.items()))
    return type(value).__name__


@pytest.mark.parametrize("name", SCRIPTS)
def test_one_parameters_cell_of_plain_values(name):
    cells = parameter_cells(name)
    assert len(cells) == 1, f"{name} has {len(cells)} cells tagged `parameters`; papermill needs exactly one"
    for statement in ast.parse(cells[0]).body:
        assert isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name), (
            f"{name}: `{ast.unparse(statement)}` is no plain assignment; the parameters cell holds NAME = value only"
        )
        assert statement.targets[0].id.isupper(), f"{name}: parameter {statement.targets[0].id} is not in capitals"
    assert set(defaults(name)) >= (ALWAYS - {"PROFILE"} if name in STUDIES else ALWAYS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_parameter_is_used(name):
    notebook = chapters.read(config.NOTEBOOKS / f"{name}.py")
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    read = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name) and type(node.ctx) is ast.Load}
    assert set(defaults(name)) <= read, f"{name}: never used: {set(defaults(name)) - read}"


@pytest.mark.parametrize("profile", config.PROFILES)
def test_each_chapter_has_a_section(profile):
    assert sorted(sections(profile)) == config.chapters()


@pytest.mark.parametrize("profile", config.PROFILES)
@pytest.mark.parametrize("name", config.chapters())
def test_names_and_types_are_those_of_the_parameters_cell(profile, name):
    expected = {key: value for key, value in defaults(name).items() if key not in ALWAYS}
    given = sections(profile)[name]
    assert set(given) == set(expected), f"params/{profile}.yml, {name}: names differ from the parameters cell"
    for key, value in given.items():
        assert kind(value) == kind(expected[key]), (
            f"params/{profile}.yml, {name}, {key}: {value!r} is {kind(value)}, the parameters cell has "
            f"{kind(expected[key])}"
        )


@pytest.mark.parametrize("name", config.chapters())
def test_defaults_are_the_values_of_smoke(name):
    assert defaults(name) == config.chapter_parameters(name, "elpv", "smoke")


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_declares_the_parameters_of_its_notebook(name):
    declared = config.study_settings(STUDIES[name])
    assert defaults(name) == {"DATASET": declared.dataset, **declared.parameters}


@pytest.mark.parametrize("profile", config.PROFILES)
def test_chapter_8_begins_where_chapter_7_pinned(profile):
    pinned, used = (config.chapter_parameters(name, "elpv", profile) for name in ("07_overfit", "08_regularise"))
    for name in ("LEARNING_RATE", "MOMENTUM", "STEM", "SIZES"):
        assert used[name] == pinned[name], f"params/{profile}.yml: {name} of chapter 8 is not that of chapter 7"
    assert used["L2"] in pinned["L2_CONSTANTS"], f"params/{profile}.yml: chapter 7 does not sweep the L2 of chapter 8"
