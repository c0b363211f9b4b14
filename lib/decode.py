"""The one way from an image file's bytes to pixels."""

import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lib import atomic, dicom
from lib.pictures import (
    DecodeError,
    Kind,
    Picture,
    check_end,
    check_size,
    from_known_range,
    from_sixteen_bits,
    over_white,
    quiet,
)

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
SIGNATURES = {  # what is read, by its first bytes -> Pillow's name of the format
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51": "JPEG2000",
    **{b"P%d%c" % (number, space): "PPM" for number in range(1, 7) for space in b" \t\r\n"},
}
REFUSED = {  # known, and not read: no format that runs a program, none that needs a further package
    b"%!PS": "PostScript",
    b"\xc5\xd0\xd3\xc6": "PostScript",
    b"%PDF": "PDF",
    b"8BPS": "Photoshop",
    b"\0\0\1\0": "icon",
    b"PK\x03\x04": "ZIP or NPZ",
    b"\x1f\x8b": "gzip",
    b"\x89HDF": "HDF5",
    b"<svg": "SVG",
}
ARRAY = b"\x93NUMPY"
ARRAY_CHANNELS = (1, 3, 4)
# Pillow's own words for what it recognises but cannot read; everything else it says is about damage
NOT_READ = (
    "unsupported",
    "not supported",
    "not available",
    "unknown pixel mode",
    "unknown compression",
    "cannot handle",
)


def decode(data: bytes) -> Picture:
    """Decode a whole image file, or its first picture where it holds several pages or is animated.

    data: the file's bytes; the format is found from content, never from a name. Read are PNG, JPEG, GIF, BMP, TIFF,
    WEBP, PPM, JPEG 2000, DICOM of one frame (see `lib.dicom`) and single arrays (.npy) of shape (h, w), (h, w, 1),
    (h, w, 3) or (h, w, 4). The size is checked in the header, then everything is decoded. 16-bit values are scaled
    from [0, 65535] to [0, 255] (colours by their upper byte, as Pillow does), 32-bit ones and floats by their range (see
    `pictures.from_known_range`); palettes and CMYK become RGB, transparency shows white; EXIF orientation is applied.
    Raises DecodeError, of one of the kinds of unreadable files, for everything that is not a complete image of at
    most 178 million pixels. Never writes, runs, unpickles or warns.
    """
    with quiet:
        try:
            return _reader(data)(data)
        except DecodeError:
            raise
        except MemoryError as error:
            raise DecodeError("too_large", "not enough memory to decode it") from error
        except Exception as error:  # readers raise whatever they stumble over, RuntimeError and AttributeError too
            raise DecodeError(*_explained(error)) from error


def code_sha256() -> str:
    """Hash of the code that turns bytes into pixels: a cache of what it gave is made anew when it changes."""
    folder = Path(__file__).parent
    names = ("pictures.py", "dicom.py", "decode.py")
    return atomic.value_sha256([atomic.code_sha256((folder / name).read_text("utf-8")) for name in names])


def _reader(data: bytes) -> Callable[[bytes], Picture]:
    """The function that reads such bytes; DecodeError where there is none."""
    if not data:
        raise DecodeError("empty_file", "the file is empty")
    if data.startswith(LFS_POINTER):
        raise DecodeError("lfs_pointer", "a Git LFS pointer instead of the image; run `git lfs pull`")
    if dicom.is_dicom(data):
        return dicom.decode
    if data.startswith(ARRAY):
        return _decode_array
    if name := _format(data):
        return lambda data: _decode_file(data, name)
    if refused := _named(data, REFUSED) or ("AVIF or HEIC" if data[4:8] == b"ftyp" else None):
        raise DecodeError("unsupported", f"a {refused} file; convert it to PNG")
    raise DecodeError("not_an_image", f"begins with {data[:8]!r}, like no image format that is read here")


