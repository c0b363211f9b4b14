"""What the build graph needs to know: what each chapter depends on, and which runs come before it."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

from lib import atomic, cards, combinations, config, external, features, grids, ledger, networks, recipes, values
from lib.training.configuration import Configuration

LABELS_OPTIONAL = "labels-optional"  # tag of chapters that images without labels have too
READS_RUNS = "reads-runs"  # tag of chapters that read the runs of those before them
PACKAGE = Path(__file__).parent


def chapter_fingerprint(name: str, dataset: str, profile: str) -> str:
    """Hash of everything a chapter's execution depends on, beside data and runs: its code cells, the modules of `lib`
    that it imports, directly or not, the network files of its runs, its parameters, its runs. Prose is not in it.
    """
    source = config.NOTEBOOKS / f"{name}.py"
    code = code_of(source)
    its_runs = runs_of(name, dataset, profile)
    networks_used = {path for run in its_runs.values() for path in networks.sources(run.network.family)}
    parameters = external.parameters(name, dataset, profile)
    return atomic.value_sha256(
        [
            atomic.code_sha256(code),
            module_hashes(modules_imported(code) | networks_used),
            parameters,
            sorted(its_runs),  # named recipes are in them
            cards.load(dataset).model_dump(mode="json"),
            *external.fingerprint(parameters),
        ]
    )


def data_fingerprint(dataset: str, profile: str) -> str:
    """Hash of what the data step depends on: its code, the card, the policy and the
    decisions by hand, the profile's settings, the identity of the raw files."""
    card = cards.load(dataset)
    return atomic.value_sha256(
        [
            module_hashes(modules_imported("import lib.custody")),
            card.model_dump(mode="json"),
            config.profile_settings(profile).images,
            {kind: rule.model_dump() for kind, rule in ledger.policy().items()},
            ledger.overrides(dataset).to_numpy().tolist(),
            card.reader.fingerprint(),
        ]
    )


def chapters_of(dataset: str) -> list[str]:
    """The chapters that a data set allows: without labels only those whose parameters cell is tagged `labels-optional`."""
    if cards.load(dataset).labelled:
        return config.chapters()
    return [name for name in config.chapters() if _tagged(name, LABELS_OPTIONAL)]


def chapters_read(name: str, dataset: str, profile: str) -> list[str]:
    """The chapters whose runs a chapter reads: those before it that train, when its parameters cell is tagged `reads-runs`."""
    before = [other for other in chapters_of(dataset) if other < name and runs_of(other, dataset, profile)]
    return before if _tagged(name, READS_RUNS) else []


def check_parameters(dataset: str, profile: str) -> None:
    """Hold `params/<profile>.yml` and the named recipes against the chapters before anything runs.

    Raises UserError naming chapter and parameter: unknown, missing, what the chapter's default does not let expect, as
    `values.mismatch`, or what makes no runs, as `combinations.check_family`; or naming a recipe, as `recipes.check`.
    """
    recipes.check()
    for chapter in chapters_of(dataset):
        given = config.chapter_parameters(chapter, dataset, profile)
        where, defaults = f"params/{profile}.yml, {chapter}", default_parameters(chapter)
        for name in sorted({*given, *defaults}):
            if name not in defaults:
                raise config.UserError(f"{where}: {name} is no parameter; they are: {', '.join(defaults)}")
            if name not in given:
                raise config.UserError(f"{where}: {name} is missing; the chapter's default is {defaults[name]!r}")
            if problem := values.mismatch(name, given[name], defaults[name]):
                raise config.UserError(f"{where}: {name} is {given[name]!r}; {problem}, such as {defaults[name]!r}")
        try:
            _check_uses(chapter, given, dataset, profile)
        except config.UserError as error:
            raise config.UserError(f"{where}: {error}") from None


def _check_uses(chapter: str, given: dict[str, Any], dataset: str, profile: str) -> None:
    for name, family in grids.FAMILIES.items():
        if family.chapter == chapter:
            combinations.check_family(name, given)
    if settings := features.settings_for(given, dataset, profile):
        features.check(settings)


