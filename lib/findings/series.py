"""The same things photographed in order a second time: pairs that no copy detector can see, but a run of them can.

Two exposures of one solar cell differ more than two cells of one exposure. So no pair is judged by itself: where many
consecutive rows find their like at one and the same distance in rows, these rows are a second round of the same things.
"""

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from lib.findings import frame, of_kind
from lib.perceptual import THUMBNAIL_SIZE

MOST_IMAGES = 40_000  # about a minute on two cores, growing with the square
WINDOW, HITS = 16, 12  # of so many rows, so many must find their like at one distance; ELPV at others: 7
NEAREST = 2  # likes of each image: things may have been photographed three times
SIMILAR = 0.7  # mean of a run; of two exposures 0.92, of neighbouring modules in ELPV 0.68
COMPONENTS, IMAGES_EACH = 512, 5  # in which a picture is described; fewer where there are few images
FLOOR = 0.001  # of the largest variance, below which a component is rounding
SIDE = 32  # pixels per side that are compared
BLOCK = 1024  # images against all others at a time


def repeated(manifest: pd.DataFrame) -> pd.DataFrame:
    """repeated_series: runs of rows that look like another run of rows of other groups, pair by pair.

    manifest: in the order of the data, every row, with column group. A run has at least HITS pairs, and is found if both
    rounds have the same order; of things photographed twice in succession there is no run. What stands between the
    first and the last pair belongs to it. Of more than MOST_IMAGES one finding `not_searched` says so.
    """
    seen = manifest["status"].eq("ok") & manifest["contrast"].ge(1) & ~manifest["pixels_sha256"].duplicated()
    rows = np.flatnonzero(seen)
    if len(rows) > MOST_IMAGES:
        return of_kind("not_searched", [""], details=f"series among {len(rows):,} images; most are {MOST_IMAGES:,}")
    if len(rows) < 2 * HITS:
        return frame()
    described = _described(manifest["thumbnail"].iloc[rows])
    one, two = rows[_likes(described, pd.factorize(manifest["group"].iloc[rows])[0])]
    place = np.full(len(manifest), -1)
    place[rows] = np.arange(len(rows))
    paths, found = manifest["path"].tolist(), []
    for first, last, offset in _runs(one, two - one):
        run = np.arange(first, last + 1)
        run = run[(place[run] >= 0) & (place[run + offset] >= 0)]
        alike = np.einsum("ij,ij->i", described[place[run]], described[place[run + offset]])
        if alike.mean() > SIMILAR:
            told = f"a run of {len(run)} images and the run {offset:,} rows before, similarity {alike.mean():.2f} on average"
            found += [("repeated_series", paths[row + offset], paths[row], told) for row in run]
    return frame(found)


def _described(thumbnails: pd.Series) -> np.ndarray:
    """What is small in each picture, in the components of this data set, all equally strong: (n, k) float32 of length 1."""
    half = THUMBNAIL_SIZE // SIDE
    pictures = np.frombuffer(b"".join(thumbnails), np.uint8).reshape(-1, SIDE, half, SIDE, half)
    pictures = pictures.mean(axis=(2, 4), dtype=np.float32)
    fine = (pictures - gaussian_filter(pictures, (0, 1, 1))).reshape(len(pictures), -1)
    fine = _of_length_one(fine - fine.mean(axis=1, keepdims=True))
    fine -= fine.mean(axis=0)
    few = len(fine) < SIDE * SIDE  # then it is quicker from the products of images than from those of pixels
    variances, vectors = np.linalg.eigh((fine @ fine.T if few else fine.T @ fine) / len(fine))
    used = slice(-max(1, min(COMPONENTS, len(fine) // IMAGES_EACH)), None)
    variance, vectors = variances[used].clip(0), vectors[:, used]
    described = vectors * np.sqrt(len(fine) * variance) if few else fine @ vectors
    return _of_length_one((described / np.sqrt(variance + FLOOR * variances[-1] + 1e-12)).astype(np.float32))


def _of_length_one(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def _likes(described: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Pairs (2, k) of which each is among the NEAREST images of other groups to the other, the earlier one first."""
    count = len(described)
    nearest = np.zeros((count, NEAREST), int)
    for start in range(0, count, BLOCK):
        part = slice(start, start + BLOCK)
        alike = described[part] @ described.T
        alike[group[part, None] == group] = -2
        for rank in range(NEAREST):
            nearest[part, rank] = best = alike.argmax(axis=1)
            alike[np.arange(len(best)), best] = -2
    one, two = np.repeat(np.arange(count), NEAREST), nearest.ravel()
    mutual = (nearest[two] == one[:, None]).any(axis=1) & (one < two) & (group[one] != group[two])
    return np.stack([one[mutual], two[mutual]])


def _runs(one: np.ndarray, offset: np.ndarray) -> list[tuple[int, int, int]]:
    """First row, last row and offset of each run. one, offset: (k,) rows and how far behind them their likes stand."""
    order = np.lexsort((one, offset))
    one, offset = one[order], offset[order]
    ends = np.arange(len(one) - HITS + 1)
    dense = (offset[ends] == offset[ends + HITS - 1]) & (one[ends + HITS - 1] - one[ends] < WINDOW)
    runs: list[tuple[int, int, int]] = []
    for position in ends[dense & (offset[ends] >= WINDOW)]:
        first, last, distance = one[position], one[position + HITS - 1], offset[position]
        if runs and runs[-1][2] == distance and first <= runs[-1][1]:
            first = runs.pop()[0]
        runs.append((int(first), int(last), int(distance)))
    return runs
