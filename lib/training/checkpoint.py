"""The whole state of an unfinished run: what lets a killed one go on as if nothing had happened."""

import json
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np

from lib import atomic


def save(folder: Path, variables: Sequence[keras.Variable], progress: dict, best: Sequence[np.ndarray] = ()) -> None:
    """Write every variable, those of network and optimiser, with the progress (JSON-able), atomically.

    best: the weights of the best epoch so far, where they are kept.
    """
    with atomic.replacing(folder / "state.npz") as temporary:
        values = {f"v{i:05d}": variable.numpy() for i, variable in enumerate(variables)}
        values |= {f"b{i:05d}": value for i, value in enumerate(best)}
        np.savez(temporary, progress=np.array(json.dumps(progress)), **values)


def load(folder: Path) -> tuple[dict, list[np.ndarray], list[np.ndarray]] | None:
    """The saved progress, variables and best weights, or None when there are none (or none that can be read)."""
    try:
        with np.load(folder / "state.npz") as state:
            values, best = ([state[name] for name in sorted(state.files) if name[0] == kind] for kind in "vb")
            return json.loads(str(state["progress"])), values, best
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return None


def restore(variables: Sequence[keras.Variable], values: Sequence[np.ndarray]) -> None:
    """Put saved values back, into a network compiled for the same phase."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
