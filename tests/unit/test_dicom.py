"""DICOM files come out as a viewer first shows them; whatever is not complete or not known says so, and nothing warns."""

import io
import runpy
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_voi, apply_windowing

from lib import decode

dicom_file = runpy.run_path(str(Path(__file__).parents[1] / "data" / "dicom_file.py"))["dicom_file"]

GENERATOR = np.random.default_rng(7)
DEEP = GENERATOR.integers(0, 4096, (9, 14), dtype=np.uint16)
GREY = GENERATOR.integers(0, 256, (9, 14), dtype=np.uint8)
RAMP = np.add.outer(np.arange(16) * 6, np.arange(16) * 7).astype(np.uint8)  # smooth: JPEG changes little
COLOUR = np.dstack([RAMP, RAMP[::-1], RAMP.T])
WHOLE_BYTE = {"WindowCenter": 128, "WindowWidth": 256}  # 0-255 stay what they are
TWELVE_BITS = {"BitsStored": 12, "HighBit": 11}


def compressed(values: np.ndarray, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, kind, **options)
    return buffer.getvalue()


def run_length_encoded(values: np.ndarray, **tags: object) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(dicom_file(values, **tags)))
    dataset.compress(uid.RLELossless, generate_instance_uid=False)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


FILES = {
    "explicit": dicom_file(GREY, **WHOLE_BYTE),
    "implicit": dicom_file(GREY, uid.ImplicitVRLittleEndian, **WHOLE_BYTE),
    "big endian": dicom_file(DEEP, uid.ExplicitVRBigEndian, **TWELVE_BITS),
    "colour": dicom_file(COLOUR),
    "run lengths": run_length_encoded(GREY, **WHOLE_BYTE),
    "JPEG": dicom_file(RAMP, uid.JPEGBaseline8Bit, compressed(RAMP, "JPEG", quality=95), **WHOLE_BYTE),
    "JPEG 2000": dicom_file(RAMP, uid.JPEG2000Lossless, compressed(RAMP, "JPEG2000", no_jp2=True), **WHOLE_BYTE),
}


def pixels(data: bytes) -> np.ndarray:
    found = decode.decode(data)
    assert found.format == "DICOM" and found.pixels.dtype == np.uint8 and found.pixels.flags.c_contiguous
    return found.pixels


def refusal(data: bytes) -> tuple[str, str]:
    with pytest.raises(decode.DecodeError) as refused:
        decode.decode(data)
    return refused.value.kind, str(refused.value)


@pytest.mark.parametrize("name", ["explicit", "implicit", "run lengths"])
def test_a_window_of_the_whole_byte_changes_nothing(name):
    np.testing.assert_array_equal(pixels(FILES[name]), GREY)


def test_lossless_and_lossy_jpeg_are_decoded():
    np.testing.assert_array_equal(pixels(FILES["JPEG 2000"]), RAMP)
    assert abs(pixels(FILES["JPEG"]).astype(int) - RAMP).max() <= 2


def test_byte_order_does_not_matter():
    little = dicom_file(DEEP, uid.ExplicitVRLittleEndian, **TWELVE_BITS)
    np.testing.assert_array_equal(pixels(FILES["big endian"]), pixels(little))


def test_mode_tells_the_kind_and_the_bits():
    assert decode.decode(FILES["big endian"]).mode == "MONOCHROME2;12"
    assert decode.decode(FILES["colour"]).mode == "RGB;8"


def test_without_a_window_the_extremes_become_black_and_white():
    values = np.array([[100, 200], [150, 300]], np.int16)
    np.testing.assert_array_equal(pixels(dicom_file(values)), [[0, 128], [64, 255]])
    np.testing.assert_array_equal(pixels(dicom_file(values * 0 + 7)), np.zeros((2, 2)))


def test_monochrome1_is_inverted():
    inverted = dicom_file(GREY, PhotometricInterpretation="MONOCHROME1", **WHOLE_BYTE)
    np.testing.assert_array_equal(pixels(inverted), 255 - GREY)