def _format(data: bytes) -> str | None:
    """Pillow's name of the format."""
    return "WEBP" if data.startswith(b"RIFF") and data[8:12] == b"WEBP" else _named(data, SIGNATURES)


def _named(data: bytes, signatures: dict[bytes, str]) -> str | None:
    return next((name for signature, name in signatures.items() if data.startswith(signature)), None)


def _explained(error: Exception) -> tuple[Kind, str]:
    """Kind and reason of an error that some reader raised after it had recognised its format."""
    reason = str(error) or type(error).__name__
    if isinstance(error, Image.DecompressionBombError):
        return "too_large", reason
    if isinstance(error, NotImplementedError) or any(word in reason.lower() for word in NOT_READ):
        return "unsupported", reason
    return "truncated", f"damaged or cut short: {reason}"


def _decode_file(data: bytes, name: str) -> Picture:
    try:
        image = Image.open(io.BytesIO(data), formats=[name])
    except Image.UnidentifiedImageError:  # its text says nothing: ask the reader of this format itself
        Image.OPEN[name][0](io.BytesIO(data), "")
        raise
    with image:
        check_size(*image.size)
        if name == "JPEG2000":
            check_end(data)
        mode = image.mode
        image.load()
        return Picture(np.ascontiguousarray(_pixels(image, name)), mode, name)


def _pixels(image: Image.Image, name: str) -> np.ndarray:
    """Pixels of a loaded image, upright."""
    _turn_upright(image)
    if image.mode.startswith("I;16") or (image.mode == "I" and name == "PPM"):  # PPM: brought to 16 bits by Pillow
        values = np.asarray(image)
        transparent = image.info.get("transparency")  # of PNG: one grey value
        return from_sixteen_bits(values if transparent is None else np.where(values == transparent, 65535, values))
    if image.mode in ("I", "F"):
        return from_known_range(np.asarray(image))
    if image.has_transparency_data:
        return np.asarray(over_white(image))
    return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))


def _turn_upright(image: Image.Image) -> None:
    try:
        orientation = image.getexif().get(0x0112, 1)
    except Exception:  # damaged EXIF data leave the picture as it is
        return
    if orientation in range(2, 9):
        ImageOps.exif_transpose(image, in_place=True)


def _decode_array(data: bytes) -> Picture:
    """A single NumPy array, of which nothing but plain numbers is ever read."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in headers:
        raise DecodeError("unsupported", f"an array file of version {version}")
    shape, by_columns, dtype = headers[version](stream)
    if dtype.kind not in "buf" or (dtype.kind == "u" and dtype.itemsize > 2):
        raise DecodeError("unsupported", f"an array of {dtype}; known are bool, uint8, uint16 and floats")
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in ARRAY_CHANNELS):
        raise DecodeError("unsupported", f"an array of shape {shape}; known are (h, w) and (h, w, 1, 3 or 4)")
    check_size(shape[1], shape[0])
    count = math.prod(shape)
    if (found := len(data) - stream.tell()) < count * dtype.itemsize:
        raise DecodeError("truncated", f"an array of {count * dtype.itemsize:,} bytes, of which {found:,} are there")
    values = np.frombuffer(data, dtype, count, stream.tell()).reshape(shape, order="F" if by_columns else "C")
    channels = shape[2] if len(shape) == 3 else 1
    return Picture(_array_pixels(values, channels), f"{dtype.name};{channels}", "NPY")


def _array_pixels(values: np.ndarray, channels: int) -> np.ndarray:
    if channels == 1:
        values = values.reshape(values.shape[:2])
    match values.dtype.kind, values.dtype.itemsize:
        case "b", _:
            values = values.astype(np.uint8) * np.uint8(255)
        case "u", 2:
            values = from_sixteen_bits(values)
        case "f", _:
            values = from_known_range(values)
    values = np.ascontiguousarray(values)
    return np.asarray(over_white(Image.fromarray(values))) if channels == 4 else values
