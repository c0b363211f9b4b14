"""The pixel cache: every image of a book after the uint8 steps of a recipe, once, in one memory-mapped array."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from lib import atomic, config, decode, steps


@dataclass(frozen=True)
class PixelCache:
    """Images ready for a network."""

    array: np.ndarray  # (n, size, size, channels) uint8, memory-mapped, read-only
    names: np.ndarray  # (n,) str: `image` of the manifest
    sha256: np.ndarray  # (n,) str: hash of each image's pixels, so that a run's key follows what it truly sees

    def rows(self, images: pd.Series) -> np.ndarray:
        """Positions of the named images: (len(images),) int. Raises KeyError naming an image that is not cached."""
        position = pd.Series(np.arange(len(self.names)), index=self.names)
        return position.loc[images].to_numpy()


def cached(
    folder: Path, read: Callable[[str], bytes], table: pd.DataFrame, recipe: steps.Recipe, size: int
) -> PixelCache:
    """The pixels of all images of a manifest; computed on first use, then only mapped.

    folder: where caches lie. read: gives the bytes of a path. table: columns image, path, sha256; every row needs a path.
    size: pixels per side. One process computes while others wait; a killed one leaves nothing behind.
    Raises UserError naming the image, and the step, that cannot be computed.
    """
    uint8_steps = steps.cached_part(recipe)
    path = folder / f"{size}px-{_key(table, uint8_steps, size)[:16]}"
    if not path.exists():
        with atomic.lock(folder / f"{path.name}.lock"):
            if not path.exists():
                _compute(path, read, table, uint8_steps, size)
    index = pd.read_parquet(path / "index.parquet")
    array = np.load(path / "pixels.npy", mmap_mode="r")
    return PixelCache(array, index["image"].to_numpy(), index["sha256"].to_numpy())


def _key(table: pd.DataFrame, recipe: steps.Recipe, size: int) -> str:
    """Content of the files, the steps and the code that turns one into the other."""
    code = [decode.code_sha256(), steps.fingerprint(recipe)]
    recipe_json = [step.model_dump(mode="json") for step in recipe]
    return atomic.value_sha256([table[["image", "sha256"]].to_numpy().tolist(), recipe_json, size, code])


def _compute(path: Path, read: Callable[[str], bytes], table: pd.DataFrame, recipe: steps.Recipe, size: int) -> None:
    def pixels(name: str) -> np.ndarray:
        try:
            return steps.apply(recipe, decode.decode(read(name)).pixels, size)
        except ValueError as error:
            raise config.UserError(f"{name}: {error}") from None

    with atomic.replacing_folder(path) as temporary, ThreadPoolExecutor() as pool:
        images = pool.map(pixels, table["path"])
        first = next(images)
        array = np.lib.format.open_memmap(temporary / "pixels.npy", "w+", np.uint8, (len(table), *first.shape))
        array[0] = first
        for row, image in enumerate(
            tqdm(images, total=len(table) - 1, desc=f"pixels {size}", ncols=80, disable=None), start=1
        ):
            array[row] = _as_the_first(image, first, table["path"].iloc[row])
        array.flush()
        hashes = [atomic.sha256(image.tobytes()) for image in array]
        pd.DataFrame({"image": table["image"].to_numpy(), "sha256": hashes}).to_parquet(temporary / "index.parquet")


def _as_the_first(image: np.ndarray, first: np.ndarray, name: str) -> np.ndarray:
    """The image itself; raises UserError where it has other channels than the first: an array holds one shape."""
    if image.shape != first.shape:
        channels = f"{image.shape[-1]} channels, the first image has {first.shape[-1]}"
        raise config.UserError(f"{name}: the recipe gives {channels}; begin it with `grey` or `colour`")
    return image
