"""The one way from an image file's bytes to pixels."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

MAXIMUM_PIXELS = 178_000_000  # refused from the header, before anything is decoded; Pillow's own limit is 0.5 % above


class DecodeError(ValueError):
    """Bytes that are no usable image; the message is the reason."""


@dataclass(frozen=True)
class Picture:
    """A decoded image: pixels (height, width) or (height, width, 3) uint8, and what the file said of itself."""

    pixels: np.ndarray
    mode: str  # Pillow's mode in the file: L, RGB, I;16 ...
    format: str  # by content: PNG, JPEG ...


def decode(data: bytes) -> Picture:
    """Decode a whole image file.

    data: the file's bytes; the format is found from content. 16-bit greys are scaled from [0, 65535] to [0, 255];
    palettes, CMYK and transparency become RGB; EXIF orientation is applied.
    Raises DecodeError with the reason for whatever is not a complete image of at most 178 million pixels.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            mode, kind = image.mode, image.format or "unknown"
            if image.width * image.height > MAXIMUM_PIXELS:
                raise DecodeError(f"{image.width} x {image.height} pixels in the header, more than {MAXIMUM_PIXELS:,}")
            image.load()
            return Picture(_as_uint8(ImageOps.exif_transpose(image)), mode, kind)
    except DecodeError:
        raise
    except Exception as error:  # Pillow's readers raise whatever they stumble over, RuntimeError and AttributeError too
        raise DecodeError(f"not a complete image: {error or type(error).__name__}") from error


def _as_uint8(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I") or image.mode == "F":
        return np.clip(np.asarray(image, np.float64) / 257.0, 0, 255).round().astype(np.uint8)
    grey = image.mode in ("1", "L", "LA")
    return np.asarray(image.convert("L" if grey else "RGB"))
