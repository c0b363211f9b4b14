"""What a generated tree holds: a folder being written, and the record of every defect planted in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

COPIES = ("copy_of_bytes", "copy_of_pixels", "near_copy")  # each is also whatever follows it
Pair = frozenset[str]


@dataclass(frozen=True)
class Planted:
    """A tree on disk and what has to be found in it.

    images: pictures without any planted defect, each counted once; an original counts, its copies do not.
    defects: kind of finding -> what it has to name: a path below `folder` (of a missing file its name in the table), ""
    for the data set as a whole, a pair of paths {image, other} for copies and leaks. unusual: good files of an odd
    kind, which must be read like any other.
    """

    folder: Path
    images: int
    defects: dict[str, set[str | Pair]]
    unusual: dict[str, str]

    def missed(self, findings: pd.DataFrame, ignore: Iterable[str] = ()) -> dict[str, set[str | Pair]]:
        """The planted defects that no row of `findings` (kind, image, other) names; empty when all were found.

        A copy found to be closer than planted is found; a path is also found as the `image` of a pair, a pair across
        parts by a finding on either image or as an exact copy, and a repeated tree by any finding on its folder or on a
        file in it. ignore: kinds that are not asked for.
        """
        wanted = {kind: things for kind, things in self.defects.items() if kind not in set(ignore)}
        found = {kind: _named(findings, kind, things) for kind, things in wanted.items()}
        return {kind: things - found[kind] for kind, things in wanted.items() if things - found[kind]}


@dataclass
class Tree:
    """A folder that is being filled; every random draw comes from its one generator."""

    folder: Path
    generator: np.random.Generator
    defects: dict[str, set[str | Pair]] = field(default_factory=dict)
    unusual: dict[str, str] = field(default_factory=dict)

    def write(self, path: str, data: bytes) -> str:
        """Write a new file below the folder; returns its path. Raises FileExistsError."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            file.write(data)
        return path

    def read(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()

    def plant(self, kind: str, *things: str | Pair) -> None:
        self.defects.setdefault(kind, set()).update(things)

    def write_bad(self, kind: str, path: str, data: bytes) -> None:
        """Write a file that is a defect of this kind."""
        self.plant(kind, self.write(path, data))

    def planted(self, images: int) -> Planted:
        return Planted(self.folder, images, self.defects, self.unusual)


Write = Callable[[Path, int], Planted]


def tree(folder: Path, seed: int) -> Tree:
    """An empty tree at `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return Tree(folder, np.random.default_rng(seed))


def pair(image: str, other: str) -> Pair:
    return frozenset({image, other})


def _or_closer(kind: str) -> tuple[str, ...]:
    return COPIES[: COPIES.index(kind) + 1] if kind in COPIES else (kind,)


def _named(findings: pd.DataFrame, kind: str, things: set[str | Pair]) -> set[str | Pair]:
    """What findings of one kind name, as paths and as pairs. things: what was planted of it."""
    rows = findings[findings["kind"].isin(_or_closer(kind))]
    images = set(rows["image"])
    if kind == "across_parts":
        leaking = set(rows.loc[rows["kind"] == kind, "image"])
        images |= {both for both in things if both & leaking}
    if kind == "repeated_tree":
        images |= {thing for thing in things if any(name.startswith(f"{thing}/") for name in images)}
    return images | {pair(image, other) for image, other in zip(rows["image"], rows["other"], strict=True)}
