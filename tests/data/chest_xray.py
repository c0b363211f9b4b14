"""Like chest-xray-pneumonia (S1.1): official parts, patients in the names, the whole tree a second time inside."""

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import numpy as np

from tests.data import defects as planting
from tests.data import files, pictures
from tests.data.planted import Planted, Tree, pair, tree

PATIENTS = {"train": (18, 2), "test": (8, 2), "val": (3, 1)}  # part -> patients of each class, images of each
NESTED = "chest_xray"


def write(folder: Path, seed: int = 7, defects: bool = True) -> Planted:
    """Grey JPEG files of about 56 x 68 pixels. defects: broken, junk and misplaced files, and the nested tree."""
    xray = tree(folder, seed)
    images = _write_images(xray)
    if defects:
        _nest(xray, list(images))
        _write_bad_files(xray)
    return xray.planted(len(images))


def write_leaks(folder: Path, seed: int = 7) -> Planted:
    """No broken file and no nested tree, but copies within train and across the official parts, and a patient in both."""
    xray = tree(folder, seed)
    images = _write_images(xray)
    normal = iter([path for path in images if path.startswith("train/NORMAL")])
    ill = iter([path for path in images if path.startswith("train/PNEUMONIA")])
    train, test, val = (_free(place) for place in ("train/NORMAL", "test/NORMAL", "val/PNEUMONIA"))
    _copy(xray, next(normal), next(train), "copy_of_bytes")
    _copy(xray, next(normal), next(test), "copy_of_bytes", "across_parts")
    _copy(xray, next(ill), next(val), "copy_of_pixels", "across_parts")
    _copy(xray, next(ill), next(train), "label_conflict")
    for paths in (train, test):
        originals = {path: images[path] for path in islice(normal, 5)}
        planting.near_copies(xray, paths, originals, files.jpeg)
    near = xray.defects["near_copy"]
    xray.plant("across_parts", *(both for both in near if any(path.startswith("test/") for path in both)))
    patient = [f"{part}/PNEUMONIA/person8000_virus_{number}.jpeg" for number, part in enumerate(("train", "test"))]
    xray.plant("across_parts", pair(*(xray.write(path, files.jpeg(_draw(xray, 1))) for path in patient)))
    return xray.planted(len(images) + len(patient))


def _write_images(xray: Tree) -> dict[str, np.ndarray]:
    """Path -> pixels of the good images, written."""
    images = {}
    for number, (part, (patients, each)) in enumerate(PATIENTS.items()):
        for patient in range(patients):
            for image in range(each):
                for ill, name in enumerate(_names(1000 * number + patient, image)):
                    path = f"{part}/{('NORMAL', 'PNEUMONIA')[ill]}/{name}"
                    images[path] = _draw(xray, ill)
                    xray.write(path, files.jpeg(images[path]))
    return images


def _names(patient: int, image: int) -> tuple[str, str]:
    """Names of an image of a normal and of an ill patient, in the forms the data set has."""
    prefix, germ = (("", "bacteria"), ("NORMAL2-", "virus"))[patient % 2]
    return (
        f"{prefix}IM-{115 + patient:04d}-{image + 1:04d}.jpeg",
        f"person{1 + patient}_{germ}_{3 * patient + image}.jpeg",
    )


def _draw(xray: Tree, ill: int) -> np.ndarray:
    height, width = xray.generator.integers((50, 60), (62, 76))
    return pictures.grey(xray.generator, height, width, ill)


def _free(place: str) -> Iterator[str]:
    """Names of further patients, one image each."""
    form = "IM-{}-0001.jpeg" if place.endswith("NORMAL") else "person{}_bacteria_1.jpeg"
    start = {"train": 9000, "test": 9300, "val": 9600}[place.split("/")[0]]
    return (f"{place}/{form.format(start + number)}" for number in count())


def _copy(xray: Tree, original: str, copy: str, *kinds: str) -> None:
    data = xray.read(original)
    xray.write(copy, files.commented(data) if "copy_of_pixels" in kinds else data)
    for kind in kinds:
        xray.plant(kind, pair(original, copy))


def _nest(xray: Tree, paths: list[str]) -> None:
    """The tree once more, with one image that the outer one has not, and what a Mac left."""
    for path in paths:
        xray.write(f"{NESTED}/{path}", xray.read(path))
    xray.plant("repeated_tree", NESTED)
    xray.write_bad("outside_layout", f"{NESTED}/val/NORMAL/IM-9999-0001.jpeg", files.jpeg(_draw(xray, 0)))
    xray.write_bad("junk", f"{NESTED}/train/NORMAL/.DS_Store", files.JUNK[".DS_Store"])
    planting.resource_forks(xray, f"__MACOSX/{NESTED}", paths[:12])


def _write_bad_files(xray: Tree) -> None:
    ill, normal = _free("train/PNEUMONIA"), _free("train/NORMAL")
    planting.broken_files(xray, ill, files.jpeg, _draw(xray, 1))
    planting.misnamed(xray, normal, ["WEBP", "PNG"], lambda: _draw(xray, 0))
    planting.unusual(xray, ill, ["cmyk", "rotated"], lambda: _draw(xray, 1))
    planting.junk(xray, "train")
    xray.write_bad("truncated", "test/NORMAL/IM-9001-0001.jpeg", files.truncated(files.jpeg(_draw(xray, 0)))[2])
    xray.write_bad("blank", next(normal), files.jpeg(pictures.flat(56, 68, 0)))
    xray.write_bad("no_group", "train/NORMAL/unnamed.jpeg", files.jpeg(_draw(xray, 0)))
    xray.write_bad("outside_layout", "figure.jpeg", files.jpeg(_draw(xray, 0)))
