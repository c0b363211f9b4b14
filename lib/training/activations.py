"""What frozen layers answer, computed once an image and stored; runs that differ in what comes after them share it."""

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lib import atomic, networks, onnx, steps
from lib.training import augmentation, measure, operations
from lib.training import model as building
from lib.training.configuration import Configuration
from lib.training.data import Data, Part

BATCH = 32  # images at a time: small enough for the processor's cache
GIBIBYTE = 2**30
Forward = Callable[[np.ndarray], np.ndarray]  # (n, size, size, channels) in [0, 255] -> (n, ...) float32


@dataclass(frozen=True)
class Stored:
    """Answers in the place of images."""

    data: Data  # to the images as they are: what is measured and predicted from
    learnt: Part  # to the training images as they are learnt from: `copies` versions of the part, one after the other
    copies: int
    record: dict[str, Any]  # JSON-able


@dataclass(frozen=True)
class Store:
    """What the frozen layers of one network answer: a folder of answers for each set of images."""

    configuration: Configuration
    frozen: keras.Model  # from the image to the cut
    cut: str  # name of its last layer
    folder: Path

    @property
    def copies(self) -> int:
        """Augmented versions of the training part; none where nothing is augmented."""
        return self.configuration.storing.copies if self.configuration.augmentation else 0

    def bytes(self, data: Data) -> int:
        """Size of all answers, known before one is computed."""
        images = sum(map(len, data.parts().values())) + self.copies * len(data.train)
        return 4 * images * math.prod(self.frozen.output_shape[1:])

    def refusal(self, data: Data) -> str | None:
        """Why the answers are not stored; None where they are."""
        needed, budget = self.bytes(data) / GIBIBYTE, self.configuration.storing.budget_gib
        return f"{needed:.3g} GiB after {self.cut}, more than the budget of {budget:g}" if needed > budget else None

    def of(self, data: Data) -> Stored:
        """The answers to all parts; those that are not there yet are computed.

        Raises ValueError when they do not fit on the disk.
        """
        parts = data.parts()
        folders = {name: self._made(part, 0) for name, part in parts.items()}
        answered = {name: replace(part, **_answers(folders[name][0], len(part))) for name, part in parts.items()}
        learnt = answered["train"]
        if self.copies:
            folders["learnt"] = self._made(data.train, self.copies)
            learnt = replace(data.train, **_answers(folders["learnt"][0], len(data.train)))
        record = {
            "cut": self.cut,
            "bytes": self.bytes(data),
            # that computing them took, by this run or by the one that did it
            "seconds": round(sum(atomic.read_json(path / "record.json")["seconds"] for path, _ in folders.values()), 2),
            "found": all(found for _, found in folders.values()),
        }
        return Stored(replace(data, **answered), learnt, max(self.copies, 1), record)

    @cached_property
    def _forward(self) -> Forward:
        if self.configuration.engine == "onnx":
            return onnx.forward(self.frozen, self.configuration.threads)
        traced = measure.traced(self.frozen, np.float32)
        return lambda images: np.asarray(traced(images.astype(np.float32)))

    @cached_property
    def _identity(self) -> list[Any]:
        """Everything that decides what an image is answered, beside its pixels."""
        settings, network = self.configuration, self.configuration.network
        sources = [*networks.sources(network.family), Path(__file__), Path(building.__file__)]
        versions = [_minor(keras.__version__), _minor(tf.__version__), settings.threads]
        if settings.engine == "onnx":
            sources, versions = [*sources, Path(onnx.__file__)], [_minor(keras.__version__), *onnx.versions()]
        return [
            [[weight.path, atomic.sha256(weight.numpy().tobytes())] for weight in self.frozen.weights],
            {name: value for name, value in network.parameters.items() if name != "weights"},
            [settings.engine, self.cut, self.frozen.input_shape[1:], versions],
            [[path.name, atomic.code_sha256(path.read_text())] for path in sources],
            steps.fingerprint(steps.graph_part(settings.recipe)),
        ]

    def _key(self, part: Part, copies: int) -> str:
        changes = []
        if copies:
            code = [atomic.code_sha256(Path(module.__file__).read_text()) for module in (augmentation, operations)]
            drawn = [one.model_dump(mode="json") for one in self.configuration.augmentation]
            changes = [drawn, code, copies, self.configuration.seed]
        return atomic.value_sha256([self._identity, part.sha256.tolist(), changes])[:20]

    def _made(self, part: Part, copies: int) -> tuple[Path, bool]:
        """The folder of the answers to a part, and whether it was there. copies: of augmented images; 0: as they are."""
        path = self.folder / self._key(part, copies)
        with atomic.lock(path.with_suffix(".lock")):
            if found := _whole(path):
                return path, found
            with atomic.replacing_folder(path, path.with_name(f"partial-{path.name}")) as temporary:
                started = time.perf_counter()
                self._compute(temporary / "activations.npy", part, copies)
                seconds = round(time.perf_counter() - started, 2)
                atomic.write_json(temporary / "record.json", {"cut": self.cut, "images": len(part), "seconds": seconds})
        return path, False

    def _compute(self, target: Path, part: Part, copies: int) -> None:
        shape = (max(copies, 1) * len(part), *self.frozen.output_shape[1:])
        if (needed := 4 * math.prod(shape)) > (free := shutil.disk_usage(target.parent).free):
            raise ValueError(
                f"{needed / GIBIBYTE:.3g} GiB of activations do not fit on the disk, {free / GIBIBYTE:.3g} are free; "
                "lower storing's budget_gib, or make room"
            )
        array = np.lib.format.open_memmap(target, "w+", np.float32, shape)
        changed = self._changed() if copies else lambda images: images
        for version in range(max(copies, 1)):
            for start in range(0, len(part), BATCH):
                images = part.pixels[part.rows[start : start + BATCH]]
                place = version * len(part) + start
                array[place : place + len(images)] = self._forward(changed(images))
        array.flush()

    def _changed(self) -> Callable[[np.ndarray], np.ndarray]:
        """The augmentations from the beginning of their draws, in a graph of their own."""
        settings = self.configuration
        inputs = keras.Input(self.frozen.input_shape[1:])
        drawn = keras.Model(inputs, augmentation.connect(settings.augmentation, inputs, settings.seed))
        return lambda images: np.asarray(drawn(images.astype(np.float32), training=True))


def _answers(path: Path, images: int) -> dict[str, np.ndarray]:
    """Columns of a part: the array, and the rows of its first version."""
    return {"pixels": np.load(path / "activations.npy", mmap_mode="r"), "rows": np.arange(images)}


def _whole(path: Path) -> bool:
    """Whether there are answers that can be read."""
    try:
        np.load(path / "activations.npy", mmap_mode="r")
        return "seconds" in atomic.read_json(path / "record.json")
    except (OSError, EOFError, ValueError, TypeError):
        return False


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
