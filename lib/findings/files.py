"""Findings that each file gives by itself, from its row of the manifest."""

from pathlib import Path

import pandas as pd

from lib.findings import of_kind

SUFFIXES = {
    "BMP": ("bmp",), "DICOM": ("dcm", "dicom"), "GIF": ("gif",), "ICO": ("ico",), "JPEG": ("jpg", "jpeg", "jpe", "jfif"),
    "JPEG2000": ("jp2", "j2k", "jpx", "jpf"), "MPO": ("jpg", "jpeg", "mpo"), "NPY": ("npy",), "PNG": ("png",),
    "PPM": ("ppm", "pgm", "pbm", "pnm"), "TIFF": ("tif", "tiff"), "WEBP": ("webp",),
}  # fmt: skip
LEAST_CONTRAST = 1.0  # standard deviation of grey values, 0-255


def unusable(manifest: pd.DataFrame) -> pd.DataFrame:
    """A finding for each image that cannot be read; its kind is the status in the manifest."""
    bad = manifest[manifest["status"] != "ok"]
    found = [of_kind(kind, rows["path"], details=rows["reason"].tolist()) for kind, rows in bad.groupby("status")]
    return pd.concat([of_kind("unreadable", []), *found], ignore_index=True)


def wrong_extension(manifest: pd.DataFrame) -> pd.DataFrame:
    """Findings `wrong_extension`: files whose content is of another format than their name says."""
    rows = manifest[manifest["status"] == "ok"]
    suffix = rows["path"].map(lambda path: Path(path).suffix.lower().removeprefix("."))
    wrong = [
        bool(name) and name not in SUFFIXES.get(kind, (name,))
        for name, kind in zip(suffix, rows["format"], strict=True)
    ]
    details = [f"named .{name}, is {kind}" for name, kind in zip(suffix[wrong], rows["format"][wrong], strict=True)]
    return of_kind("wrong_extension", rows["path"][wrong], details=details)


def blank(manifest: pd.DataFrame) -> pd.DataFrame:
    """Findings `blank`: images whose grey values hardly differ."""
    rows = manifest[(manifest["status"] == "ok") & (manifest["contrast"] < LEAST_CONTRAST)]
    return of_kind("blank", rows["path"], details=[f"all grey values near {value:.0f}" for value in rows["brightness"]])
