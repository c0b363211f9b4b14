"""Whether runs can be trained and compared: settings against each other, size, recipe, depth and weights against the network."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lib import backbones, config, grids, lineage, mistakes, networks, processes, recipes, steps, weights
from lib.training.configuration import Configuration

if TYPE_CHECKING:
    import keras


def check_family(name: str, given: Mapping[str, Any]) -> None:
    """Raises UserError in one line for parameters that a family of runs cannot have, and as `check`.

    given: the chapter's parameters. They break a rule of the family, no configuration takes them, or a setting does not
    differ from its parent by one thing.
    """
    try:
        grids.check(name, given)
        study = grids.family(name, dict(given))
        lineage.changed(study, grids.parents_of(name, study))
        check((run for runs in study.values() for run in runs), given)
    except ValidationError as error:
        raise config.UserError(_said(error, given)) from None
    except lineage.NotOneChange as error:
        raise config.UserError(str(error)) from None


def check(configurations: Iterable[Configuration], given: Mapping[str, Any]) -> None:
    """Raises UserError in one line for the first combination that its network does not take.

    given: the parameters that the configurations were made from, so that the line can name the one to change. Networks whose
    depth, or whose own file of weights, is asked for are looked into with Keras.
    """
    processes.load_quietly("keras")
    known = {}
    for run in configurations:
        known.setdefault((run.image_size, run.recipe, run.network.model_dump_json(), _depth(run)), run)
    for run in known.values():
        _check_images(run, given)
        _check_network(run, given)
    _check_parts_of_blocks(known.values(), given)


def _check_images(run: Configuration, given: Mapping[str, Any]) -> None:
    family, parameters = run.network.family, run.network.parameters
    if run.image_size < (smallest := networks.minimum_size(family, parameters)):
        raise config.UserError(
            f"{_named(given, 'SIZE', run.image_size)} is too small for network {backbones.name_of(run.network)}: "
            f"it needs {smallest} pixels a side or more"
        )
    try:
        recipes.try_out(run.recipe, run.image_size)
    except config.UserError:
        raise
    except ValueError as error:
        raise config.UserError(f"the recipe cannot be applied: {error}") from None
    if (values := steps.final_range(run.recipe)) != (taken := networks.input_range(family)):
        raise config.UserError(f"the recipe ends in values of {list(values)}, network {family} takes {list(taken)}")
    if backbones.name_of(run.network) in backbones.BACKBONES and (count := _channels(run.recipe)) not in (None, 1, 3):
        raise config.UserError(
            f"the recipe ends in {count} channels, network {backbones.name_of(run.network)} takes 1 or 3; end it in one of them"
        )


def _check_network(run: Configuration, given: Mapping[str, Any]) -> None:
    family, parameters, name = run.network.family, run.network.parameters, backbones.name_of(run.network)
    networks.family(family).Parameters(**parameters)
    if (depth := _depth(run)) and depth > (most := len(networks.blocks(family, parameters)) or 1):
        raise config.UserError(
            f"{_named(given, 'DEPTHS', depth)} is more than network {name} has blocks; give {most} at most"
        )
    try:
        networks.weights_file(family, parameters)
        if parameters.get("weights") not in (None, "imagenet"):
            _fits(run)
    except weights.WeightsRefused as error:
        raise config.UserError(f"BACKBONES, {name}: {error}") from None


def _check_parts_of_blocks(runs: Iterable[Configuration], given: Mapping[str, Any]) -> None:
    """Raises UserError where a depth inside of a block lets no layer learn that a smaller depth does not."""
    by_network: dict[str, dict[float, Configuration]] = {}
    for run in runs:
        by_network.setdefault(run.network.model_dump_json(), {})[_depth(run)] = run
    for depths in by_network.values():
        if any(depth % 1 for depth in depths):
            _check_each_learns_more(dict(sorted(depths.items())), given)


def _check_each_learns_more(depths: Mapping[float, Configuration], given: Mapping[str, Any]) -> None:
    from lib.training import freezing

    run = next(iter(depths.values()))
    network = without_weights(run)
    ends = networks.blocks(run.network.family, run.network.parameters)
    before: dict[int, float] = {}  # parameters that learn -> depth
    for depth, each in depths.items():
        phase = max(each.phases, key=lambda phase: 0 if phase.unfrozen == "all" else phase.unfrozen)
        learning = freezing.apply(network, ends, phase).parameters
        if learning in before:
            raise config.UserError(
                f"{_named(given, 'DEPTHS', depth)} lets the same layers of network {backbones.name_of(run.network)} learn "
                f"as {before[learning]:g}; give depths that each let more of them learn"
            )
        before[learning] = depth


def without_weights(run: Configuration) -> "keras.Model":
    """A run's network from scratch, with one output: no weights are read, neither seed nor threads are set."""
    import keras

    from lib.training import freezing

    family, size = networks.family(run.network.family), run.image_size
    images = keras.Input((size, size, _channels(run.recipe) or 1))
    features = family.build(images, family.Parameters(**run.network.parameters | {"weights": None}))
    pooled = keras.layers.GlobalAveragePooling2D(name=freezing.LAST)(features)
    return keras.Model(images, keras.layers.Dense(1)(pooled))


def _fits(run: Configuration) -> None:
    """Raises WeightsRefused where a file of weights is of another network, saying which one is expected."""
    import keras

    family = networks.family(run.network.family)
    parameters, shape = family.Parameters(**run.network.parameters), (run.image_size, run.image_size, 3)
    try:
        family.build(keras.Input(shape), parameters)
    except weights.WeightsRefused as error:
        source = family.WEIGHTS[parameters.variant]
        expected = f"{source.rpartition('/')[2]} or one like it" if "/" in source else f"that of package {source}"
        raise weights.WeightsRefused(f"{error}; expected is the file of {parameters.variant}: {expected}") from None


def _depth(run: Configuration) -> float:
    """The most blocks that a phase unfreezes by their number."""
    return max(0 if phase.unfrozen == "all" else phase.unfrozen for phase in run.phases)


def _channels(recipe: steps.Recipe) -> int | None:
    """Channels of what enters the network; None where they are those of the files."""
    found = None
    for step in recipe:
        if isinstance(step, steps.RepeatChannels):
            found = step.count if found in (None, 1) else found
        elif isinstance(step, steps.Stack):
            found = len(step.channels)
        else:
            found = {"grey": 1, "colour": 3}.get(step.step, found)
    return found


def _said(error: ValidationError, given: Mapping[str, Any]) -> str:
    """The first problem of a model, with the parameter that its value comes from."""
    problem = error.errors()[0]
    words = "values are missing" if problem["type"] == "missing" else mistakes.said(problem)
    if not problem["loc"]:
        return words
    word = str(problem["loc"][0]).upper().rpartition("_")[2].removesuffix("S")
    return f"{_named(given, word, problem['input'])} is not possible: {words}"


def _named(given: Mapping[str, Any], word: str, value: Any) -> str:
    """The parameter that a value comes from, with the value; lists that hold it come last."""
    fitting = [name for name, each in given.items() if word in name and (each == value or value in _listed(each))]
    names = sorted(fitting, key=lambda name: isinstance(given[name], list))
    return f"{names[0] if names else word} {f'{value:g}' if isinstance(value, int | float) else value}"


def _listed(value: Any) -> list:
    return value if isinstance(value, list) else []
