"""A DICOM file of one picture, as bytes: every tag can be changed or left out."""

import io
import warnings

import numpy as np
import pydicom
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate


def dicom_file(
    values: np.ndarray, syntax: uid.UID = uid.ExplicitVRLittleEndian, payload: bytes = b"", **tags: object
) -> bytes:
    """Write values (h, w) or (h, w, 3), of whole numbers, as they are.

    payload: the compressed frame, for syntaxes that compress. tags: further elements by keyword; None leaves one out.
    """
    dataset = described(values)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    order = values.dtype.newbyteorder("<" if syntax.is_little_endian else ">")
    plain = values.astype(order).tobytes()
    dataset.PixelData = encapsulate([payload]) if payload else plain + b"\0" * (len(plain) % 2)
    dataset["PixelData"].VR = "OB" if payload or values.itemsize == 1 else "OW"
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):  # of values that are wrong on purpose
        for name, value in tags.items():
            delattr(dataset, name) if value is None else setattr(dataset, name, value)
        encoding = {"implicit_vr": syntax.is_implicit_VR, "little_endian": syntax.is_little_endian}
        pydicom.dcmwrite(buffer, dataset, enforce_file_format=True, **encoding)
    return buffer.getvalue()


def described(values: np.ndarray) -> Dataset:
    """The elements that say how values are stored."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = uid.SecondaryCaptureImageStorage, "1.2.3"
    dataset.Rows, dataset.Columns = values.shape[:2]
    dataset.SamplesPerPixel = 1 if values.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if values.ndim == 2 else "RGB"
    if values.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = values.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    return dataset
