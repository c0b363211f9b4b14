"""One array file that holds all images."""

import io
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from lib import atomic, config, mistakes
from lib.findings import of_kind
from lib.readers.listing import Listing, identity

MOST_ARRAY_BYTES = 16 * 2**30  # of one array in an .npz file, from its header


class NpzReader(config.Strict):
    """One `.npz` file as MedMNIST publishes them: arrays `<part>_images` and `<part>_labels` (doi:10.1038/s41597-022-01721-8).

    A path is `<file>/<part>/<number>`; its content is a `.npy` file of that one image.
    """

    kind: Literal["npz"]

    def location(self) -> Path:
        """The file. Raises UserError when DATA names none, or a folder that does not hold exactly one."""
        places = config.data_folder()
        if not places:
            raise config.UserError(
                "DATA is missing: name the .npz file, make book DATASET=medmnist DATA=/folder/file.npz; "
                "https://medmnist.com says where the files are"
            )
        found = [places[0]] if places[0].is_file() else sorted(places[0].glob("*.npz"))
        if len(found) != 1:
            names = ", ".join(path.name for path in found) or "none"
            raise config.UserError(f"DATA={str(places[0])!r} must hold one .npz file, or be one; found: {names}")
        return found[0]

    @cached_property
    def _arrays(self) -> dict[str, np.ndarray]:
        path = self.location()
        try:
            with np.load(path, allow_pickle=False) as file:
                _check_headers(file)
                return {name: file[name] for name in file.files}
        except config.UserError as error:
            raise config.UserError(f"{path}: {error}") from None
        except Exception as error:  # zipfile and NumPy raise whatever they stumble over, with advice that is not ours
            told = f"{type(error).__name__}; fetch it anew, or write it with numpy.savez"
            raise config.UserError(f"{path} is no .npz file of plain arrays: {told}") from None

    def read(self, path: str) -> bytes:
        """One image as the bytes of a `.npy` file. Raises OSError when there is none of that name."""
        _, part, number = path.rsplit("/", 2)
        try:
            image = self._arrays[f"{part}_images"][int(number)]
        except (KeyError, IndexError, ValueError):
            raise FileNotFoundError(f"no image {path}") from None
        buffer = io.BytesIO()
        np.save(buffer, image, allow_pickle=False)
        return buffer.getvalue()

    def fingerprint(self) -> str:
        """Changes with the file."""
        return identity(self.location().parent, self.location().name)

    def listing(self) -> Listing:
        """All images, part by part: columns path, label (text), official, outside, identity; no findings.

        Raises UserError when arrays are missing, of unequal length, or when an image has several labels.
        """
        path, arrays = self.location(), self._arrays
        parts = [name.removesuffix("_images") for name in arrays if name.endswith("_images")]
        if not parts:
            raise config.UserError(
                f"{path} has no array <part>_images; its arrays are: {mistakes.shown(sorted(arrays))}"
            )
        tables = []
        for part in parts:
            if f"{part}_labels" not in arrays:
                raise config.UserError(f"{path} has {part}_images without {part}_labels; one label an image is needed")
            images, labels = arrays[f"{part}_images"], arrays[f"{part}_labels"]
            if not images.ndim or not labels.ndim or len(images) != labels.size:
                raise config.UserError(
                    f"{path}: {part}_images of shape {images.shape}, {part}_labels of shape {labels.shape}; "
                    "one label an image is needed"
                )
            names = [f"{path.name}/{part}/{number:05d}" for number in range(len(images))]
            tables.append(pd.DataFrame({"path": names, "label": labels.ravel().astype(str), "official": part}))
        rows = pd.concat(tables, ignore_index=True)
        stamp = identity(path.parent, path.name)
        identities = [atomic.value_sha256([stamp, name]) for name in rows["path"]]
        return Listing(rows.assign(outside=False, identity=identities), of_kind("junk", []))


def _check_headers(file: np.lib.npyio.NpzFile) -> None:
    for entry in file.zip.infolist():
        if entry.file_size > MOST_ARRAY_BYTES:
            raise config.UserError(
                f"{entry.filename} would take {entry.file_size:,} bytes, more than {MOST_ARRAY_BYTES:,}"
            )
