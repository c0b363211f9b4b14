"""The whole state of an unfinished run: what lets a killed one go on as if nothing had happened."""

import json
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np

from lib import atomic


def save(folder: Path, model: keras.Model, progress: dict) -> None:
    """Write every variable of network and optimiser with the progress (JSON-able), atomically."""
    with atomic.replacing(folder / "state.npz") as temporary:
        values = {f"v{i:05d}": variable.numpy() for i, variable in enumerate(_variables(model))}
        np.savez(temporary, progress=np.array(json.dumps(progress)), **values)


def load(folder: Path) -> tuple[dict, list[np.ndarray]] | None:
    """The saved progress and variables, or None when there are none (or none that can be read)."""
    try:
        with np.load(folder / "state.npz") as state:
            values = [state[name] for name in sorted(state.files) if name.startswith("v")]
            return json.loads(str(state["progress"])), values
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return None


def restore(model: keras.Model, values: list[np.ndarray]) -> None:
    """Put saved variables back into a network compiled for the same phase."""
    for variable, value in zip(_variables(model), values, strict=True):
        variable.assign(value)


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.variables, *model.optimizer.variables]
