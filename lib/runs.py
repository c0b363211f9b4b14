"""Runs: get a finished one or train it, once, whole or not at all."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lib import atomic, cards, config, custody, machine, networks, onnx, pixels, steps
from lib.training import controls
from lib.training.configuration import Configuration
from lib.training.data import Data, Part

if TYPE_CHECKING:  # reading a finished run loads no deep-learning library
    import keras

FILES = ("predictions.parquet", "dynamics.npy", "model.weights.h5")


class DamagedRun(RuntimeError):
    """A run on disk that is not what its record says."""


class Run:
    """A finished run: its record and files, verified when opened."""

    def __init__(self, folder: Path):
        """Raises DamagedRun naming the file that is missing, unreadable or changed."""
        self.folder = folder
        try:
            self.record: dict[str, Any] = atomic.read_json(folder / "record.json")
            expected = {name: self.record["files"][name] for name in FILES}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedRun(f"run {folder.name}: record.json cannot be read ({error})") from None
        for name in FILES:
            path = folder / name
            if not path.exists() or atomic.file_sha256(path) != expected[name]:
                raise DamagedRun(f"run {folder.name}: {name} is {'changed' if path.exists() else 'missing'}")

    @property
    def key(self) -> str:
        """Hash of everything the run depends on."""
        return self.record["key"]

    @property
    def configuration(self) -> Configuration:
        """What the run was asked to do."""
        return Configuration.model_validate(self.record["configuration"])

    @property
    def history(self) -> pd.DataFrame:
        """Measured after every epoch: epoch, part, learning_rate (of the epoch), loss, accuracy, auc, precision, recall, f1.

        Parts: `train`, `tuning`, `validation`. Epoch 0 is the untrained network and has no rate.
        """
        return pd.DataFrame(self.record["history"])

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Per image of train, tuning and validation: image, part, group, label, probability.

        With more than two classes the probabilities are columns probability_0, probability_1 ...
        """
        return pd.read_parquet(self.folder / "predictions.parquet")

    @cached_property
    def dynamics(self) -> np.ndarray:
        """Probabilities on one fixed batch of tuning images: (epochs + 1, images, classes - 1) float (S3.17)."""
        return np.load(self.folder / "dynamics.npy")

    def model(self) -> "keras.Model":
        """The network, rebuilt from code, with the trained weights."""
        from lib.training import model

        labels = np.repeat(np.arange(len(self.record["class_counts"])), self.record["class_counts"])
        network = model.build(self.configuration, self.record["channels"], labels, len(self.record["class_counts"]))
        network.load_weights(self.folder / "model.weights.h5")
        return network


def get(configuration: Configuration, context: config.Context) -> Run:
    """The finished run of a configuration; trained now when there is none.

    Its key follows the configuration, the pixels and labels it sees, the code of training, network and recipe, and the
    minor versions of what computes; nothing else. One process trains a key while others wait for it; a killed one
    leaves a state to go on from; a damaged run is moved aside with a message and trained again. `runs_used.json` gets the key.
    """
    return on(data_of(configuration, context), configuration, context)


def on(data: Data, configuration: Configuration, context: config.Context) -> Run:
    """As `get`, on images that a study divides otherwise than the book."""
    folder = context.root / "runs" / (key := run_key(configuration, data))
    with atomic.lock(folder.with_suffix(".lock")):
        run = _finished(folder)
        if run is None:
            _train(configuration, data, key, folder, context.root / "activations")
            run = Run(folder)
    _note_use(context, key)
    return run


@dataclass(frozen=True)
class Predictions:
    """What several seeds of one configuration predict for the same images."""

    images: np.ndarray  # (n,) str
    groups: np.ndarray  # (n,) str
    labels: np.ndarray  # (n,) int
    probabilities: np.ndarray  # (seeds, n) float: of class 1; (seeds, n, classes) where there are more than two

    def aligned(self, images: np.ndarray) -> np.ndarray:
        """(seeds, len(images)[, classes]): the probabilities of the named images, nan for those that were not predicted."""
        position = pd.Index(self.images).get_indexer(images)
        found = self.probabilities[:, position]
        found[:, position < 0] = np.nan
        return found


def predictions_by_seed(runs: Sequence[Run], part: str) -> Predictions:
    """Stack the predictions of runs that differ by their seed alone.

    part: `train`, `tuning` or `validation`. Raises ValueError when the runs saw other images.
    """
    tables = [run.predictions[run.predictions["part"] == part] for run in runs]
    first = tables[0]
    if any(not np.array_equal(table["image"], first["image"]) for table in tables):  # whatever rows stand above them
        raise ValueError("these runs predict other images; stack runs of one configuration that differ by seed")
    images, groups, labels = (first[column].to_numpy() for column in ("image", "group", "label"))
    return Predictions(images, groups, labels, np.stack([probabilities(table) for table in tables]))


