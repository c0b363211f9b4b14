"""DICOM files to pixels, as a viewer first shows them. Source: DICOM PS3.3 C.7.6.3, C.11.1, C.11.2 (2024)."""

import io
import logging
import math

import numpy as np
import pydicom
from pydicom import pixels, uid
from pydicom.filereader import read_dataset

from lib.pictures import DecodeError, Picture, check_end, check_size, from_sixteen_bits

MAGIC, MAGIC_AT = b"DICM", 128
PLUGINS = {  # transfer syntaxes that are read, and by what: the same wherever further plug-ins are installed
    uid.ImplicitVRLittleEndian: "",
    uid.ExplicitVRLittleEndian: "",
    uid.ExplicitVRBigEndian: "",
    uid.RLELossless: "pydicom",
    uid.JPEGBaseline8Bit: "pillow",
    uid.JPEG2000Lossless: "pillow",
    uid.JPEG2000: "pillow",
}
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")

logging.getLogger("pydicom").setLevel(logging.CRITICAL)  # it logs each oddity of a file; ours become one reason


def is_dicom(data: bytes) -> bool:
    """Whether bytes begin like a DICOM file: a preamble of 128 bytes, then the magic."""
    return data[MAGIC_AT : MAGIC_AT + len(MAGIC)] == MAGIC


def decode(data: bytes) -> Picture:
    """Decode a DICOM file of one frame.

    Grey values go through the rescale slope and intercept (or the modality table), then through the first window, or
    else the table of values of interest; its bounds become 0 and 255, without either the image's own minimum and
    maximum do. MONOCHROME1 is inverted; PALETTE COLOR and YBR become RGB.
    Raises DecodeError, and whatever pydicom stumbles over in a broken file; call `lib.decode.decode`.
    """
    syntax = _transfer_syntax(data)
    dataset = pydicom.dcmread(io.BytesIO(data))
    _check_header(dataset)
    if syntax in uid.JPEG2000TransferSyntaxes:
        check_end(dataset.PixelData)
    kind, bits = str(dataset.PhotometricInterpretation), _number(dataset, "BitsStored")
    values = pixels.pixel_array(dataset, decoding_plugin=PLUGINS[syntax], allow_excess_frames=False)
    return Picture(_as_uint8(values, dataset, kind, bits), f"{kind};{bits}", "DICOM")


def _transfer_syntax(data: bytes) -> uid.UID:
    """How the file is encoded, read before the rest: a deflated one would be inflated by merely opening it."""
    stream = io.BytesIO(data)
    stream.seek(MAGIC_AT + len(MAGIC))
    meta = read_dataset(stream, False, True, stop_when=lambda tag, *_: tag >> 16 != 2)
    syntax = meta.get("TransferSyntaxUID")
    if not syntax:
        raise DecodeError("truncated", "a DICOM file that names no transfer syntax; its header is cut short or damaged")
    if syntax not in PLUGINS:
        raise DecodeError("unsupported", f"DICOM transfer syntax {syntax.name}; convert it to an uncompressed one")
    return syntax


def _check_header(dataset: pydicom.Dataset) -> None:
    """Everything that can be refused before a pixel is decoded."""
    if not len(dataset):  # pydicom gives up on the whole of it when compressed pixel data end early
        raise DecodeError("truncated", "a DICOM file that ends within its pixel data")
    if "Rows" not in dataset and "Columns" not in dataset:
        raise DecodeError("not_an_image", "a DICOM file without a picture")
    if not any(name in dataset for name in PIXELS):
        raise DecodeError("truncated", "a DICOM file whose pixel data are missing; it is cut short")
    frames = _number(dataset, "NumberOfFrames", 1)
    check_size(_number(dataset, "Columns"), _number(dataset, "Rows"), frames)
    if frames > 1:
        raise DecodeError("unsupported", f"DICOM with {frames} frames; export one file a frame")
    for name in ("BitsAllocated", "BitsStored", "SamplesPerPixel", "PixelRepresentation"):
        _number(dataset, name)
    if not dataset.get("PhotometricInterpretation"):
        raise DecodeError("unsupported", "DICOM element PhotometricInterpretation is missing")


