"""What every reader gives: a list of images, and the identity of a file."""

import re
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from lib import atomic


class Listing(NamedTuple):
    """What a reader finds, before any image is opened."""

    rows: pd.DataFrame  # path, identity (of the file's present content), outside (bool), and what layout and table say
    findings: pd.DataFrame


IMAGE_SUFFIXES = frozenset(
    f".{name}"
    for name in ("png", "jpg", "jpeg", "jpe", "jfif", "bmp", "gif", "tif", "tiff", "webp", "pgm", "ppm", "pbm", "pnm")
    + ("jp2", "j2k", "dcm", "dicom", "npy")
)
OWN_COLUMNS = ("path", "identity", "outside")  # of a listing; no table and no layout gives them


def expression(pattern: str) -> str:
    """The regular expression itself. Raises ValueError saying what is wrong with it."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


def without_ending(name: str) -> str:
    """The name of an image without the ending that says what it is: `a.b.png` is `a.b`, and `a.b` stays."""
    stem, dot, ending = name.rpartition(".")
    return stem if f"{dot}{ending}".lower() in IMAGE_SUFFIXES else name


def identity(root: Path, path: str) -> str:
    """Hash of a file's name, size and time of change: its content is taken to be the same while this is."""
    try:
        stat = (root / path).stat()
    except OSError:  # a link to nowhere
        return ""
    return atomic.value_sha256([path, stat.st_size, stat.st_mtime_ns])


def fingerprint(folder: Path) -> str:
    """Hash of names, sizes and times of all files below a folder."""
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return atomic.value_sha256([identity(folder, path) for path in paths])
