"""What decoding gives: a picture, or an error of a kind that is a finding; and how deep values become 8 bits."""

import threading
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

MAXIMUM_PIXELS = 178_000_000  # refused from the header, before anything is decoded; Pillow's own limit is 0.5 % above
LONGEST_REASON = 200  # characters

Kind = Literal["empty_file", "lfs_pointer", "not_an_image", "truncated", "too_large", "unsupported"]


class DecodeError(ValueError):
    """Bytes that are no usable image: `kind` says in which way, the message is the reason, in one line."""

    def __init__(self, kind: Kind, reason: object):
        super().__init__(kind, " ".join(str(reason).split())[:LONGEST_REASON])

    def __str__(self) -> str:
        return self.args[1]

    @property
    def kind(self) -> Kind:
        """One of the kinds of unreadable files."""
        return self.args[0]


@dataclass(frozen=True)
class Picture:
    """A decoded image, and what the file said of itself."""

    pixels: np.ndarray  # (height, width) or (height, width, 3) uint8, C-contiguous; what was grey has no third axis
    mode: str  # Pillow's mode (L, RGB, I;16), of an array `uint8;3`, of DICOM `MONOCHROME2;12` (bits stored)
    format: str  # by content: PNG, JPEG, DICOM, NPY ...


def check_size(width: int, height: int, frames: int = 1) -> None:
    """Raise DecodeError for more pixels than are ever decoded, or for none."""
    if width * height * frames > MAXIMUM_PIXELS:
        many = f" x {frames} frames" if frames > 1 else ""
        raise DecodeError("too_large", f"{width} x {height}{many} pixels in the header, more than {MAXIMUM_PIXELS:,}")
    if min(width, height, frames) < 1:
        raise DecodeError("unsupported", f"{width} x {height} x {frames} pixels in the header: no picture")


def check_end(codestream: bytes) -> None:
    """Raise DecodeError when JPEG 2000 data lack their end marker: cut right behind the header they decode to black."""
    if b"\xff\xd9" not in codestream:  # by the format it occurs nowhere else in the data
        raise DecodeError("truncated", "damaged or cut short: JPEG 2000 data without an end")


def from_sixteen_bits(values: np.ndarray) -> np.ndarray:
    """Scale uint16 from [0, 65535] to uint8 in [0, 255], rounded. Any shape."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def from_known_range(values: np.ndarray) -> np.ndarray:
    """Scale values whose range tells their unit to uint8. Any shape, integers or floats.

    Floats within [0, 1] are fractions; values within [0, 255] stay, within [0, 65535] they are divided by 257.
    Raises DecodeError saying what was found, for everything else and for what is not a number.
    """
    low, high = values.min(), values.max()
    fraction = values.dtype.kind == "f"
    factors = [(1, 255.0)] * fraction + [(255, 1.0), (65535, 1 / 257)]
    factor = next((factor for limit, factor in factors if low >= 0 and high <= limit), None)
    if factor is None:  # also when either is not a number
        raise DecodeError("unsupported", f"values from {low:g} to {high:g}; known are 0 to 1, 0 to 255, 0 to 65535")
    depth = np.promote_types(values.dtype, np.float32)
    return np.rint(values.astype(depth) * depth.type(factor)).astype(np.uint8)


def over_white(image: Image.Image) -> Image.Image:
    """Lay a picture with transparency over white, as the page of a browser shows it. Returns mode L or RGB."""
    grey = image.mode in ("1", "L", "LA", "La")
    layers = image.convert("LA" if grey else "RGBA")
    page = Image.new("L" if grey else "RGB", image.size, "white")
    page.paste(layers.convert(page.mode), mask=layers.getchannel("A"))
    return page


class Quiet:
    """Warnings off while any thread is inside.

    The filters belong to the whole process and `warnings.catch_warnings` would restore them out of order: the first
    thread to come in saves them, the last to leave brings them back.
    """

    def __init__(self):
        self._lock, self._inside, self._saved = threading.Lock(), 0, None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._saved = warnings.catch_warnings(action="ignore")
                self._saved.__enter__()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._saved.__exit__(None, None, None)


quiet = Quiet()
