"""The manifest: one row an image, with what the file itself tells. No labels here."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from lib import atomic
from lib.decode import DecodeError, decode


def build(folder: Path, paths: Sequence[str]) -> pd.DataFrame:
    """Read every image once and describe it.

    folder, paths: where the images lie and their names below it; raw files are only read.
    Returns one row an image, in the order given: image (the path without ending), path, sha256, bytes, format, mode,
    width and height in pixels, brightness and contrast (mean and standard deviation of the grey values, 0-255),
    status (`ok`, or why the file cannot be read; then the properties are missing).
    """
    with ThreadPoolExecutor() as pool:  # decoding and hashing release the interpreter's lock
        rows = list(
            tqdm(
                pool.map(lambda path: _describe(folder, path), paths),
                total=len(paths),
                desc="manifest",
                ncols=80,
                disable=None,
            )
        )
    return pd.DataFrame(rows).astype({"width": "Int32", "height": "Int32", "bytes": "Int64"})


def content_sha256(manifest: pd.DataFrame) -> str:
    """Hash of which images there are, with which content."""
    return atomic.value_sha256(manifest[["image", "sha256"]].to_numpy().tolist())


def _describe(folder: Path, path: str) -> dict:
    row = {
        "image": str(Path(path).with_suffix("")),
        "path": path,
        "sha256": None,
        "bytes": None,
        "format": None,
        "mode": None,
    }
    row |= {"width": None, "height": None, "brightness": np.nan, "contrast": np.nan, "status": "ok"}
    try:
        data = (folder / path).read_bytes()
        row |= {"sha256": atomic.sha256(data), "bytes": len(data)}
        picture = decode(data)
    except (OSError, DecodeError) as error:
        return row | {"status": str(error)}
    height, width = picture.pixels.shape[:2]
    grey = picture.pixels if picture.pixels.ndim == 2 else picture.pixels.mean(axis=-1)
    row |= {"format": picture.format, "mode": picture.mode, "width": width, "height": height}
    return row | {"brightness": float(grey.mean()), "contrast": float(grey.std())}