def _number(dataset: pydicom.Dataset, name: str, default: int | None = None) -> int:
    value = dataset.get(name)
    value = default if value in (None, "") else value
    try:
        return int(value)
    except (TypeError, ValueError):
        found = "missing" if value is None else f"{value!r}, not a number"
        raise DecodeError("unsupported", f"DICOM element {name} is {found}") from None


def _as_uint8(values: np.ndarray, dataset: pydicom.Dataset, kind: str, bits: int) -> np.ndarray:
    if kind in ("MONOCHROME1", "MONOCHROME2") and values.ndim == 2:
        grey = _grey(values, dataset)
        return 255 - grey if kind == "MONOCHROME1" else grey
    if kind == "PALETTE COLOR" and values.ndim == 2:
        colours = pixels.apply_color_lut(values, dataset)[..., :3]
        return np.ascontiguousarray(from_sixteen_bits(colours) if colours.dtype == np.uint16 else colours)
    if kind in COLOURS and values.ndim == 3 and values.dtype.kind == "u":
        return np.ascontiguousarray(values) if bits == 8 else _scaled(values, 0, 2**bits - 1)
    raise DecodeError("unsupported", f"DICOM of kind {kind} with values of shape {values.shape}, {values.dtype}")


def _grey(values: np.ndarray, dataset: pydicom.Dataset) -> np.ndarray:
    """Stored values (h, w) to uint8: each value that occurs is converted once, not each pixel; floats cost 8 bytes."""
    if values.dtype.kind not in "iu" or values.itemsize > 2:
        return _displayed(pixels.apply_modality_lut(values, dataset), dataset)
    codes = values.view(f"u{values.itemsize}")
    occurs, table = np.zeros(2 ** (8 * values.itemsize), bool), np.zeros(2 ** (8 * values.itemsize), np.uint8)
    for row in codes:  # row by row, because numpy makes 8 bytes of each index
        occurs[row] = True
    stored = np.flatnonzero(occurs).astype(codes.dtype).view(values.dtype)
    table[occurs] = _displayed(pixels.apply_modality_lut(stored, dataset), dataset)
    shown = np.empty(values.shape, np.uint8)
    for row, found in zip(shown, codes, strict=True):
        row[:] = table[found]
    return shown


def _displayed(values: np.ndarray, dataset: pydicom.Dataset) -> np.ndarray:
    """Grey values in their unit to uint8, through the first window, else the first table, else from end to end."""
    if not (np.isfinite(values.min()) and np.isfinite(values.max())):
        raise DecodeError("unsupported", "DICOM values that are not numbers after rescaling")
    centre, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is not None and width is not None:
        return _windowed(values, centre, width, str(dataset.get("VOILUTFunction") or "LINEAR").upper())
    if dataset.get("VOILUTSequence"):
        bits = int(dataset.VOILUTSequence[0].LUTDescriptor[2])
        return _scaled(pixels.apply_voi(np.rint(values).astype(np.int64), dataset), 0, 2**bits - 1)
    return _scaled(values, values.min(), values.max())


def _first(value: object) -> float | None:
    """The first of the values of an element that may hold several, or none."""
    if value is None or value == "" or (isinstance(value, pydicom.multival.MultiValue) and not len(value)):
        return None
    return float(value[0] if isinstance(value, pydicom.multival.MultiValue) else value)


def _windowed(values: np.ndarray, centre: float, width: float, function: str) -> np.ndarray:
    """What stands below the window becomes 0, above it 255. Source: DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3."""
    least = 1 if function == "LINEAR" else 0
    if not (math.isfinite(centre) and math.isfinite(width) and width >= least and width > 0):
        raise DecodeError("unsupported", f"DICOM window of centre {centre:g} and width {width:g}")
    match function:
        case "LINEAR":  # at width 1 a step
            return _scaled(values, centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2)
        case "LINEAR_EXACT":
            return _scaled(values, centre - width / 2, centre + width / 2)
        case "SIGMOID":
            return _scaled(1 / (1 + np.exp(-4 * (values - centre) / width)), 0, 1)
    raise DecodeError("unsupported", f"DICOM window function {function}")


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Bring [low, high] to [0, 255] and round; what stands outside is clipped, a range without extent is a step."""
    if not high > low:
        return np.where(values > low, 255, 0).astype(np.uint8)
    share = (values.astype(np.float64) - low) / (float(high) - float(low))
    return np.rint(np.clip(share, 0, 1, out=share) * 255).astype(np.uint8)
