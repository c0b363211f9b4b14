"""Registry of network families: every file of this folder is one, loaded only when a network of it is built.

A family has INPUT_RANGE (low, high), MINIMUM_SIZE (pixels a side), a pydantic model `Parameters`, and
`build(inputs, parameters)`: the functional graph up to the last layer before the head. One that can start from published
weights has WEIGHTS: variant -> package that holds them, the default variant first; `weights` of its parameters asks for them.
"""

import ast
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

from lib import atomic, weights


def families() -> list[str]:
    """Names of the network families, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def source(name: str) -> Path:
    """The file of a family. Raises ValueError naming those that exist."""
    if name not in families():
        raise ValueError(f"network {name!r} does not exist; it is one of: {', '.join(families())}")
    return Path(__file__).parent / f"{name}.py"


def minimum_size(name: str) -> int:
    """Fewest pixels a side that a family takes; read from its file, so that no deep-learning library is loaded."""
    return _constants(name)["MINIMUM_SIZE"]


def input_range(name: str) -> tuple[float, float]:
    """Lowest and highest value that a family takes, read in the same way."""
    return _constants(name)["INPUT_RANGE"]


def pretrained(name: str, parameters: dict[str, Any]) -> list[str]:
    """What a network that starts from published weights depends on beside its code: hashes of their file and of what
    reads it; nothing for a network that does not. Raises `lib.weights.WeightsRefused` where they are not installed.
    """
    if parameters.get("weights") is None:
        return []
    packages = _constants(name)["WEIGHTS"]
    variant = parameters.get("variant", next(iter(packages)))
    if variant not in packages:
        raise weights.WeightsRefused(f"no package holds weights of {variant}; those of {', '.join(packages)} are there")
    reader = atomic.code_sha256(Path(weights.__file__).read_text())
    return [atomic.file_sha256(weights.find(packages[variant])), reader]


def family(name: str) -> ModuleType:
    """The module of a family; imports Keras. Raises ValueError naming those that exist."""
    return importlib.import_module(f"{__name__}.{source(name).stem}")


def _constants(name: str) -> dict[str, Any]:
    nodes = [node for node in ast.parse(source(name).read_text()).body if isinstance(node, ast.Assign)]
    wanted = {node.targets[0].id: node.value for node in nodes if isinstance(node.targets[0], ast.Name)}
    return {key: ast.literal_eval(wanted[key]) for key in ("INPUT_RANGE", "MINIMUM_SIZE", "WEIGHTS") if key in wanted}
