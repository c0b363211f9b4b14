"""One photograph several times: as the same file, with the same pixels, or made into another picture.

Every function takes the manifest (`lib.manifest`) and reads only its rows with status "ok"; the order of its rows decides
which of several copies is the original.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from lib.findings import frame, linked, near_links
from lib.findings.repetition import repeated_trees

__all__ = ["across", "exact", "near", "reconnected", "repeated_trees"]

KINDS = {  # findings about two pictures, in words
    "near_copy": "nearly the same picture",
    "repeated_series": "probably the same thing, photographed again",
    "near_copy_conflict": "one thing, with two labels",
    "copy_of_pixels": "the same pixels in another file",
    "copy_of_bytes": "the same file twice",
    "label_conflict": "the same pixels, with another label",
}
BLANK_CONTRAST = 1.0  # grey values; below it there is nothing to compare
PARTS = ("train", "tuning", "validation", "val", "test")  # the order in which a pair of parts is named
SAME_BRIGHTNESS = 3.0  # grey values


def exact(manifest: pd.DataFrame) -> pd.DataFrame:
    """copy_of_bytes and copy_of_pixels: each later row of a class, against the class's first row."""
    rows = _readable(manifest)
    same_bytes, same_pixels = _first_with_the_same(rows, "sha256"), _first_with_the_same(rows, "pixels_sha256")
    later = np.flatnonzero(same_pixels != np.arange(len(rows)))
    firsts = np.where(same_bytes[later] != later, same_bytes[later], same_pixels[later])
    return _findings(rows, later, firsts)


def near(manifest: pd.DataFrame) -> pd.DataFrame:
    """near_copy: pictures made from one photograph at another size, contrast, brightness, gamma, mode or encoding.

    n - 1 rows for a photograph of which there are n pictures that differ in pixels; their chains are what belongs
    together. Not found: mirrored, turned and cut pictures; copies with less than 64 pixels a side that were re-encoded.
    Blank pictures are left out. How sure this is: `lib.findings.near_links`.
    """
    rows = _readable(manifest)
    pairs = near_links.links(*_pictures(rows)) if len(rows) > 1 else []
    earlier, later = _unique(rows)[np.array(pairs, int).reshape(-1, 2).T]
    return _findings(rows, later, earlier)


def across(manifest: pd.DataFrame, part: pd.Series, near_copies: pd.DataFrame | None = None) -> pd.DataFrame:
    """Copies of any kind whose two images lie in different parts.

    part: the name of the part of each row of the manifest (same index); rows without one are left out. near_copies: what
    `near` found in this manifest, if it was asked already. Copies of copies count: every image of a photograph that
    lies in two parts is named, at least once for each pair of parts, beside its closest copy there.
    """
    rows = _readable(manifest.assign(part=part.astype(object).where(part.notna(), "").astype(str)))
    if near_copies is None:
        near_copies = near(rows)
    table, names = rows.to_dict("list"), {path: position for position, path in enumerate(rows["path"])}
    links = pd.concat([exact(rows), near_copies])
    one, two = links["image"].map(names).to_numpy(), links["other"].map(names).to_numpy()
    found = []
    for group in _groups(len(rows), one, two):
        found += _between_parts(table, [position for position in group if table["part"][position]])
    return frame(found)


def reconnected(near_copies: pd.DataFrame, exact_copies: pd.DataFrame, left: pd.Series) -> pd.DataFrame:
    """Near copies among the images that are left: what hung together through one that is gone is linked anew.

    near_copies, exact_copies: findings about two images each. left: paths; the first of several gets the links.
    """
    links = pd.concat([near_copies, exact_copies])
    both_left = links["image"].isin(left) & links["other"].isin(left)
    names = pd.Index([*left, *links["image"], *links["other"]]).unique()
    one, two = names.get_indexer(links["image"]), names.get_indexer(links["other"])
    still = linked(len(names), one[both_left], two[both_left])
    found = []
    for group in _groups(len(names), one, two):
        members = group[group < len(left)]
        heads = names[np.sort(members[np.unique(still[members], return_index=True)[1]])]
        found += [("near_copy", path, heads[0], "both like one that was left out") for path in heads[1:]]
    there = near_copies["image"].isin(left) & near_copies["other"].isin(left)
    return pd.concat([near_copies[there], frame(found)], ignore_index=True)


