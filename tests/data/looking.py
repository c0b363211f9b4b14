"""What files hold, read with Pillow, pydicom and NumPy alone: to check the generated trees without the library."""

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
import pydicom
from PIL import Image, ImageOps

from tests.data import dicom

SUFFIXES = {"PNG": ".png", "JPEG": ".jpg .jpeg", "PPM": ".pgm"}


def contents(folder: Path) -> dict[str, bytes]:
    """Path -> bytes of every file, links left out."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def pixels(data: bytes) -> np.ndarray:
    """What a file shows: (height, width) or (height, width, channels) uint8."""
    if data[128:132] == b"DICM":
        dataset = pydicom.dcmread(io.BytesIO(data))
        values = np.round(dataset.pixel_array * (255 / dicom.HIGHEST)).astype(np.uint8)
        return 255 - values if dataset.PhotometricInterpretation == "MONOCHROME1" else values
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    return np.asarray(image) if image.mode in ("L", "RGB") else np.asarray(image.convert("RGB"))


def opened(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


def grey(data: bytes) -> np.ndarray:
    shown = pixels(data)
    return shown if shown.ndim == 2 else cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)


def thumbnail(image: np.ndarray) -> np.ndarray:
    """(4096,) standardised: the product of two is 4096 times their correlation."""
    small = cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA).astype(float)
    return ((small - small.mean()) / (small.std() + 1e-9)).ravel()


def properties(data: bytes) -> list[float]:
    image = grey(data)
    height, width = image.shape
    sharpness = cv2.Laplacian(image.astype(float), cv2.CV_64F).var()
    return [image.mean(), image.std(), sharpness, (height * width) ** 0.5, width / height]


def is_truncated(data: bytes) -> bool:
    if data[128:132] == b"DICM":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                dataset = pydicom.dcmread(io.BytesIO(data))
                return len(dataset.PixelData) < 2 * dataset.Rows * dataset.Columns
            except (OSError, EOFError, AttributeError):
                return True
    try:
        Image.open(io.BytesIO(data)).load()
    except (OSError, ValueError):
        return data[:2] in (b"\xff\xd8", b"\x89P", b"P5")
    return False


def is_too_large(data: bytes) -> bool:
    if data[128:132] == b"DICM":
        header = pydicom.dcmread(io.BytesIO(data))
        return header.Rows * header.Columns > 10**9
    try:
        Image.open(io.BytesIO(data))
    except Image.DecompressionBombError:
        return len(data) < 2000
    return False


def is_misnamed(path: str, data: bytes) -> bool:
    return Path(path).suffix not in SUFFIXES.get(Image.open(io.BytesIO(data)).format, "").split()
