"""The card of a folder that has none: a folder of images for each class, below folders of published parts or not."""

import re
from pathlib import Path
from typing import Any

from lib import config
from lib.readers.files import IMAGE_SUFFIXES

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
    if folder.suffix == ".npz":
        raise config.UserError(f"{folder} is an array file; say DATASET=medmnist too")
    inner, parts = folder, {}
    while True:  # a folder that only wraps another is passed through
        below = sorted(path for path in inner.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))
        parts = {
            path.name: OFFICIAL_FOLDERS[path.name.lower()] for path in below if path.name.lower() in OFFICIAL_FOLDERS
        }
        if len(below) != 1 or parts or _has_images(inner):
            break
        inner = below[0]
    holders = [inner / part for part in parts] if "train" in parts.values() else [inner]
    candidates = [path for holder in holders for path in holder.iterdir() if path.is_dir() and _is_class(path)]
    direct = [path for path in candidates if _has_images(path)]  # else images lie deeper, in folders below the class
    classes = sorted({path.name for path in direct or candidates})
    if len(classes) < 2:
        found = ", ".join(classes) or "none"
        raise config.UserError(
            f"{inner} has no two folders of classes (found: {found}); put the images of each class into a folder of its "
            "own, or write a card, see README, Bring your own images"
        )
    prefix = "" if inner == folder else re.escape(inner.relative_to(folder).as_posix()) + "/"
    official = f"(?P<official>{'|'.join(map(re.escape, parts))})/" if holders != [inner] else ""
    label = f"(?P<label>{'|'.join(map(re.escape, classes))})"
    return {
        "name": name,
        "title": f"Images of the folder {folder.name}",
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


def _is_class(folder: Path) -> bool:
    """Whether there are images in it or below; an empty folder is no class."""
    hidden = folder.name.startswith((".", "__"))
    return not hidden and any(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.rglob("*"))


def _has_images(folder: Path) -> bool:
    return any(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.iterdir())
