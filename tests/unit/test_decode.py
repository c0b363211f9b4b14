"""Bytes either become uint8 pixels or a DecodeError with a reason, whatever they are."""

import io
import pickle
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npy
from PIL import Image

from lib import decode

GENERATOR = np.random.default_rng(7)
GREY = GENERATOR.integers(0, 256, (9, 13), dtype=np.uint8)
COLOUR = GENERATOR.integers(0, 256, (9, 13, 3), dtype=np.uint8)


def encoded(image: Image.Image | np.ndarray, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(buffer, kind, **options)
    return buffer.getvalue()


def saved(array: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


def pixels(data: bytes) -> np.ndarray:
    found = decode.decode(data).pixels
    assert found.dtype == np.uint8 and (found.ndim == 2 or (found.ndim == 3 and found.shape[2] == 3))
    assert found.flags.c_contiguous
    return found


def refusal(data: bytes) -> tuple[str, str]:
    """Kind and reason."""
    with pytest.raises(decode.DecodeError) as refused:
        decode.decode(data)
    return refused.value.kind, str(refused.value)


def decoded_or_refused(data: bytes) -> None:
    """Pixels or a DecodeError of a known kind, no other error and no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            pixels(data)
        except decode.DecodeError as error:
            assert error.kind in get_args(decode.Kind) and str(error) and "\n" not in str(error)


def test_grey_and_colour_come_out_as_they_went_in():
    grey, colour = decode.decode(encoded(GREY)), decode.decode(encoded(COLOUR))
    assert (grey.mode, grey.format, colour.mode, colour.format) == ("L", "PNG", "RGB", "PNG")
    np.testing.assert_array_equal(grey.pixels, GREY)
    np.testing.assert_array_equal(colour.pixels, COLOUR)


def test_transparency_shows_white():
    """As the page of a browser does."""
    alpha = GENERATOR.integers(0, 256, (9, 13), dtype=np.uint8)
    share = alpha[..., None] / 255
    found = pixels(encoded(np.dstack([COLOUR, alpha])))
    assert abs(found - (COLOUR * share + 255 * (1 - share))).max() <= 1
    found = pixels(encoded(np.dstack([GREY, alpha])))
    assert found.ndim == 2 and abs(found - (GREY * share[..., 0] + 255 - alpha)).max() <= 1
    for kind in ("PNG", "GIF", "WEBP", "TIFF"):
        assert (pixels(encoded(Image.new("RGBA", (13, 9), (9, 9, 9, 0)), kind)) == 255).all()
    np.testing.assert_array_equal(pixels(encoded(np.dstack([COLOUR, alpha * 0 + 255]))), COLOUR)


def test_transparent_values_show_white():
    np.testing.assert_array_equal(pixels(encoded(GREY, transparency=7)), np.where(GREY == 7, 255, GREY))
    key = np.where(np.equal(COLOUR, COLOUR[0, 0]).all(axis=-1, keepdims=True), 255, COLOUR)
    np.testing.assert_array_equal(pixels(encoded(COLOUR, transparency=tuple(COLOUR[0, 0].tolist()))), key)
    image = Image.fromarray(COLOUR).quantize(16)
    palette = np.where(np.asarray(image)[..., None] == 3, 255, np.asarray(image.convert("RGB")))
    np.testing.assert_array_equal(pixels(encoded(image, transparency=3)), palette)
    deep = Image.fromarray(np.array([[300, 600]], np.uint16))
    np.testing.assert_array_equal(pixels(encoded(deep, transparency=300)), [[255, 2]])


def test_palette_becomes_its_colours():
    image = Image.fromarray(COLOUR).quantize(16)
    np.testing.assert_array_equal(pixels(encoded(image)), np.asarray(image.convert("RGB")))
    np.testing.assert_array_equal(pixels(encoded(image, "GIF")), np.asarray(image.convert("RGB")))


def test_sixteen_bits_keep_their_range():
    deep = np.array([[0, 257, 200 * 257], [65535, 300, 1]], np.uint16)
    np.testing.assert_array_equal(pixels(encoded(deep)), [[0, 1, 200], [255, 1, 0]])
    np.testing.assert_array_equal(pixels(encoded(deep, "TIFF")), [[0, 1, 200], [255, 1, 0]])
    np.testing.assert_array_equal(pixels(b"P5 3 2 65535\n" + deep.astype(">u2").tobytes()), [[0, 1, 200], [255, 1, 0]])
    big_endian = encoded(Image.frombytes("I;16B", (3, 2), deep.astype(">u2").tobytes()), "TIFF")
    np.testing.assert_array_equal(pixels(big_endian), [[0, 1, 200], [255, 1, 0]])


def test_sixteen_bits_of_colour():
    deep = GENERATOR.integers(0, 65536, (9, 13, 3), dtype=np.uint16)
    for kind in (".png", ".tiff"):
        data = cv2.imencode(kind, deep[..., ::-1])[1].tobytes()
        np.testing.assert_array_equal(pixels(data), deep >> 8)
    assert pixels(cv2.imencode(".png", np.dstack([deep, deep[..., 0]]))[1].tobytes()).shape == (9, 13, 3)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.float32([[0, 0.5, 1]]), [[0, 128, 255]]),
        (np.float32([[0, 2, 254.6]]), [[0, 2, 255]]),
        (np.float32([[0, 257, 65535]]), [[0, 1, 255]]),
        (np.int32([[0, 1, 255]]), [[0, 1, 255]]),
        (np.int32([[0, 257, 65535]]), [[0, 1, 255]]),
    ],
)
def test_the_range_of_floats_and_long_integers_tells_their_unit(values, expected, compression):
    np.testing.assert_array_equal(pixels(encoded(values, "TIFF", compression=compression)), expected)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.float32([[-0.1, 1]]), "from -0.1 to 1"),
        (np.float32([[0, 70000]]), "from 0 to 70000"),
        (np.float32([[0, np.nan]]), "nan"),
        (np.float32([[0, np.inf]]), "inf"),
        (np.int32([[-5, 70]]), "from -5 to 70"),
    ],
)
def test_values_of_no_known_unit_are_refused(values, found):
    for data in (encoded(values, "TIFF"), saved(values.astype(np.float32))):
        kind, reason = refusal(data)
        assert kind == "unsupported" and found in reason


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


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_deep_values_are_turned_too(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    np.testing.assert_array_equal(pixels(encoded(deep, kind, exif=exif)), np.rot90(GREY, -1))


def test_damaged_exif_data_leave_the_picture_as_it_is():
    np.testing.assert_array_equal(pixels(encoded(GREY, exif=b"Exif\0\0neither II nor MM")), GREY)


def test_the_first_picture_of_several_counts():
    others = [Image.fromarray(255 - COLOUR)]
    for kind, options in {"TIFF": {}, "PNG": {}, "WEBP": {"lossless": True}, "GIF": {}}.items():
        several = encoded(COLOUR, kind, save_all=True, append_images=others, **options)
        np.testing.assert_array_equal(pixels(several), pixels(encoded(COLOUR, kind, **options)))
    several = decode.decode(encoded(COLOUR, "MPO", save_all=True, append_images=others))
    assert several.format == "JPEG" and several.pixels.shape == (9, 13, 3)


SMALL = {
    **{kind: encoded(COLOUR, kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000")},
    "grey PNG": encoded(GREY),
    "progressive JPEG": encoded(COLOUR, "JPEG", progressive=True),
    "TIFF of LZW": encoded(COLOUR, "TIFF", compression="tiff_lzw"),
    "codestream": encoded(COLOUR, "JPEG2000", no_jp2=True),
    "NPY": saved(COLOUR),
}
END_WITHOUT_PIXELS = {"PNG": 20, "GIF": 2, "BMP": 1}  # bytes


@pytest.mark.parametrize("name", sorted(SMALL))
def test_truncated_file_is_refused_or_lacks_no_pixel(name):
    whole, kinds = SMALL[name], []
    for length in range(len(whole)):
        try:
            np.testing.assert_array_equal(pixels(whole[:length]), pixels(whole))
        except decode.DecodeError as error:
            kinds.append(error.kind)
    assert len(kinds) >= len(whole) - END_WITHOUT_PIXELS.get(name.split()[-1], 0)
    assert kinds[0] == "empty_file" and set(kinds[12:]) == {"truncated"}


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"", "empty_file", "empty"),
        (b"\0" * 100, "not_an_image", "begins with"),
        (b"not an image", "not_an_image", "begins with b'not an i'"),
        (b"<html></html>", "not_an_image", "<html>"),
        (b"\x89PNG\r\n\x1a\n", "truncated", "cut short"),
        (b"GIF89a", "truncated", "cut short"),
        (b"\x93NUMPY", "truncated", "cut short"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "lfs_pointer", "run `git lfs pull`"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "unsupported", "PostScript"),
        (b"\0\0\0 ftypavif", "unsupported", "AVIF"),
        (b"PK\x03\x04", "unsupported", "ZIP"),
        (encoded(GREY, "ICO"), "unsupported", "icon"),
        (cv2.imencode(".tiff", np.zeros((4, 4, 3), np.float32))[1].tobytes(), "unsupported", "unknown pixel mode"),
    ],
)
def test_what_is_no_image_says_what_it_is(data, kind, words):
    found, reason = refusal(data)
    assert found == kind and words in reason and "\n" not in reason


def test_errors_travel_between_processes():
    error = pickle.loads(pickle.dumps(decode.DecodeError("truncated", "cut\n short")))
    assert (error.kind, str(error)) == ("truncated", "cut short")


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


def tiff_bomb(side: int) -> bytes:
    """A TIFF of one tag more than its size."""
    tags = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 8)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def replaced(data: bytes, marker: bytes, offset: int, size: bytes) -> bytes:
    """A valid file whose header says another size, at an offset behind a marker."""
    at = data.index(marker) + offset
    return data[:at] + size + data[at + len(size) :]


def npy_header(shape: tuple, description: str = "|u1") -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": description, "fortran_order": False, "shape": shape})
    return buffer.getvalue()


LARGE = struct.pack(">II", 60_000, 60_000)
BOMBS = {
    "PNG": bomb(60_000, 60_000),
    "largest PNG": bomb(2**31 - 1, 2**31 - 1),
    "just above": bomb(13_350, 13_350),
    "PPM": b"P5 60000 60000 255\n" + bytes(9),
    "BMP": replaced(encoded(COLOUR, "BMP"), b"BM", 18, struct.pack("<ii", 60_000, 60_000)),
    "GIF": replaced(encoded(GREY, "GIF"), b"GIF8", 6, b"\xff\xff\xff\xff"),
    "frame of GIF": replaced(encoded(GREY, "GIF"), b",\0\0\0\0", 5, b"\xff\xff\xff\xff"),
    "TIFF": tiff_bomb(60_000),
    "JPEG": replaced(encoded(GREY, "JPEG"), b"\xff\xc0", 5, b"\xff\xff\xff\xff"),
    "WEBP": replaced(encoded(COLOUR, "WEBP"), b"\x9d\x01\x2a", 3, b"\xff\x3f\xff\x3f"),
    "lossless WEBP": replaced(encoded(COLOUR, "WEBP", lossless=True), b"VP8L", 9, b"\xff\xff\xff\x0f"),
    "JPEG2000": replaced(encoded(GREY, "JPEG2000"), b"ihdr", 4, LARGE),
    "codestream": replaced(encoded(GREY, "JPEG2000", no_jp2=True), b"\xff\x51", 6, LARGE),
    "NPY": npy_header((60_000, 60_000)) + bytes(9),
    "planes of NPY": npy_header((2**40, 2**40, 3)),
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_bomb_is_refused_from_its_header(name, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded before its size was checked"))
    monkeypatch.setattr(np, "frombuffer", lambda *_: pytest.fail("read before its size was checked"))
    kind, reason = refusal(BOMBS[name])
    assert kind == "too_large" and "pixels" in reason


def test_bombs_take_no_memory(python, tmp_path):
    hidden = replaced(encoded(GREY, "JPEG2000"), b"\xff\x51", 6, LARGE)  # small in the box, large in the codestream
    for name, data in {**BOMBS, "hidden": hidden}.items():
        (tmp_path / name).write_bytes(data)
    code = """
        import pathlib, resource, sys
        from lib import decode
        refused, before = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
            try:
                decode.decode(path.read_bytes())
            except decode.DecodeError:
                refused += 1
        print(refused, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """
    refused, grown = map(int, python(code, tmp_path).split())
    assert refused == len(BOMBS) + 1 and grown < 50  # MiB


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, path: str):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def test_pickled_objects_are_never_loaded(tmp_path):
    payload = np.array([[Payload(str(tmp_path / "run"))]], dtype=object)
    for data in (
        saved(payload, allow_pickle=True),
        pickle.dumps(payload),
        b"\x80\x04" + saved(payload, allow_pickle=True),
    ):
        assert refusal(data)[0] in ("unsupported", "not_an_image")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.int64),
        np.zeros((4, 4), np.uint32),
        np.zeros((4, 4), complex),
        np.zeros((4, 4), "S3"),
        np.zeros((4, 4), [("grey", "u1")]),
        np.zeros(4, np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_arrays_that_are_no_picture_are_refused(array):
    assert refusal(saved(array))[0] == "unsupported"


def test_arrays_are_pictures():
    assert (decode.decode(saved(COLOUR)).mode, decode.decode(saved(GREY)).mode) == ("uint8;3", "uint8;1")
    assert decode.decode(saved(GREY)).format == "NPY"
    np.testing.assert_array_equal(pixels(saved(GREY[..., None])), GREY)
    np.testing.assert_array_equal(pixels(saved(GREY > 99)), np.where(GREY > 99, 255, 0))
    np.testing.assert_array_equal(pixels(saved(GREY.astype(">u2") * 257)), GREY)
    np.testing.assert_array_equal(pixels(saved(GREY / 255)), GREY)
    np.testing.assert_array_equal(pixels(saved(np.asfortranarray(COLOUR))), COLOUR)
    alpha = GENERATOR.integers(0, 256, (9, 13), dtype=np.uint8)
    layers = np.dstack([COLOUR, alpha])
    np.testing.assert_array_equal(pixels(saved(layers)), pixels(encoded(layers)))


def test_warnings_stay_off_in_all_threads_and_come_back(recwarn):
    large = bomb(9_500, 9_500)  # Pillow warns of its size, before it finds that nothing follows

    def decoded(_: int) -> str:
        return refusal(large)[0]

    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(decoded, range(24))) == {"truncated"}
    assert warnings.filters == before and not recwarn.list


any_shape = npy.array_shapes(min_dims=2, max_dims=2, max_side=12)


@given(npy.arrays(np.uint8, any_shape | any_shape.map(lambda shape: (*shape, 3))))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_array_comes_back_from_lossless_files(array):
    for data in (encoded(array), saved(array), encoded(array, "TIFF"), encoded(array, "BMP"), encoded(array, "PPM")):
        np.testing.assert_array_equal(pixels(data), array)


@given(npy.arrays(np.uint16, any_shape))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_sixteen_bits_are_rounded(array):
    for data in (encoded(array), saved(array), encoded(array, "TIFF")):
        np.testing.assert_array_equal(pixels(data), np.rint(array / 257))


beginnings = st.sampled_from(
    [b"", *sorted(decode.SIGNATURES), b"\x93NUMPY\1\0", b"RIFF\0\0\0\0WEBPVP8 ", bytes(128) + b"DICM"]
)


@given(beginnings, st.binary(max_size=200))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_arbitrary_bytes_decode_or_are_refused(beginning, data):
    decoded_or_refused(beginning + data)


@given(st.sampled_from(sorted(SMALL)), st.data())
@settings(max_examples=500, deadline=None, derandomize=True)
def test_damaged_files_decode_or_are_refused(name, data):
    damaged = bytearray(SMALL[name])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, min(len(damaged) - 1, 200)))] = data.draw(st.integers(0, 255))
    decoded_or_refused(bytes(damaged))
