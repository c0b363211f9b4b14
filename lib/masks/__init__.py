"""Masks (S1.2): a U-Net taught on phantoms, or read from a local file, finds the part of an image that is of interest.

It is taught in a process of its own, once, and stored under the build folder as ONNX: finding masks, and all that imports
this package, loads no deep-learning library.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from lib import atomic, config, machine, networks, onnx
from lib.masks import applying, learning, phantoms
from lib.masks.applying import Found
from lib.masks.phantoms import Kind
from lib.masks.settings import EFFORTS, Settings, WeightsRefused

__all__ = [
    "EFFORTS",
    "Found",
    "Kind",
    "Network",
    "Settings",
    "TrainingFailed",
    "WeightsRefused",
    "get",
    "held_out",
    "key",
    "survey",
]

REFUSED = 3  # exit status of the process that found weights of another network
HELD_OUT, HELD_OUT_SIZE, HELD_OUT_SEED = 100, 300, 20_000  # phantoms, pixels a side, away from the seeds of training
SOURCES = [Path(module.__file__) for module in (applying, learning, onnx, phantoms)] + [networks.source("unet")]
ALONE = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "-1",
}  # same bits anywhere


class TrainingFailed(RuntimeError):
    """The process that teaches a network did not come to its end."""


@dataclass(frozen=True)
class Network:
    """A network that finds masks."""

    settings: Settings
    folder: Path  # network.onnx, model.weights.h5, record.json

    @property
    def record(self) -> dict[str, Any]:
        """key, settings, seconds, iou and constant_iou of the held-out phantoms, device, versions."""
        return atomic.read_json(self.folder / "record.json")

    @property
    def iou(self) -> np.ndarray:
        """Intersection over union of found and true mask: (held-out phantoms,) float in [0, 1]."""
        return np.array(self.record["iou"])

    @property
    def constant_iou(self) -> np.ndarray:
        """The same of one mask for all of them, where most phantoms have theirs: what looking at nothing is worth."""
        return np.array(self.record["constant_iou"])

    def find(self, image: np.ndarray) -> Found:
        """The mask of an image: (height, width) or (height, width, 3) uint8. Any thread may ask."""
        predict = partial(_logits, _session(self.folder / "network.onnx"))
        return applying.find(image, predict, phantoms.PARTS[self.settings.of], self.settings.size)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """The image inside its mask, or as it is where the mask is refused; see `applying.apply`."""
        return applying.apply(image, self.find(image))


def get(settings: Settings) -> Network:
    """The network of these settings; taught now when there is none, by one process while others wait.

    Raises WeightsRefused in one line where the weights file is missing or of another network, TrainingFailed.
    """
    folder = config.build_folder() / "masks" / f"{settings.of}-{key(settings)[:16]}"
    if not folder.exists():
        with atomic.lock(folder.with_suffix(".lock")):
            if not folder.exists():
                _compute(settings, folder)
    return Network(settings, folder)


def key(settings: Settings) -> str:
    """Hash of everything that decides a mask: settings, the weights file, code, minor versions of what trains."""
    weights = None if settings.weights is None else atomic.file_sha256(_weights_file(settings))
    chosen = settings.model_dump(mode="json", exclude={"weights"})
    code = [atomic.code_sha256(path.read_text()) for path in SOURCES]
    versions = [machine.versions()[name].split(".")[:2] for name in ("tensorflow", "keras")]
    return atomic.value_sha256([chosen, settings.trained_on, weights, code, versions])


def held_out(settings: Settings, count: int = HELD_OUT) -> tuple[np.ndarray, np.ndarray]:
    """Phantoms that no training sees, larger than the network's input, and their masks; see `phantoms.draw`."""
    return phantoms.draw(settings.of, count, HELD_OUT_SIZE, HELD_OUT_SEED)


def survey(network: Network, pictures: Callable[[str], np.ndarray], paths: Sequence[str]) -> pd.DataFrame:
    """What the masks of images cover: path, coverage_fraction, refused (bool), `outside_fraction`; one row an image.

    pictures: gives (height, width) or (height, width, 3) uint8 of a path. A refused mask is a finding: the image is
    passed on without one.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda path: _seen(network, pictures(path)), paths)
        rows = list(tqdm(found, total=len(paths), desc="masks", ncols=80, disable=None))
    columns = pd.DataFrame(rows, columns=["coverage_fraction", "refused", "outside_fraction"])
    columns.insert(0, "path", list(paths))
    return columns


def outside_fraction(image: np.ndarray, mask: np.ndarray) -> float:
    """Mean brightness outside a mask as a fraction of that inside; nan where one of both is empty, or the inside black.

    image: (height, width) or (height, width, 3) uint8. mask: (height, width) bool.
    """
    if mask.all() or not mask.any() or not image[mask].any():
        return float("nan")
    return float(image[~mask].mean() / image[mask].mean())


def _seen(network: Network, image: np.ndarray) -> tuple[float, bool, float]:
    found = network.find(image)
    return found.coverage_fraction, found.refused, outside_fraction(image, found.mask)


def _weights_file(settings: Settings) -> Path:
    path = config.REPOSITORY / settings.weights
    if not path.is_file() or not path.name.endswith(".weights.h5"):
        what = "is not there" if not path.exists() else "is no such file"
        raise WeightsRefused(
            f"mask: weights {str(settings.weights)!r} {what}; name a `.weights.h5` file, or leave `weights` out to train here"
        )
    return path


def _compute(settings: Settings, folder: Path) -> None:
    with atomic.replacing_folder(folder) as temporary:
        clock = time.perf_counter()
        command = [sys.executable, "-m", "lib.masks", settings.model_dump_json(), str(temporary)]
        environment = os.environ | ALONE | {"TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, cwd=config.REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True)
        said = (done.stderr.strip().splitlines() or [""])[-1]
        if done.returncode == REFUSED:
            raise WeightsRefused(said)
        if done.returncode:
            raise TrainingFailed(f"mask of {settings.of}: its process ended with {done.returncode}: {said}")
        seconds = time.perf_counter() - clock
        record = {
            "key": key(settings),
            "settings": settings.model_dump(mode="json"),
            "seconds": round(seconds, 2),  # with the start of its process
            **_measured(Network(settings, temporary)),
            "device": machine.device(),
            "versions": machine.versions(),
        }
        atomic.write_json(temporary / "record.json", record)


def _measured(network: Network) -> dict[str, list[float]]:
    """Intersection over union on held-out phantoms, found the way masks of images are."""
    images, masks = held_out(network.settings)
    constant = masks.mean(axis=0) > 0.5
    found = [network.find(image).mask for image in images]
    return {
        "iou": [applying.iou(one, true) for one, true in zip(found, masks, strict=True)],
        "constant_iou": [applying.iou(constant, true) for true in masks],
    }


@cache  # loaded once in a process
def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # whole images are shared between threads
    options.use_deterministic_compute = True
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _logits(session: Any, inputs: np.ndarray) -> np.ndarray:
    return session.run(None, {session.get_inputs()[0].name: inputs[None]})[0][0, ..., 0]
