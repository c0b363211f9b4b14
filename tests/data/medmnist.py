"""Like MedMNIST: one `.npz` with images (n, 28, 28) and labels (n, 1) of three official parts."""

import io
from pathlib import Path

import numpy as np

from tests.data import pictures
from tests.data.planted import Planted, Tree, pair, tree

SIZES = {"train": 80, "val": 20, "test": 30}
NAME = "pneumoniamnist.npz"


def write(folder: Path, seed: int = 7, defects: bool = True, short: bool = False, colour: bool = False) -> Planted:
    """uint8 images of 28 x 28 pixels in two classes by turns. defects: of pictures and labels, and copies across parts.

    short: one label is missing at the end of `val_labels`. colour: images (n, 28, 28, 3).
    """
    archive = tree(folder, seed)
    draw = pictures.colour if colour else pictures.grey
    images = {part: [draw(archive.generator, 28, 28, row % 2) for row in range(size)] for part, size in SIZES.items()}
    labels = {part: [row % 2 for row in range(size)] for part, size in SIZES.items()}
    if defects:
        _plant(archive, images, labels)
    if short:
        labels["val"].pop()
    arrays = {}
    for part in SIZES:
        arrays[f"{part}_images"] = np.stack(images[part])
        arrays[f"{part}_labels"] = np.array(labels[part], np.uint8)[:, None]
    archive.write(NAME, _packed(arrays))
    return archive.planted(sum(SIZES.values()) - short)


def write_short(folder: Path, seed: int = 7) -> Planted:
    return write(folder, seed, defects=False, short=True)


def write_colour(folder: Path, seed: int = 7) -> Planted:
    return write(folder, seed, defects=False, colour=True)


def path(part: str, row: int) -> str:
    """Name of one image of the archive."""
    return f"{NAME}/{part}/{row:05d}"


def _packed(arrays: dict[str, np.ndarray]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _plant(archive: Tree, images: dict[str, list[np.ndarray]], labels: dict[str, list[int]]) -> None:
    """Further images behind the good ones of a part."""

    def add(part: str, pixels: np.ndarray, label: int) -> str:
        images[part].append(pixels)
        labels[part].append(label)
        return path(part, len(images[part]) - 1)

    train = images["train"]
    archive.plant("blank", add("train", pictures.flat(28, 28, 0), 0))
    archive.plant("copy_of_bytes", pair(path("train", 0), add("train", train[0], 0)))
    archive.plant("label_conflict", pair(path("train", 2), add("train", train[2], 1)))
    archive.plant("near_copy", pair(path("train", 4), add("train", pictures.recontrasted(train[4], 0.8, 20), 0)))
    for part, original, pixels in [("val", 6, train[6]), ("test", 8, pictures.recontrasted(train[8], 0.7, 30))]:
        copy = pair(path("train", original), add(part, pixels, 0))
        archive.plant("across_parts", copy)
        archive.plant("copy_of_bytes" if part == "val" else "near_copy", copy)