def probabilities(table: pd.DataFrame) -> np.ndarray:
    """Rows of `Run.predictions` as (n,) float, the probability of class 1, or (n, classes) where there are more than two."""
    if "probability" in table:
        return table["probability"].to_numpy()
    return table[[name for name in table.columns if name.startswith("probability_")]].to_numpy()


def data_of(configuration: Configuration, context: config.Context) -> Data:
    """The parts that a configuration sees, on the pixel cache of its recipe and size, as its control has them.

    Raises ValueError when none is left.
    """
    card, rows = cards.load(configuration.dataset), custody.development(context)
    cache = pixels.cached(context.root / "pixels", card.read, rows, configuration.recipe, configuration.image_size)
    if configuration.levels == "extreme":
        rows = rows[rows["level"].isin([rows["level"].min(), rows["level"].max()])]
    parts = {name: part_of(cache, rows[rows["part"] == name]) for name in ("train", "tuning", "validation")}
    return controls.applied(configuration, Data(**parts, classes=len(card.classes)))


def part_of(cache: pixels.PixelCache, rows: pd.DataFrame) -> Part:
    """Images of a manifest as a part of a run's data. Raises UserError when there is none."""
    if rows.empty:
        raise config.UserError("a part of the data has no image left; use a larger profile or other levels")
    positions = cache.rows(rows["image"])
    columns = (rows[column].to_numpy() for column in ("image", "group", "label"))
    return Part(cache.array, positions, *columns, cache.sha256[positions])


def run_key(configuration: Configuration, data: Data) -> str:
    """Hash of everything that decides a run's result, 20 hexadecimal digits."""
    folder = Path(__file__).parent
    network = networks.sources(configuration.network.family)
    exported = configuration.engine == "onnx"
    sources = [*sorted((folder / "training").glob("*.py")), *network, *[Path(onnx.__file__)] * exported]
    code = [[path.name, atomic.code_sha256(path.read_text())] for path in sources]
    code += steps.fingerprint(configuration.recipe)
    code += networks.pretrained(configuration.network.family, configuration.network.parameters)
    versions = machine.minor_versions() + (onnx.versions() if exported else [])
    return atomic.value_sha256([configuration.model_dump(mode="json"), data.fingerprint(), code, versions])[:20]


def _finished(folder: Path) -> Run | None:
    if not folder.exists():
        return None
    try:
        return Run(folder)
    except DamagedRun as error:
        aside = folder.with_name(f"damaged-{folder.name}")
        shutil.rmtree(aside, ignore_errors=True)
        os.replace(folder, aside)
        print(f"{error}; it is kept as {aside.name} and trained again", file=sys.stderr)
        return None


def _train(configuration: Configuration, data: Data, key: str, folder: Path, activations: Path) -> None:
    from lib.training import train

    partial = folder.with_name(f"partial-{key}")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    with atomic.replacing_folder(folder, partial) as temporary:
        network, progress = train.train(configuration, data, temporary, activations)
        _predictions(progress.outputs, data).to_parquet(temporary / "predictions.parquet", index=False)
        np.save(temporary / "dynamics.npy", np.array(progress.dynamics))
        network.save_weights(temporary / "model.weights.h5")
        for left in {path.name for path in temporary.iterdir()} - set(FILES):  # the state, what killed writers began
            (temporary / left).unlink()
        record = {
            "key": key,
            "name": configuration.name,
            "configuration": configuration.model_dump(mode="json"),
            **progress.record(),
            "parameters_total": network.count_params(),
            "class_counts": np.bincount(data.train.labels, minlength=data.classes).tolist(),
            "channels": data.train.pixels.shape[-1],
            "images": {name: len(part) for name, part in data.parts().items()},
            "device": machine.device(),
            "versions": machine.versions(),
            "seed": configuration.seed,
            "started": started,
            "files": {name: atomic.file_sha256(temporary / name) for name in FILES},
        }
        atomic.write_json(temporary / "record.json", record)


def _predictions(outputs: Mapping[str, np.ndarray], data: Data) -> pd.DataFrame:
    from lib.training import measure

    tables = []
    for name, part in data.parts().items():
        probability = measure.probabilities(outputs[name])
        columns = (
            {"probability": probability[:, 1]}
            if data.classes == 2
            else {f"probability_{index}": probability[:, index] for index in range(data.classes)}
        )
        tables.append(
            pd.DataFrame({"image": part.names, "part": name, "group": part.groups, "label": part.labels, **columns})
        )
    return pd.concat(tables, ignore_index=True)


def _note_use(context: config.Context, key: str) -> None:
    path = context.output / "runs_used.json"
    known = atomic.read_json(path) if path.exists() else []
    atomic.write_json(path, sorted({*known, key}))
