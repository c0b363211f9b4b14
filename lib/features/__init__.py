"""Frozen features: what a pre-trained backbone makes of every image of a book, once, in one memory-mapped array.

They are computed in a process of their own; asking for them and reading them loads no deep-learning library.
"""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import PositiveInt

from lib import atomic, backbones, cards, config, custody, machine, networks, onnx, pixels, steps
from lib.training.configuration import Network

Engine = Literal["keras", "onnx"]
EXTRACTION = Path(__file__).parent / "extraction.py"


class FeaturesFailed(RuntimeError):
    """The process that computes features did not come to its end."""


class Settings(config.Strict):
    """Which features: the same settings and the same pixels give the same numbers."""

    recipe: steps.Recipe
    image_size: PositiveInt  # pixels per side
    backbone: str  # with `=` and a file of weights, where they are not ImageNet's
    engine: Engine = "keras"
    threads: PositiveInt = 1

    @property
    def network(self) -> Network:
        """The backbone's family and parameters. Raises UserError naming those that exist."""
        return backbones.network(*backbones.start(self.backbone))

    @property
    def slug(self) -> str:
        """Name of their job: known before the data are, unlike the key."""
        return f"{backbones.start(self.backbone)[0]}-{self.image_size}px-{atomic.value_sha256(self.model_dump(mode='json'))[:8]}"


@dataclass(frozen=True)
class Features:
    """Features of images."""

    array: np.ndarray  # (n, d) float32, memory-mapped, read-only; d is 1280 for EfficientNet-Lite
    names: np.ndarray  # (n,) str: `image` of the manifest
    record: dict[str, Any]  # key, settings, seconds, images_per_second, device, versions

    def of(self, images: pd.Series | np.ndarray) -> np.ndarray:
        """Features of the named images, in their order: (len(images), d) float32. Raises KeyError for one without any."""
        position = pd.Series(np.arange(len(self.names)), index=self.names)
        return self.array[position.loc[images].to_numpy()]


def settings_for(parameters: dict[str, Any], dataset: str, profile: str) -> Settings | None:
    """The features that a chapter asks for: those of its parameters BACKBONE and FEATURE_SIZE; None where it has none.

    The recipe is the card's, engine and threads are the profile's. The build graph makes them ahead by the same rule.
    """
    if "BACKBONE" not in parameters or "FEATURE_SIZE" not in parameters:
        return None
    chosen = config.profile_settings(profile)
    backbones.find(backbones.start(parameters["BACKBONE"])[0])
    return Settings(
        recipe=cards.load(dataset).recipe,
        image_size=parameters["FEATURE_SIZE"],
        backbone=parameters["BACKBONE"],
        engine=chosen.feature_engine,
        threads=chosen.feature_threads,
    )


def get(context: config.Context, backbone: str, image_size: int) -> Features:
    """The features of all development images of a book; computed on first use.

    Chapters give their parameters BACKBONE and FEATURE_SIZE, nothing else. Raises as `cached`.
    """
    parameters = {"BACKBONE": backbone, "FEATURE_SIZE": image_size}
    settings = settings_for(parameters, context.dataset, context.profile)
    rows, read = custody.development(context), cards.load(context.dataset).read
    cache = pixels.cached(context.root / "pixels", read, rows, settings.recipe, image_size)
    return cached(context.root / "features", cache, settings)


def cached(folder: Path, cache: pixels.PixelCache, settings: Settings) -> Features:
    """The features of all images of a pixel cache; computed on first use, then only mapped.

    folder: where they lie. One process computes while others wait; a killed one leaves nothing behind.
    Raises UserError as `check`, FeaturesFailed when the process that computes them fails.
    """
    check(settings)
    key = _key(cache, settings)
    path = folder / f"{settings.slug}-{key[:16]}"
    if not path.exists():
        with atomic.lock(folder / f"{path.name}.lock"):
            if not path.exists():
                _compute(path, cache, settings, key)
    array = np.load(path / "features.npy", mmap_mode="r")
    names = pd.read_parquet(path / "index.parquet")["image"].to_numpy()
    return Features(array, names, atomic.read_json(path / "record.json"))


def check(settings: Settings) -> None:
    """Raises UserError where size, recipe and backbone do not go together, or the weights are not installed."""
    family, (name, start) = settings.network.family, backbones.start(settings.backbone)
    if refused := backbones.size_refusal(name, settings.image_size):
        raise config.UserError(f"FEATURE_SIZE: {refused}")
    if (given := steps.final_range(settings.recipe)) != (taken := networks.input_range(family)):
        raise config.UserError(f"the recipe ends in values of {list(given)}, {family} takes {list(taken)}")
    if refused := backbones.refusal(name, start):
        raise config.UserError(f"BACKBONE {refused}")


def fingerprint(settings: Settings) -> list[Any]:
    """Everything that decides features beside the pixels: settings, code, weights, minor versions of what computes."""
    network = settings.network
    code = [EXTRACTION.read_text(), Path(onnx.__file__).read_text()]
    code += [path.read_text() for path in networks.sources(network.family)]
    versions = [machine.versions()[name] for name in ("tensorflow", "keras")]
    if settings.engine == "onnx":
        versions += onnx.versions()
    return [
        settings.model_dump(mode="json"),
        network.model_dump(mode="json"),
        networks.pretrained(network.family, network.parameters),
        [atomic.code_sha256(text) for text in code],
        steps.fingerprint(steps.graph_part(settings.recipe)),
        [version.split(".")[:2] for version in versions],
    ]


def _key(cache: pixels.PixelCache, settings: Settings) -> str:
    return atomic.value_sha256([cache.names.tolist(), cache.sha256.tolist(), fingerprint(settings)])


def _compute(path: Path, cache: pixels.PixelCache, settings: Settings, key: str) -> None:
    with atomic.replacing_folder(path) as temporary:
        clock = time.perf_counter()
        arguments = [cache.array.filename, settings.model_dump_json(), temporary / "features.npy"]
        command = [sys.executable, "-m", "lib.features.extraction", *map(str, arguments)]
        if code := subprocess.run(command, cwd=config.REPOSITORY).returncode:
            raise FeaturesFailed(
                f"features {settings.slug}: their process ended with {code}; what it said stands above"
            )
        seconds = time.perf_counter() - clock
        pd.DataFrame({"image": cache.names}).to_parquet(temporary / "index.parquet")
        record = {
            "key": key,
            "settings": settings.model_dump(mode="json"),
            "images": len(cache.names),
            "seconds": round(seconds, 2),  # with the start of its process
            "device": machine.device(),
            "versions": machine.versions(),
        }
        atomic.write_json(temporary / "record.json", record)
