"""The card of a folder that has none: a folder of images for each class, below folders of published parts or not."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from lib import config
from lib.readers.listing import IMAGE_SUFFIXES

# Folders that stand for published parts, and what they become in this book.
OFFICIAL_FOLDERS = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip
SUFFIXES = "|".join(sorted(re.escape(suffix) for suffix in IMAGE_SUFFIXES))


def card_of(name: str, folder: Path) -> dict[str, Any]:
    """The card of a folder with a folder of images for each class, below folders of parts or not.

    Raises UserError when there are not two classes or more.
    """
    if folder.is_file():
        raise config.UserError(f"{folder} is an array file; say DATASET=medmnist too")
    inner = _unwrapped(folder)
    parts = _parts(inner)
    if parts and "train" not in parts.values():
        raise config.UserError(f"{inner} has the parts {', '.join(parts)} and none to train on; add a folder train")
    holders = [inner / part for part in parts] or [inner]
    classes = sorted({name for holder in holders for name in _classes(holder)})
    if len(classes) < 2:
        empty = [path.name for holder in holders for path in _folders(holder) if path.name not in classes]
        found = ", ".join(classes) or "none"
        found += f"; no images in: {', '.join(sorted({*empty}))}" if empty else ""
        beside = " and images that lie in none" if _has_images(inner) else ""
        raise config.UserError(
            f"{inner} has no two folders of classes (found: {found}{beside}); put the images of each class into a folder of "
            "its own, or write a card, see README, Bring your own images"
        )
    for one, other in pairwise(sorted(classes, key=str.lower)):
        if one.lower() == other.lower():
            raise config.UserError(f"{inner} has classes {one!r} and {other!r}, which differ by case only; rename one")
    prefix = "" if inner == folder else re.escape(inner.relative_to(folder).as_posix()) + "/"
    official = f"(?P<official>{'|'.join(map(re.escape, parts))})/" if parts else ""
    label = f"(?P<label>{'|'.join(map(re.escape, classes))})"
    return {
        "name": name,
        "title": f"Images of the folder {folder.name.encode(errors='backslashreplace').decode()}",
        "reader": {"kind": "files", "layout": rf"(?s){prefix}{official}{label}/.*?(?i:{SUFFIXES})"},
        "labels": {"kind": "classes"},
        "classes": classes,
        "group": {"kind": "image"},
        "official": _official(parts) if official else {},
        "licence": "not stated",
    }


def _official(parts: dict[str, str]) -> dict[str, list[str]]:
    """Published parts keep their use; what is missing is taken from the training part."""
    given = set(parts.values())
    rest = [part for part in ("train", "tuning", "validation", "test") if part == "train" or part not in given]
    return {name: rest if part == "train" else [part] for name, part in parts.items()}


def _unwrapped(folder: Path) -> Path:
    """The folder itself, or where one only wraps another, the one within."""
    below = _folders(folder)
    if len(below) != 1 or _parts(folder) or _has_images(folder) or _has_images(below[0]):
        return folder
    return _unwrapped(below[0])


def _parts(folder: Path) -> dict[str, str]:
    """Folders of published parts, by name: those that are called so and have classes in them, not images."""
    called = [path for path in _folders(folder) if path.name.lower() in OFFICIAL_FOLDERS]
    return {
        path.name: OFFICIAL_FOLDERS[path.name.lower()] for path in called if not _has_images(path) and _classes(path)
    }


def _classes(folder: Path) -> list[str]:
    """Names of the folders with images in them, or below them where it is not the same tree once more."""
    below = [path for path in _folders(folder) if _has_images_below(path)]
    names = {path.name for path in below if _has_images(path)}
    repeated = names | set(OFFICIAL_FOLDERS)
    deeper = {path.name for path in below if not repeated & {inner.name for inner in _folders(path)}}
    return sorted(names | deeper)


def _folders(folder: Path) -> list[Path]:
    """Folders that may hold images, sorted: no hidden ones, no links, none whose name is no text."""
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith((".", "__")) and path.is_dir() and not path.is_symlink() and _is_text(path.name)
    )


def _is_text(name: str) -> bool:
    return name == name.encode(errors="replace").decode()


def _has_images(folder: Path) -> bool:
    return any(path.suffix.lower() in IMAGE_SUFFIXES and not path.is_dir() for path in folder.iterdir())


def _has_images_below(folder: Path) -> bool:
    return _has_images(folder) or any(_has_images_below(path) for path in _folders(folder))