def default_parameters(chapter: str) -> dict[str, Any]:
    """Names and values of a chapter's parameters cell."""
    assignments = [node for node in ast.parse(_parameters_cell(chapter).source).body if isinstance(node, ast.Assign)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in assignments}


def _parameters_cell(chapter: str) -> NotebookNode:
    cells = jupytext.read(config.NOTEBOOKS / f"{chapter}.py").cells
    return next(cell for cell in cells if "parameters" in cell.metadata.get("tags", []))


def _tagged(chapter: str, tag: str) -> bool:
    return tag in _parameters_cell(chapter).metadata["tags"]


def runs_of(chapter: str, dataset: str, profile: str) -> dict[str, Configuration]:
    """The runs that a chapter asks for, by a slug that names each: all configurations of its families."""
    families = [name for name, family in grids.FAMILIES.items() if family.chapter == chapter]
    parameters = config.chapter_parameters(chapter, dataset, profile)
    found = [
        configuration
        for name in families
        for configurations in grids.family(name, parameters).values()
        for configuration in configurations
    ]
    return {slug(configuration): configuration for configuration in found}


def features_of(chapter: str, dataset: str, profile: str) -> dict[str, features.Settings]:
    """The frozen features that a chapter asks for, by a slug that names the job: one, or none."""
    found = features.settings_for(config.chapter_parameters(chapter, dataset, profile), dataset, profile)
    return {found.slug: found} if found else {}


def features_fingerprint(settings: features.Settings) -> str:
    """Hash of what the job of features depends on, beside the data."""
    package = set((PACKAGE / "features").glob("*.py"))
    return atomic.value_sha256([features.fingerprint(settings), module_hashes(package)])


def studies_run(dataset: str) -> list[str]:
    """Records of the studies that have been run: the site shows them, and nothing waits for them."""
    folder = config.build_folder() / dataset / "studies" / "chapters"
    return sorted(str(path) for path in folder.glob("study_*/record.json"))


def site_sources() -> list[str]:
    """Files that only rendering depends on."""
    files = [*(config.REPOSITORY / "book").rglob("*"), *(PACKAGE / "site").glob("*.py"), PACKAGE / "chapters.py"]
    files += (config.PARAMETERS / "statements").glob("*.yml")
    return sorted(
        str(path.relative_to(config.REPOSITORY)) for path in files if path.is_file() and path.suffix != ".pyc"
    )


def slug(configuration: Configuration) -> str:
    """Name of a run: known before its data are, unlike its key."""
    return f"{configuration.name}-{atomic.value_sha256(configuration.model_dump(mode='json'))[:8]}"


def code_of(notebook: Path) -> str:
    """The code cells of a percent script, one after the other."""
    return "\n".join(cell.source for cell in jupytext.read(notebook).cells if cell.cell_type == "code")


def modules_imported(code: str) -> set[Path]:
    """Files of `lib` that a piece of code imports, directly or through other modules of `lib`."""
    found: set[Path] = set()
    waiting = set(_imports(code))
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting |= _imports(path.read_text())
    return found


@cache  # a module is imported by many
def _imports(code: str) -> frozenset[Path]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(path for name in names if name.split(".")[0] == "lib" for path in _files(name))


def _files(name: str) -> list[Path]:
    """Files that importing `name` executes: the packages above it, then the module itself."""
    parts = name.split(".")[1:]
    places = [PACKAGE.joinpath(*parts[:depth]) for depth in range(len(parts) + 1)]
    candidates = [place / "__init__.py" for place in places] + [place.with_suffix(".py") for place in places]
    return [path for path in candidates if path.is_file()]


def module_hashes(paths: set[Path]) -> list[Any]:
    """Names of files of `lib` with the hashes of their code."""
    return [[str(path.relative_to(PACKAGE)), atomic.code_sha256(path.read_text())] for path in sorted(paths)]
