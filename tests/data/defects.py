"""Defects to plant in any tree whose images are files. `paths` yields names that are still free in the tree's layout."""

from collections.abc import Callable, Iterator

import numpy as np

from tests.data import files, pictures
from tests.data.planted import Tree, pair

Encode = Callable[[np.ndarray], bytes]


def broken_files(tree: Tree, paths: Iterator[str], encode: Encode, pixels: np.ndarray) -> None:
    """Files that are no complete image: cut at four places, empty, a pointer, a web page, a bomb."""
    whole = encode(pixels)
    for data in files.truncated(whole):
        tree.write_bad("truncated", next(paths), data)
    tree.write_bad("empty_file", next(paths), b"")
    tree.write_bad("lfs_pointer", next(paths), files.lfs_pointer(whole))
    tree.write_bad("not_an_image", next(paths), files.WEB_PAGE)
    tree.write_bad("too_large", next(paths), files.bomb())


def misnamed(tree: Tree, paths: Iterator[str], kinds: list[str], draw: Callable[[], np.ndarray]) -> None:
    """Good pictures in formats (Pillow's names) that their names do not tell."""
    for kind in kinds:
        tree.write_bad("wrong_extension", next(paths), files.encoded(draw(), kind))


def unusual(tree: Tree, paths: Iterator[str], kinds: list[str], draw: Callable[[], np.ndarray]) -> None:
    """Good files of odd kinds: names of functions of `files`."""
    for kind in kinds:
        tree.unusual[kind] = tree.write(next(paths), getattr(files, kind)(draw()))


def junk(tree: Tree, *folders: str) -> None:
    """What desktops leave in folders."""
    for folder in folders:
        for name, data in files.JUNK.items():
            tree.write_bad("junk", f"{folder}/{name}", data)


def resource_forks(tree: Tree, folder: str, paths: list[str]) -> None:
    """What a Mac's archiver leaves below `folder`: a file `._name` for each path."""
    for path in paths:
        place, _, name = path.rpartition("/")
        tree.write_bad("junk", f"{folder}/{place}/._{name}", files.RESOURCE_FORK)


def near_copies(tree: Tree, paths: Iterator[str], originals: dict[str, np.ndarray], encode: Encode) -> list[str]:
    """Near copies of up to five originals (path -> pixels), each changed in another way; returns their paths."""
    changes = [
        lambda pixels: pictures.resized(pixels, 1.5),
        lambda pixels: pictures.resized(pixels, 0.75),
        lambda pixels: pictures.recontrasted(pixels, 0.7, 30),
        files.lossy,
        pictures.recoloured,
    ]
    copies = []
    for (path, pixels), change in zip(originals.items(), changes, strict=False):
        copies.append(tree.write(next(paths), encode(change(pixels))))
        tree.plant("near_copy", pair(path, copies[-1]))
    return copies
