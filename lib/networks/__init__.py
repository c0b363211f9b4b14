"""Registry of network families: every file of this folder is one, loaded only when a network of it is built.

A family has INPUT_RANGE (low, high), MINIMUM_SIZE (pixels a side), a pydantic model `Parameters`, and
`build(inputs, parameters)`: the functional graph up to the last layer before the head.
"""

import ast
import importlib
from pathlib import Path
from types import ModuleType


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
    constants = [node for node in ast.parse(source(name).read_text()).body if isinstance(node, ast.Assign)]
    return next(ast.literal_eval(node.value) for node in constants if ast.unparse(node.targets[0]) == "MINIMUM_SIZE")


def family(name: str) -> ModuleType:
    """The module of a family; imports Keras. Raises ValueError naming those that exist."""
    return importlib.import_module(f"{__name__}.{source(name).stem}")
