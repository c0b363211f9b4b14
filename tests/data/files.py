"""Files from pixels: usual formats, unusual ones that are good, and broken ones."""

import hashlib
import io
import struct
import zlib

import numpy as np
from PIL import Image

JUNK = {
    ".DS_Store": b"\0\0\0\1Bud1\0\0",
    "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "desktop.ini": b"[.ShellClassInfo]\r\n",
}
RESOURCE_FORK = b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(64)  # AppleDouble, as in `__MACOSX/._name.jpeg`
WEB_PAGE = b"<!DOCTYPE html>\n<title>404 Not Found</title>\n"  # what a failed download leaves in place of an image
ROTATED = 6  # EXIF orientation: to be turned by 90 degrees clockwise before it is looked at


def encoded(pixels: np.ndarray | Image.Image, kind: str, **options) -> bytes:
    """An image file. kind: Pillow's name of the format, JPEG, PNG, GIF, WEBP ..."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def jpeg(pixels: np.ndarray, quality: int = 92) -> bytes:
    return encoded(pixels, "JPEG", quality=quality)


def png(pixels: np.ndarray) -> bytes:
    return encoded(pixels, "PNG")


def pgm(pixels: np.ndarray) -> bytes:
    """Binary portable greymap, as the MIAS package has it."""
    height, width = pixels.shape
    return b"P5\n%d %d\n255\n" % (width, height) + pixels.tobytes()


def sixteen_bit_pgm(pixels: np.ndarray) -> bytes:
    """A 16-bit greymap. pixels: (height, width) uint8, spread over 0..65535."""
    height, width = pixels.shape
    return b"P5\n%d %d\n65535\n" % (width, height) + (pixels.astype(">u2") * 257).astype(">u2").tobytes()


def sixteen_bit(pixels: np.ndarray) -> bytes:
    """A 16-bit grey PNG. pixels: (height, width) uint8, spread over 0..65535."""
    return encoded(pixels.astype(np.uint16) * 257, "PNG")


def palette(pixels: np.ndarray) -> bytes:
    return encoded(Image.fromarray(pixels).convert("RGB").quantize(32), "PNG")


def cmyk(pixels: np.ndarray) -> bytes:
    return encoded(Image.fromarray(pixels).convert("RGB").convert("CMYK"), "JPEG", quality=92)


def rgba(pixels: np.ndarray) -> bytes:
    image = Image.fromarray(pixels).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return encoded(image, "PNG")


def rotated(pixels: np.ndarray) -> bytes:
    """A JPEG that lies on its side and says so in EXIF: what it shows is `pixels`."""
    exif = Image.Exif()
    exif[0x0112] = ROTATED
    return encoded(np.ascontiguousarray(np.rot90(pixels)), "JPEG", quality=92, exif=exif)


def commented(data: bytes) -> bytes:
    """A JPEG with a comment put in: other bytes, the same pixels."""
    comment = b"another export"
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + data[2:]


def lossy(pixels: np.ndarray) -> np.ndarray:
    """The picture after an encoding that loses detail."""
    small = min(pixels.shape[:2]) < 64  # with fewer pixels, what a strong encoding leaves could be another picture
    return np.asarray(Image.open(io.BytesIO(jpeg(pixels, quality=75 if small else 55))))


def truncated(data: bytes) -> list[bytes]:
    """The file cut in its first bytes, behind them, in the middle, and a little before the end."""
    return [data[:length] for length in (12, 40, len(data) // 2, len(data) - 24)]


def lfs_pointer(data: bytes) -> bytes:
    """What a checkout without Git LFS leaves in place of the file."""
    name = hashlib.sha256(data).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {len(data)}\n".encode()


def bomb(side: int = 60_000) -> bytes:
    """A small PNG whose valid header announces side x side pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
