"""The manifest: one row an image, with what the file itself tells. No labels here."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from lib import atomic, decode, perceptual

COLUMNS = {  # what cannot be known of an image is missing
    "path": "str",
    "sha256": "str",
    "pixels_sha256": "str",
    "perceptual_hash": "UInt64",
    "thumbnail": "object",
    "bytes": "Int64",
    "format": "str",
    "mode": "str",
    "width": "Int32",
    "height": "Int32",
    "brightness": "float64",
    "contrast": "float64",
    "sharpness": "float64",
    "status": "str",
    "reason": "str",
}
CACHED = [name for name in COLUMNS if name != "path"]  # the path is the caller's
TRANSIENT = ("missing_file", "unreadable")  # of the system, not of the file: tried again each time
BATCH = 5000  # images; so many at the most are read again after the process was killed
MOST_THREADS = 8  # each holds one decoded image
SHARPNESS_SIDE = 256  # pixels per side at the most, so that sharpness does not measure the resolution
PACKAGES = ("numpy", "opencv-python-headless", "pillow", "pydicom")  # their versions decide on pixels

Read = Callable[[str], bytes]


def build(
    read: Read, paths: Sequence[str], identities: Sequence[str] | None = None, cache: Path | None = None
) -> pd.DataFrame:
    """Read every image once and describe it.

    read: gives the content of one path; FileNotFoundError and other errors of the system become the row's status.
    paths: names of the images. identities: one str an image that changes with its content (made from path, size and
    time of modification); with them and `cache`, a Parquet file that this function owns, rows of images that are
    still the same are not read again. It names no path, and is made anew when it is damaged or the code differs.
    Returns one row an image, in the order given: path, sha256 of the file, pixels_sha256 (of shape and decoded
    pixels), perceptual_hash, thumbnail (the bytes of a (64, 64) uint8 grey picture), bytes, format, mode, width and
    height in pixels, brightness and contrast (mean and standard deviation of the grey values, 0-255), sharpness
    (variance of the Laplacian of the grey picture at 256 pixels per side or fewer), status (`ok`, `missing_file`,
    `unreadable` or a kind of DecodeError) and reason (one line, "" when ok).
    """
    keys = _keys(identities) if identities is not None else list(range(len(paths)))
    store = cache if identities is not None else None
    known = _load(store, set(keys)) if store else {}
    pending = [(key, path) for key, path in zip(keys, paths, strict=True) if key not in known]
    with tqdm(total=len(paths), initial=len(paths) - len(pending), desc="manifest", ncols=80, disable=None) as bar:
        for start in range(0, len(pending), BATCH):
            try:
                for key, row in _described(read, pending[start : start + BATCH]):
                    known[key] = row
                    bar.update()
            finally:  # what an interrupted run has read is not lost
                if store:
                    _save(store, known)
    return _frame([known[key] | {"path": path} for key, path in zip(keys, paths, strict=True)])


def _described(read: Read, images: Sequence[tuple[str | int, str]]) -> Iterator[tuple[str | int, dict]]:
    """Key and row of each image, in order; several at once, as decoding and hashing release the interpreter's lock."""
    with ThreadPoolExecutor(min(MOST_THREADS, (os.cpu_count() or 1) + 1)) as pool:  # one reads while others decode
        rows = pool.map(lambda image: _describe(read, image[1]), images)
        yield from zip((key for key, _ in images), rows, strict=True)


def _describe(read: Read, path: str) -> dict:
    row = {}
    try:
        data = read(path)
        row = {"sha256": atomic.sha256(data), "bytes": len(data)}
        return row | _properties(decode.decode(data)) | {"status": "ok", "reason": ""}
    except decode.DecodeError as error:
        return row | {"status": error.kind, "reason": str(error)}
    except FileNotFoundError:
        return {"status": "missing_file", "reason": "there is no such file"}
    except OSError as error:  # its own text names the folder, which is another one on every machine
        return {"status": "unreadable", "reason": f"cannot be read: {error.strerror or type(error).__name__}"}


def _properties(picture: decode.Picture) -> dict:
    pixels = picture.pixels
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    brightness, contrast = _mean_and_deviation(grey)
    small = perceptual.thumbnail(grey)
    digest = hashlib.sha256(str(pixels.shape).encode())
    digest.update(pixels)
    return {
        "pixels_sha256": digest.hexdigest(),
        "perceptual_hash": perceptual.perceptual_hash(small),
        "thumbnail": small.tobytes(),
        "format": picture.format,
        "mode": picture.mode,
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "brightness": brightness,
        "contrast": contrast,
        "sharpness": _sharpness(grey),
    }


def _mean_and_deviation(values: np.ndarray) -> tuple[float, float]:
    mean, deviation = cv2.meanStdDev(values)
    return float(mean[0, 0]), float(deviation[0, 0])


def _sharpness(grey: np.ndarray) -> float:
    """Variance of the Laplacian. Source: Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548."""
    if (longest := max(grey.shape)) > SHARPNESS_SIDE:
        height, width = (max(1, round(side * SHARPNESS_SIDE / longest)) for side in grey.shape)
        grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    return _mean_and_deviation(cv2.Laplacian(grey, cv2.CV_16S))[1] ** 2


def _frame(rows: list[dict] | pd.DataFrame) -> pd.DataFrame:
    """Rows with the columns and types of a manifest."""
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).astype(COLUMNS)
    table["thumbnail"] = table["thumbnail"].where(table["thumbnail"].notna(), None)  # Parquet gives None, pandas NaN
    return table


def _keys(identities: Sequence[str]) -> list[str]:
    """Where the row of each image stands in the cache: another identity, other code or other packages, another key."""
    code = [atomic.code_sha256(Path(file).read_text("utf-8")) for file in (__file__, perceptual.__file__)]
    versions = [metadata.version(package) for package in PACKAGES]
    salt = atomic.value_sha256([decode.code_sha256(), code, versions])
    return [atomic.sha256(f"{salt} {identity}".encode()) for identity in identities]


def _load(cache: Path, keys: set[str]) -> dict[str, dict]:
    """Rows of the cache that are asked for, by key; none where it is absent, damaged or something else."""
    try:
        table = pd.read_parquet(cache, columns=["key", *CACHED], filters=[("key", "in", keys)])
        rows = _frame(table).to_dict("records")
    except Exception:  # of pyarrow and pandas, of many kinds; a cache is never worth stopping for
        return {}
    return dict(zip(table["key"], rows, strict=True))


def _save(cache: Path, rows: dict[str, dict]) -> None:
    """Write the rows that tell of files, not of a passing state of the system; by key, as the order of files tells classes."""
    lasting = {key: row for key, row in rows.items() if row["status"] not in TRANSIENT}
    table = _frame(list(lasting.values()))[CACHED].assign(key=list(lasting)).sort_values("key")
    with atomic.replacing(cache) as temporary:
        table.to_parquet(temporary, index=False)