def _findings(rows: pd.DataFrame, images: np.ndarray, others: np.ndarray) -> pd.DataFrame:
    table, found = rows.to_dict("list"), []
    for image, other in zip(images, others, strict=True):
        kind, how = _likeness(table, image, other)
        found.append((kind, table["path"][image], table["path"][other], how))
    return frame(found)


def _readable(manifest: pd.DataFrame) -> pd.DataFrame:
    return manifest[manifest["status"] == "ok"].reset_index(drop=True)


def _first_with_the_same(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Position of the first row with the same value, for each row."""
    positions = pd.Series(np.arange(len(rows)), index=rows.index)
    return positions.groupby(rows[column]).transform("min").to_numpy(int)


def _unique(rows: pd.DataFrame) -> np.ndarray:
    """Positions of the first picture of each class of equal pixels that shows something."""
    first = _first_with_the_same(rows, "pixels_sha256") == np.arange(len(rows))
    return np.flatnonzero(first & (rows["contrast"] >= BLANK_CONTRAST).to_numpy())


def _pictures(rows: pd.DataFrame) -> tuple[np.ndarray, list[bytes], np.ndarray, np.ndarray]:
    chosen = rows.loc[_unique(rows), ["perceptual_hash", "thumbnail", "width", "height"]]
    sides = (chosen[side].to_numpy(np.float32) for side in ("width", "height"))
    return chosen["perceptual_hash"].to_numpy(np.uint64), chosen["thumbnail"].tolist(), *sides


def _groups(count: int, one: np.ndarray, two: np.ndarray) -> Iterator[np.ndarray]:
    """Positions of the pictures of each photograph that has several, in order."""
    label = linked(count, one, two)
    order = np.argsort(label, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        if len(group) > 1:
            yield group


def _between_parts(rows: dict[str, list], group: list[int]) -> Iterator[tuple[str, str, str, str]]:
    members = defaultdict(list)
    for position in group:
        members[rows["part"][position]].append(position)
    in_order = sorted(members, key=lambda name: (PARTS.index(name) if name in PARTS else -1, name))
    for first, second in combinations(in_order, 2):
        closest, back = _closest(rows, members[second]), _closest(rows, members[first])
        pairs = [(position, closest(position)) for position in members[first]]
        named = {other for _, other in pairs}
        pairs += [(back(position), position) for position in members[second] if position not in named]
        for position, other in pairs:
            kind, how = _likeness(rows, position, other)
            yield kind, rows["path"][position], rows["path"][other], f"{first} and {second}: {how}"


def _closest(rows: dict[str, list], positions: list[int]) -> Callable[[int], int]:
    """A function that gives, of some pictures, the one closest to another: equal bytes, equal pixels, or the first."""
    equal = {rows[key][position]: position for key in ("pixels_sha256", "sha256") for position in reversed(positions)}

    def closest(position: int) -> int:
        keys = (rows["sha256"][position], rows["pixels_sha256"][position])
        return next((equal[key] for key in keys if key in equal), positions[0])

    return closest


def _likeness(rows: dict[str, list], one: int, two: int) -> tuple[str, str]:
    """Kind of two copies, and in what they differ."""
    if rows["sha256"][one] == rows["sha256"][two]:
        return "copy_of_bytes", "the same file"
    encoding = _against("encoding", rows["format"][one], rows["format"][two])
    if rows["pixels_sha256"][one] == rows["pixels_sha256"][two]:
        return "copy_of_pixels", f"the same pixels in another {encoding}"
    sizes = [f"{rows['width'][position]} x {rows['height'][position]}" for position in (one, two)]
    found = [_against("size", *sizes)] if sizes[0] != sizes[1] else []
    modes = rows["mode"][one], rows["mode"][two]
    found += [_against("colour mode", *modes)] if modes[0] != modes[1] else []
    if any(abs(rows[name][one] - rows[name][two]) > SAME_BRIGHTNESS for name in ("brightness", "contrast")):
        found.append("brightness or contrast")
    return "near_copy", "the same picture at another " + " and ".join(found or [encoding])


def _against(what: str, one: str, two: str) -> str:
    return what if one == two else f"{what}, {one} against {two}"
