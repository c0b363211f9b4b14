"""Registry of network families: every file of this folder is one, loaded only when a network of it is built.

A family has INPUT_RANGE (low, high), MINIMUM_SIZE (pixels a side), a pydantic model `Parameters`, and
`build(inputs, parameters)`: the functional graph up to the last layer before the head. One that can be frozen in part has
`blocks(parameters)`. One that can start from published weights has WEIGHTS: variant -> package or address that holds them, the
default variant first; `weights` of its parameters asks for them, or for a file. Variants that take no image of MINIMUM_SIZE
stand in MINIMUM_SIZES.
"""

import ast
import importlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from lib import atomic, weights

CONSTANTS = ("INPUT_RANGE", "MINIMUM_SIZE", "MINIMUM_SIZES", "WEIGHTS")


def families() -> list[str]:
    """Names of the network families, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def source(name: str) -> Path:
    """The file of a family. Raises ValueError naming those that exist."""
    if name not in families():
        raise ValueError(f"network {name!r} does not exist; it is one of: {', '.join(families())}")
    return Path(__file__).parent / f"{name}.py"


def sources(name: str) -> list[Path]:
    """The files that decide what a family builds: its own, and those that families share. Raises as `source`."""
    return [source(name), *sorted(Path(__file__).parent.glob("_[a-z]*.py"))]


def minimum_size(name: str, parameters: Mapping[str, Any] = MappingProxyType({})) -> int:
    """Fewest pixels a side that a family takes; read from its file, so that no deep-learning library is loaded."""
    found = _constants(name)
    return found.get("MINIMUM_SIZES", {}).get(parameters.get("variant"), found["MINIMUM_SIZE"])


def input_range(name: str) -> tuple[float, float]:
    """Lowest and highest value that a family takes, read in the same way."""
    return _constants(name)["INPUT_RANGE"]


def weights_file(name: str, parameters: Mapping[str, Any]) -> Path | None:
    """The file that a network starts from; None where it starts from random weights.

    Raises `lib.weights.WeightsRefused` in one line where it cannot be had.
    """
    if (wanted := parameters.get("weights")) is None:
        return None
    published = _constants(name).get("WEIGHTS", {})
    if wanted != "imagenet":
        return weights.local(Path(wanted))
    variant = parameters.get("variant", next(iter(published), name))
    if variant not in published:
        raise weights.WeightsRefused(
            f"nobody published weights of {variant}; those of {', '.join(published)} are there"
        )
    return weights.find(published[variant])


def pretrained(name: str, parameters: Mapping[str, Any]) -> list[str]:
    """What a network that starts from given weights depends on beside its code: hashes of their file and of what reads it.

    Nothing for a network that starts from random weights. Raises `lib.weights.WeightsRefused` as `weights_file`.
    """
    if (file := weights_file(name, parameters)) is None:
        return []
    return [atomic.file_sha256(file), atomic.code_sha256(Path(weights.__file__).read_text())]


def blocks(name: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    """The blocks of a network in order, each with the name of its last layer: what comes later reads nothing before it.

    Nothing where the family names none: such a network is one block. Imports Keras.
    """
    module = family(name)
    return module.blocks(module.Parameters(**parameters)) if hasattr(module, "blocks") else {}


def family(name: str) -> ModuleType:
    """The module of a family; imports Keras. Raises ValueError naming those that exist."""
    return importlib.import_module(f"{__name__}.{source(name).stem}")


def _constants(name: str) -> dict[str, Any]:
    with atomic.PARSING:
        tree = ast.parse(source(name).read_text())
    nodes = [node for node in tree.body if isinstance(node, ast.Assign)]
    wanted = {node.targets[0].id: node.value for node in nodes if isinstance(node.targets[0], ast.Name)}
    return {key: ast.literal_eval(wanted[key]) for key in CONSTANTS if key in wanted}