def test_the_first_of_several_windows_counts():
    several = dicom_file(DEEP, WindowCenter=[1000, 3000], WindowWidth=[500, 10])
    np.testing.assert_array_equal(pixels(several), pixels(dicom_file(DEEP, WindowCenter=1000, WindowWidth=500)))


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("dtype", [np.uint16, np.int16])
@pytest.mark.parametrize(("centre", "width"), [(1000, 400), (40.5, 2000), (-100, 1), (3000, 1)])
def test_windows_agree_with_pydicom(function, dtype, centre, width):
    tags = {"WindowCenter": centre, "WindowWidth": width, "RescaleSlope": 2, "RescaleIntercept": -1024}
    data = dicom_file(DEEP.astype(dtype), **tags, **({"VOILUTFunction": function} if function else {}))
    dataset = pydicom.dcmread(io.BytesIO(data))
    stored = (0, 65535) if dtype == np.uint16 else (-32768, 32767)
    low, high = (value * 2 - 1024 for value in stored)
    with np.errstate(over="ignore"):
        expected = apply_windowing(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    assert abs(pixels(data) - (expected - low) / (high - low) * 255).max() <= 0.5 + 1e-9


def table(entries: list[int], first: int, bits: int, keyword: str = "LUTData") -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.add_new(pydicom.datadict.tag_for_keyword(keyword), "US", entries)
    return item


def test_a_table_of_values_of_interest_is_used_where_there_is_no_window():
    entries = [value * value // 4096 for value in range(4096)]
    data = dicom_file(DEEP, VOILUTSequence=[table(entries, 0, 12)], **TWELVE_BITS)
    dataset = pydicom.dcmread(io.BytesIO(data))
    np.testing.assert_array_equal(pixels(data), np.rint(apply_voi(dataset.pixel_array, dataset) / 4095 * 255))
    with_window = dicom_file(DEEP, VOILUTSequence=[table(entries, 0, 12)], WindowCenter=9, WindowWidth=9, **TWELVE_BITS)
    np.testing.assert_array_equal(pixels(with_window), pixels(dicom_file(DEEP, WindowCenter=9, WindowWidth=9)))


def test_a_modality_table_is_applied():
    item = table([4095 - value for value in range(4096)], 0, 16)
    item.ModalityLUTType = "US"
    data = dicom_file(DEEP, ModalityLUTSequence=[item], WindowCenter=2048, WindowWidth=4096, **TWELVE_BITS)
    np.testing.assert_array_equal(pixels(data), np.rint((4095 - DEEP.astype(float)) / 4095 * 255))


def test_colours_of_all_kinds():
    np.testing.assert_array_equal(pixels(FILES["colour"]), COLOUR)
    planes = np.ascontiguousarray(COLOUR.transpose(2, 0, 1)).reshape(COLOUR.shape)
    np.testing.assert_array_equal(pixels(dicom_file(planes, PlanarConfiguration=1)), COLOUR)
    deep = dicom_file(COLOUR.astype(np.uint16) * 257)
    np.testing.assert_array_equal(pixels(deep), COLOUR)
    reversible = compressed(COLOUR, "JPEG2000", no_jp2=True, mct=1)
    coded = dicom_file(COLOUR, uid.JPEG2000Lossless, reversible, PhotometricInterpretation="YBR_RCT")
    np.testing.assert_array_equal(pixels(coded), COLOUR)


@pytest.mark.parametrize(("kind", "subsampling", "most"), [("YBR_FULL", 0, 4), ("YBR_FULL_422", 1, 8)])
def test_luminance_and_chrominance_become_colours(kind, subsampling, most):
    jpeg = compressed(COLOUR, "JPEG", quality=97, subsampling=subsampling)
    found = pixels(dicom_file(COLOUR, uid.JPEGBaseline8Bit, jpeg, PhotometricInterpretation=kind))
    assert abs(found.astype(int) - COLOUR).max() <= most


def test_palette_becomes_its_colours():
    palettes = {}
    for number, name in enumerate(("Red", "Green", "Blue")):
        palettes[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        colours = (np.arange(256) * (number + 1) % 256 * 257).astype("<u2")
        palettes[f"{name}PaletteColorLookupTableData"] = colours.tobytes()
    found = pixels(dicom_file(GREY, PhotometricInterpretation="PALETTE COLOR", **palettes))
    np.testing.assert_array_equal(found, np.dstack([GREY * np.uint8(number) for number in (1, 2, 3)]))


@pytest.mark.parametrize(
    ("tags", "kind", "words"),
    [
        ({"NumberOfFrames": 3}, "unsupported", "3 frames"),
        ({"NumberOfFrames": 10**9}, "too_large", "frames"),
        ({"Rows": 65535, "Columns": 65535}, "too_large", "65535 x 65535"),
        ({"Rows": 0}, "unsupported", "no picture"),
        ({"Rows": None}, "unsupported", "Rows is missing"),
        ({"Rows": None, "Columns": None}, "not_an_image", "without a picture"),
        ({"PixelData": None}, "truncated", "missing"),
        ({"BitsAllocated": None}, "unsupported", "BitsAllocated is missing"),
        ({"BitsStored": None}, "unsupported", "BitsStored is missing"),
        ({"SamplesPerPixel": None}, "unsupported", "SamplesPerPixel is missing"),
        ({"PixelRepresentation": None}, "unsupported", "PixelRepresentation is missing"),
        ({"PhotometricInterpretation": None}, "unsupported", "PhotometricInterpretation is missing"),
        ({"PhotometricInterpretation": "HSV"}, "unsupported", "HSV"),
        ({"BitsStored": 99}, "truncated", "Bits Stored"),
        ({"BitsAllocated": 7}, "truncated", "Bits Allocated"),
        ({"WindowCenter": 1, "WindowWidth": 0}, "unsupported", "window"),
        ({"WindowCenter": 1, "WindowWidth": 9, "VOILUTFunction": "SPLINE"}, "unsupported", "SPLINE"),
        ({"RescaleSlope": "1e308", "RescaleIntercept": "0"}, "unsupported", "rescaling"),
    ],
)
def test_what_is_missing_or_wrong_is_said(tags, kind, words):
    found, reason = refusal(dicom_file(GREY.astype(np.uint16) + 1000, **tags))
    assert found == kind and words in reason and "\n" not in reason


@pytest.mark.parametrize("syntax", [uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGExtended12Bit, uid.MPEG2MPML])
def test_other_transfer_syntaxes_are_refused_by_name(syntax):
    kind, reason = refusal(dicom_file(GREY, syntax, b"\0\0"))
    assert kind == "unsupported" and syntax.name[:30] in reason


def test_deflated_files_are_refused_before_they_are_inflated(monkeypatch):
    data = dicom_file(GREY, uid.DeflatedExplicitVRLittleEndian)
    monkeypatch.setattr(pydicom, "dcmread", lambda *_: pytest.fail("opened before its transfer syntax was checked"))
    assert refusal(data)[0] == "unsupported" and "Deflated" in refusal(data)[1]


def test_size_is_checked_before_a_pixel_is_decoded(monkeypatch):
    monkeypatch.setattr(
        "pydicom.pixels.pixel_array", lambda *_, **__: pytest.fail("decoded before its size was checked")
    )
    assert refusal(dicom_file(GREY, Rows=65535, Columns=65535))[0] == "too_large"


@pytest.mark.parametrize("shape", [(8, 8), (99, 99)])
def test_a_frame_of_another_size_than_the_header_says_is_refused(shape):
    frame = compressed(RAMP, "JPEG2000", no_jp2=True)
    assert refusal(dicom_file(np.zeros(shape, np.uint8), uid.JPEG2000Lossless, frame))[0] == "truncated"


def test_a_compressed_frame_that_ends_behind_its_header_is_refused():
    """Pillow decodes it to black."""
    frame = compressed(RAMP, "JPEG2000", no_jp2=True)
    header = frame[: frame.index(b"\xff\x90")]  # up to the first tile
    kind, reason = refusal(dicom_file(RAMP, uid.JPEG2000Lossless, header))
    assert kind == "truncated" and "without an end" in reason


def test_dicom_without_its_magic_is_not_an_image():
    assert refusal(FILES["explicit"][132:])[0] == "not_an_image"


@pytest.mark.parametrize("name", sorted(FILES))
def test_truncated_files_are_refused_or_lack_no_pixel(name):
    whole, kinds = FILES[name], []
    for length in range(len(whole)):
        try:
            np.testing.assert_array_equal(pixels(whole[:length]), pixels(whole))
        except decode.DecodeError as error:
            kinds.append(error.kind)
    assert len(kinds) >= len(whole) - 8  # the end of a sequence carries no pixel
    assert set(kinds[len(whole) // 2 + 150 :]) == {"truncated"}  # within the pixel data


def test_oddities_neither_warn_nor_log(caplog):
    odd = dicom_file(GREY, WindowCenter=128, WindowWidth=256, NumberOfFrames=1).replace(b"1.2.3\0", b"1..x,\0")
    longer = dicom_file(np.vstack([GREY, GREY]), Rows=9)  # more pixel data than the header says: pydicom warns
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for data in (odd, longer, *FILES.values()):
            pixels(data)
    assert not caplog.records


@given(st.sampled_from(sorted(FILES)), st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_damaged_files_decode_or_are_refused(name, data):
    damaged = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(128, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            pixels(bytes(damaged))
        except decode.DecodeError as error:
            assert error.kind and "\n" not in str(error)
