"""DICOM files from pixels: grey values of 12 bits, with what scanners may say about them."""

import io

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, DigitalMammographyXRayImageStorageForPresentation, ExplicitVRLittleEndian, JPEGLSLossless

HIGHEST = 4095  # of 12 bits
PREAMBLE = 132  # bytes before the first element: 128 zeros and "DICM"


def encoded(
    pixels: np.ndarray, name: str, syntax: UID = ExplicitVRLittleEndian, frame: bytes = b"", **elements
) -> bytes:
    """A mammogram as a DICOM file.

    pixels: (height, width) uint8, stored as 12 bits. name: what the file's unique identifiers are derived from.
    frame: content in place of the pixels, for compressed syntaxes. elements: further ones, by keyword, or other values.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = _identifier(name)
    dataset.Modality = "MG"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = encapsulate([frame]) if frame else stored(pixels).tobytes()
    dataset["PixelData"].VR = "OB" if frame else "OW"
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def stored(pixels: np.ndarray) -> np.ndarray:
    """(height, width) uint16 in 0..4095."""
    return np.round(pixels.astype(float) * HIGHEST / 255).astype("<u2")


def inverted(pixels: np.ndarray, name: str) -> bytes:
    """MONOCHROME1: low values are bright; what it shows is `pixels`."""
    return encoded(255 - pixels, name, PhotometricInterpretation="MONOCHROME1")


def windowed(pixels: np.ndarray, name: str) -> bytes:
    """With a rescale (2 v - 1024) and a window over the middle half of what can be stored."""
    rescale = {"RescaleSlope": 2, "RescaleIntercept": -1024, "RescaleType": "US"}
    return encoded(pixels, name, WindowCenter=3071, WindowWidth=4096, **rescale)


def not_allowed(pixels: np.ndarray, name: str) -> bytes:
    """Compressed as JPEG-LS, with a frame that no decoder should be given."""
    return encoded(pixels, name, JPEGLSLossless, b"\xff\xd8\xff\xf7" + bytes(60))


def bomb(name: str) -> bytes:
    """A few pixels under a header that announces 60,000 x 60,000."""
    return encoded(np.zeros((8, 8), np.uint8), name, Rows=60_000, Columns=60_000)


def truncated(data: bytes) -> list[bytes]:
    """The file cut in its header, in the middle of its pixels, and a little before the end."""
    return [data[:length] for length in (PREAMBLE + 60, len(data) * 2 // 3, len(data) - 24)]


def _identifier(name: str) -> UID:
    return UID("1.2.826.0.1.3680043.10.999." + str(int.from_bytes(name.encode()[:12], "big")))
