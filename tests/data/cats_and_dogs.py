"""Like Microsoft's PetImages (S3.10): two folders of numbered files with junk, empty, cut and misnamed ones among them."""

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import numpy as np

from tests.data import defects as planting
from tests.data import files, pictures
from tests.data.planted import Planted, Tree, pair, tree

EACH = 60  # images of a class
FOLDERS = ("PetImages/Cat", "PetImages/Dog")


def write(folder: Path, seed: int = 7, defects: bool = True) -> Planted:
    """Colour JPEG files of 56 to 72 pixels a side. defects: broken files, copies, outliers, junk."""
    pets = tree(folder, seed)
    images = {}
    for number in range(EACH):
        for dog, place in enumerate(FOLDERS):
            path = f"{place}/{number}.jpg"
            images[path] = _draw(pets, dog)
            pets.write(path, files.jpeg(images[path]))
    for name in ("readme[1].txt", "MSR-LA - 3467.docx"):
        pets.write(name, b"Terms of the data set\r\n")
    if defects:
        cats, dogs = (_free(place) for place in FOLDERS)
        _bad_files(pets, cats, dogs)
        _copies(pets, cats, dogs, images)
        _outliers(pets, cats)
    return pets.planted(len(images))


def _free(place: str) -> Iterator[str]:
    return (f"{place}/{number}.jpg" for number in count(11_000))


def _draw(pets: Tree, dog: int) -> np.ndarray:
    height, width = pets.generator.integers(56, 73, 2)
    return pictures.colour(pets.generator, height, width, dog)


def _bad_files(pets: Tree, cats: Iterator[str], dogs: Iterator[str]) -> None:
    planting.broken_files(pets, cats, files.jpeg, _draw(pets, 0))
    planting.misnamed(pets, dogs, ["GIF", "WEBP", "BMP", "PNG"], lambda: _draw(pets, 1))
    planting.unusual(pets, dogs, ["cmyk", "rotated"], lambda: _draw(pets, 1))
    planting.junk(pets, *FOLDERS)
    pets.write_bad("empty_file", "PetImages/Cat/666.jpg", b"")
    pets.write_bad("empty_file", "PetImages/Dog/11702.jpg", b"")
    pets.write_bad("blank", next(cats), files.jpeg(pictures.flat(64, 64, 255)))
    pets.write_bad("outside_layout", "PetImages/stray.jpg", files.jpeg(_draw(pets, 0)))


def _copies(pets: Tree, cats: Iterator[str], dogs: Iterator[str], images: dict[str, np.ndarray]) -> None:
    originals = iter(path for path in images if path.startswith(FOLDERS[0]))
    planting.near_copies(pets, cats, {path: images[path] for path in islice(originals, 5)}, files.jpeg)
    for kind, paths, change in [
        ("copy_of_bytes", cats, bytes),
        ("copy_of_pixels", cats, files.commented),
        ("label_conflict", dogs, bytes),
    ]:
        original = next(originals)
        pets.plant(kind, pair(original, pets.write(next(paths), change(pets.read(original)))))


def _outliers(pets: Tree, cats: Iterator[str]) -> None:
    grey = pictures.grey(pets.generator, 64, 64, 0)
    noise = pets.generator.integers(0, 256, (64, 64)).astype(np.uint8)
    odd = {
        "brightness": pictures.recontrasted(grey, 0.6, 165),
        "contrast": np.where(grey > np.median(grey), 255, 0).astype(np.uint8),
        "sharpness": noise,
        "size": pictures.grey(pets.generator, 640, 600, 0),
        "aspect": pictures.grey(pets.generator, 24, 288, 0),
    }
    for kind, pixels in odd.items():
        pets.write_bad(f"outlier_{kind}", next(cats), files.jpeg(pixels))
