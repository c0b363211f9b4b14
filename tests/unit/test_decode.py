"""Bytes either become uint8 pixels or a DecodeError with a reason, whatever they are."""

import contextlib
import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib import decode

GENERATOR = np.random.default_rng(7)
GREY = GENERATOR.integers(0, 256, (9, 13), dtype=np.uint8)
COLOUR = GENERATOR.integers(0, 256, (9, 13, 3), dtype=np.uint8)


def encoded(image: Image.Image | np.ndarray, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(data: bytes) -> np.ndarray:
    found = decode.decode(data).pixels
    assert found.dtype == np.uint8 and (found.ndim == 2 or (found.ndim == 3 and found.shape[2] == 3))
    return found


def test_grey_and_colour_come_out_as_they_went_in():
    grey, colour = decode.decode(encoded(GREY)), decode.decode(encoded(COLOUR))
    assert (grey.mode, grey.format, colour.mode, colour.format) == ("L", "PNG", "RGB", "PNG")
    np.testing.assert_array_equal(grey.pixels, GREY)
    np.testing.assert_array_equal(colour.pixels, COLOUR)


def test_transparency_is_dropped():
    alpha = np.full((9, 13, 1), 128, np.uint8)
    np.testing.assert_array_equal(pixels(encoded(np.dstack([COLOUR, alpha]))), COLOUR)
    np.testing.assert_array_equal(pixels(encoded(np.dstack([GREY, alpha]))), GREY)


def test_palette_becomes_its_colours():
    image = Image.fromarray(COLOUR).quantize(16)
    np.testing.assert_array_equal(pixels(encoded(image)), np.asarray(image.convert("RGB")))
    np.testing.assert_array_equal(pixels(encoded(image, "GIF")), np.asarray(image.convert("RGB")))


def test_sixteen_bits_keep_their_range():
    deep = np.array([[0, 257, 200 * 257], [65535, 300, 1]], np.uint16)
    np.testing.assert_array_equal(pixels(encoded(deep)), [[0, 1, 200], [255, 1, 0]])
    np.testing.assert_array_equal(pixels(encoded(deep, "TIFF")), [[0, 1, 200], [255, 1, 0]])


def test_one_bit_becomes_black_and_white():
    np.testing.assert_array_equal(pixels(encoded(Image.fromarray(GREY > 99))), np.where(GREY > 99, 255, 0))


def test_cmyk_becomes_colour():
    image = Image.new("CMYK", (13, 9), (255, 0, 0, 0))
    found = decode.decode(encoded(image, "JPEG"))
    assert found.mode == "CMYK" and found.pixels.shape == (9, 13, 3)
    assert abs(found.pixels.astype(int) - [0, 255, 255]).max() < 10


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to see it upright
    np.testing.assert_array_equal(pixels(encoded(GREY, exif=exif)), np.rot90(GREY, -1))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_truncated_file_is_refused_or_lacks_no_pixel(kind):
    whole = encoded(COLOUR, kind)
    refused = 0
    for length in range(len(whole)):
        try:
            np.testing.assert_array_equal(pixels(whole[:length]), pixels(whole))
        except decode.DecodeError:
            refused += 1
    assert refused >= len(whole) - 20  # PNG and GIF end in bytes that carry no pixel


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"not an image", b"\x89PNG\r\n\x1a\n", b"<html></html>", b"GIF89a"])
def test_what_is_no_image_is_refused(data):
    with pytest.raises(decode.DecodeError, match="not a complete image"):
        decode.decode(data)


def test_damaged_content_is_refused():
    data = bytearray(encoded(COLOUR))
    data[data.index(b"IDAT") + 20] ^= 0xFF
    with pytest.raises(decode.DecodeError):
        decode.decode(bytes(data))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header claims width x height pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [13_350, 60_000, 2**31 - 1])
def test_bomb_is_refused_from_its_header(side, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded before its size was checked"))
    with pytest.raises(decode.DecodeError, match="pixels"):
        decode.decode(bomb(side, side))


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_arbitrary_bytes_decode_or_are_refused(data):
    with contextlib.suppress(decode.DecodeError):
        pixels(data)


VALID = {kind: encoded(COLOUR, kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "ICO", "AVIF")}


@given(st.sampled_from(sorted(VALID)), st.data())
@settings(max_examples=400, deadline=None, derandomize=True)
def test_damaged_files_decode_or_are_refused(kind, data):
    damaged = bytearray(VALID[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, min(len(damaged) - 1, 200)))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(decode.DecodeError):
            pixels(bytes(damaged))
