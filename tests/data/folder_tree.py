"""A user's own folder-per-class tree, flat or with parts above the classes."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np

from tests.data import defects as planting
from tests.data import files, pictures
from tests.data.planted import Planted, Tree, pair, tree

CLASSES = ("cats", "dogs")
EACH = 48  # images of a class
PARTS = {"train": 32, "val": 8, "test": 16}  # images of a class in each


def write(folder: Path, seed: int = 7, defects: bool = True) -> Planted:
    """`cats/`, `dogs/` with PNG files of 48 to 64 pixels a side. defects: broken, odd, copied, misplaced files, junk."""
    animals = tree(folder, seed)
    images = fill(animals, "", EACH)
    if defects:
        plant_all(animals, images)
    return animals.planted(len(images))


def write_parts(folder: Path, seed: int = 7, leaks: bool = True) -> Planted:
    """`train/`, `val/`, `test/` above the classes. leaks: an exact, a pixel and a near copy across the parts."""
    animals = tree(folder, seed)
    images = {path: pixels for part, each in PARTS.items() for path, pixels in fill(animals, f"{part}/", each).items()}
    if leaks:
        first, second, third = [path for path in images if path.startswith("train/cats")][:3]
        copies = {
            "copy_of_bytes": (first, "test/cats/seen.png", animals.read(first)),
            "copy_of_pixels": (second, "val/cats/seen too.png", files.encoded(images[second], "PNG", compress_level=1)),
            "near_copy": (third, "test/cats/seen smaller.png", files.png(pictures.resized(images[third], 0.75))),
        }
        for kind, (original, copy, data) in copies.items():
            animals.plant(kind, pair(original, animals.write(copy, data)))
            animals.plant("across_parts", pair(original, copy))
    return animals.planted(len(images))


def plant_all(animals: Tree, images: dict[str, np.ndarray]) -> None:
    """All defects that a tree of `cats/` and `dogs/` can have. images: path -> pixels of the good ones."""
    _bad_files(animals)
    _copies(animals, images)


def fill(animals: Tree, place: str, each: int, classes: tuple[str, ...] = CLASSES) -> dict[str, np.ndarray]:
    """Write `each` good images of every class below `place`, which ends in / or is empty; returns path -> pixels."""
    images = {}
    for number in range(each):
        for index, name in enumerate(classes):
            path = f"{place}{name}/{number:03d}.png"
            images[path] = draw(animals, index)
            animals.write(path, files.png(images[path]))
    return images


def draw(animals: Tree, index: int) -> np.ndarray:
    """A picture of one class: without a disc, with a bright one, with a dark one."""
    height, width = animals.generator.integers(48, 65, 2)
    return pictures.grey(animals.generator, height, width, (0, 1, -1)[index])


def _free(name: str) -> Iterator[str]:
    return (f"{name}/extra {number}.png" for number in count())


def _bad_files(animals: Tree) -> None:
    cats, dogs = _free("cats"), _free("dogs")
    planting.broken_files(animals, cats, files.png, draw(animals, 0))
    planting.misnamed(animals, dogs, ["WEBP", "GIF", "JPEG"], lambda: draw(animals, 1))
    planting.unusual(animals, cats, ["sixteen_bit", "palette", "rgba"], lambda: draw(animals, 0))
    planting.unusual(
        animals, (f"dogs/photo {number}.jpg" for number in count()), ["cmyk", "rotated"], lambda: draw(animals, 1)
    )
    planting.junk(animals, "cats")
    planting.resource_forks(animals, "__MACOSX", ["cats/000.png", "dogs/000.png"])
    animals.write_bad("blank", next(dogs), files.png(pictures.flat(48, 64, 0)))
    animals.write_bad("outside_layout", "overview.png", files.png(draw(animals, 0)))


def _copies(animals: Tree, images: dict[str, np.ndarray]) -> None:
    originals = iter(path for path in images if path.startswith("cats"))
    same = (f"cats/copy {number}.png" for number in count())
    planting.near_copies(animals, same, {path: images[path] for path in (next(originals) for _ in range(5))}, files.png)
    for kind, copy in {"copy_of_bytes": next(same), "label_conflict": "dogs/copy.png"}.items():
        original = next(originals)
        animals.plant(kind, pair(original, animals.write(copy, animals.read(original))))
    original, again = next(originals), next(same)
    animals.write(again, files.encoded(images[original], "PNG", compress_level=1))
    animals.plant("copy_of_pixels", pair(original, again))
