"""Chapters ask for no run that the build graph does not know."""

import ast
import inspect
import re

import pytest

from lib import cards, config, graph, grids, lineage

each_chapter = pytest.mark.parametrize("name", config.chapters())
STUDIES = {family.study.__name__: family for family in grids.FAMILIES.values()}


def calls(name: str) -> list[ast.Call]:
    code = graph.code_of(config.NOTEBOOKS / f"{name}.py")
    return [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]


def studies_called(name: str) -> list[tuple[str, ast.Call]]:
    """Calls of `grids.<study>(...)` in a chapter."""
    found = [(ast.unparse(call.func), call) for call in calls(name)]
    return [
        (function.removeprefix("grids."), call)
        for function, call in found
        if function.startswith("grids.") and function != "grids.parents_of"
    ]


@pytest.mark.parametrize("name", sorted(path.stem for path in config.NOTEBOOKS.glob("*.py")))
def test_no_configuration_is_made_by_hand(name):
    made = [call for call in calls(name) if ast.unparse(call.func).split(".")[-1] == "Configuration"]
    assert not made, f"{name} makes a Configuration of its own; only families of lib/grids/ do"


@each_chapter
def test_studies_belong_to_the_chapter_that_asks_for_them(name):
    for study, _ in studies_called(name):
        assert study in STUDIES, f"{name}: grids.{study} is no family; the build graph does not know its runs"
        assert STUDIES[study].chapter == name, f"{name}: grids.{study} belongs to {STUDIES[study].chapter}"


@each_chapter
def test_studies_get_the_parameters_that_the_graph_gives_them(name):
    """`grids.family` fills an argument from the parameter of the same name; the chapter's call must do the same."""
    for study, call in studies_called(name):
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        given = inspect.signature(STUDIES[study].study).bind(*map(ast.unparse, call.args), **keywords).arguments
        other = {argument: value for argument, value in given.items() if value != argument.upper()}
        assert not other, f"{name}: grids.{study} gets {other} instead of the parameters of these names"


@each_chapter
def test_features_are_asked_for_as_the_graph_makes_them(name):
    """`graph.features_of` knows them from the parameters BACKBONE and FEATURE_SIZE, and from nothing else."""
    asked = [ast.unparse(call) for call in calls(name) if re.fullmatch(r"features\.\w+", ast.unparse(call.func))]
    wrong = [call for call in asked if call != "features.get(context, BACKBONE, FEATURE_SIZE)"]
    assert not wrong, f"{name}: {wrong} must be features.get(context, BACKBONE, FEATURE_SIZE)"
    parameters = {"BACKBONE", "FEATURE_SIZE"} & set(graph.default_parameters(name))
    assert len(parameters) == (2 if asked else 0), f"{name}: BACKBONE and FEATURE_SIZE go with features.get"


@each_chapter
def test_every_family_is_asked_for(name):
    families = {family.study.__name__ for family in grids.FAMILIES.values() if family.chapter == name}
    assert families == {study for study, _ in studies_called(name)}


@pytest.mark.parametrize("profile", config.PROFILES)
def test_the_graph_lists_the_runs_of_every_family(profile):
    for label, family in grids.FAMILIES.items():
        assert family.chapter in config.chapters(), f"family {label}: no chapter {family.chapter}"
        assert graph.runs_of(family.chapter, "elpv", profile)


def one_change(family: grids.Family, study: grids.Study) -> None:
    parents = family.parents(study)
    assert {*parents, *parents.values()} <= set(study), "a parent that is no setting"
    lineage.changed(study, parents)
    slugs = [graph.slug(run) for group in study.values() for run in group]
    assert len(slugs) == len(set(slugs)), "two settings are one run"


@pytest.mark.parametrize("profile", config.PROFILES)
@pytest.mark.parametrize("label", grids.FAMILIES)
def test_each_setting_differs_from_its_parent_by_one_thing(label, profile):
    """Each is a fresh network, too: nothing in a configuration names another run, and each has a slug of its own (S3.39)."""
    family = grids.FAMILIES[label]
    one_change(family, grids.family(label, config.chapter_parameters(family.chapter, "elpv", profile)))


@pytest.mark.parametrize("dataset", [name for name in config.datasets() if name != "elpv"])
def test_so_does_each_setting_on_other_data(dataset, monkeypatch):
    """Cards decide which settings there are, whatever the profile: with a simulator of defects or without, graded or not."""
    monkeypatch.setattr(cards, "load", cards.declared)  # no data are there to read classes from
    for label, family in grids.FAMILIES.items():
        given = config.chapter_parameters(family.chapter, dataset, "smoke")
        one_change(family, grids.family(label, given, whole=True))


@pytest.mark.parametrize("name", [name for name in config.studies() if config.study_settings(name).family])
def test_so_does_each_setting_of_a_study(name):
    declared = config.study_settings(name)
    family = grids.STUDIES[declared.family]
    one_change(family, grids.family(declared.family, {"DATASET": declared.dataset, **declared.parameters}))
