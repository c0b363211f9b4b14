"""A whole tree twice: archives that were packed with a copy of themselves inside, or beside."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations

import pandas as pd

from lib.findings import frame

SHARE = 0.9  # of a folder's images that must have a twin; a second tree may hold an image more
FEWEST = 4  # images with a twin at the same place below: no coincidence any more
PAIRED = 20  # images of the same pixels, name and folder name that are compared with one another
# Two parts with the same images are a leak, which a repetition must not hide.
PART_NAMES = {"train", "training", "tuning", "val", "valid", "validation", "dev", "test", "testing"}

Folder = tuple[str, ...]
Pair = tuple[Folder, Folder]  # original, repetition


def repeated_trees(manifest: pd.DataFrame, share: float = SHARE, fewest: int = FEWEST) -> pd.DataFrame:
    """repeated_tree: every image of a folder that repeats another folder's images, in the same places below it.

    share, fewest: how many of a folder's images need a twin of equal pixels, as a fraction and as a number. Only the
    topmost such folder is reported. The outer of two trees is the original, else the one that comes first. Two folders
    of different names that hold nothing but images are two classes as likely as a repetition: `copies.exact` has those.
    """
    rows = manifest[manifest["status"] == "ok"]
    paths = [tuple(path.split("/")) for path in rows["path"]]
    size, first = Counter(), {}
    for position, path in enumerate(paths):
        for depth in range(len(path)):
            size[path[:depth]] += 1
            first.setdefault(path[:depth], position)
    twins = _twins(paths, rows["pixels_sha256"].tolist(), first)
    enough = [pair for pair, found in twins.items() if len(found) >= max(fewest, share * size[pair[1]])]
    return frame(_reported(enough, twins, size, first))


def _reported(
    pairs: list[Pair], twins: dict[Pair, dict[Folder, Folder]], size: Counter, first: dict[Folder, int]
) -> Iterator[tuple[str, str, str, str]]:
    repetitions: set[Folder] = set()
    pairs = sorted(pairs, key=lambda pair: (len(pair[1]), first[pair[1]], len(pair[0]), first[pair[0]]))
    for original, repetition in pairs:
        if any(repetition[:depth] in repetitions for depth in range(len(repetition) + 1)):
            continue
        repetitions.add(repetition)
        found = twins[original, repetition]
        detail = f"{'/'.join(repetition)} repeats {'/'.join(original) or 'the folder it lies in'}: "
        detail += f"{len(found):,} of its {size[repetition]:,} images have a twin there"
        for image, twin in found.items():
            yield "repeated_tree", "/".join(image), "/".join(twin), detail


def _twins(paths: list[Folder], pixels: list[str], first: dict[Folder, int]) -> dict[Pair, dict[Folder, Folder]]:
    """For each two folders, the images of the second with a twin of equal pixels at the same place below the first."""
    twins: dict[Pair, dict[Folder, Folder]] = defaultdict(dict)
    content = dict(zip(paths, pixels, strict=True))
    for path in paths:
        for inner in range(1, len(path)):  # one tree inside the other
            for outer in range(inner):
                twin = path[:outer] + path[inner:]
                if content.get(twin) == content[path]:
                    twins[path[:outer], path[:inner]][path] = twin
    alike = defaultdict(list)
    for path in paths:
        alike[content[path], path[-2:]].append(path)
    for group in alike.values():  # one tree beside the other
        for one, two in combinations(group[:PAIRED], 2):
            for tail in range(1, _common(one, two) + 1):
                folders = sorted((one[:-tail], two[:-tail]), key=lambda folder: (len(folder), first[folder]))
                if not _nested(*folders) and not _parts(*folders):
                    image, twin = (two, one) if folders[0] == one[:-tail] else (one, two)
                    twins[folders[0], folders[1]][image] = twin
    return twins


def _common(one: Folder, two: Folder) -> int:
    """How many components two paths share at their ends."""
    shared = 0
    while shared < min(len(one), len(two)) and one[-1 - shared] == two[-1 - shared]:
        shared += 1
    return shared


def _nested(outer: Folder, inner: Folder) -> bool:
    return inner[: len(outer)] == outer


def _parts(one: Folder, two: Folder) -> bool:
    """Whether two folders differ in the name of a part."""
    return any(a != b and {a.lower(), b.lower()} <= PART_NAMES for a, b in zip(one, two, strict=False))
