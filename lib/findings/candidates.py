"""Pairs of pictures that may be copies: close in the perceptual hash, and in a second hash made for this data set.

All pairs are compared: 5e9 of them, for 100,000 images, take seconds where chunks stay in a core's cache and no pair
becomes a Python object. The second hash tells apart what the first cannot, pictures that all look alike: its bits are
the signs of the 128 components in which the pictures of this very data set differ most.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np

HASH_DISTANCE = 12  # of 64 bits; 99 % of copies lie within 8
SECOND_DISTANCE = 32  # of 128 bits; 99.9 % of copies lie within 25, of very faint differences three quarters
FEWEST = 1024  # pictures; with less there are few pairs, and components that are no use
SAMPLE = 4096  # pictures that the components are estimated from
BITS = 128
SMALLEST_DEVIATION = 0.003  # of a component, of pictures of length 1; below it is rounding, in which copies differ
BLOCK = 1024  # pictures against as many: of copies of one, a million pairs
ROWS = 64  # pictures against BLOCK others at a time: half a megabyte of distances
CROWDED = 0.01  # share of a block's pairs from which they are thinned before being listed
READ = 4096  # thumbnails at a time
LOOK_AHEAD = 4  # blocks
NOTHING = np.empty(0, np.int32)


def second_hash(hashes: np.ndarray, pictures: Callable[[np.ndarray], np.ndarray]) -> np.ndarray | None:
    """128 bits of each picture, as they come from this data set; None where it is small.

    hashes: (n,) uint64; pictures: gives the thumbnails (k, 64, 64) uint8 at k positions. Returns (2, n) uint64.
    """
    if len(hashes) < FEWEST:
        return None
    different = np.unique(hashes, return_index=True)[1]  # in the order of the hashes; one of many copies is enough
    known = different if len(different) >= FEWEST else np.argsort(hashes, kind="stable")
    sample = known[np.linspace(0, len(known) - 1, min(SAMPLE, len(known))).astype(int)]
    described = _described(pictures(sample))
    middle = described.mean(axis=0)
    variances, components = np.linalg.eigh(np.cov((described - middle).T))
    used = np.clip(np.count_nonzero(variances > SMALLEST_DEVIATION**2), 1, BITS)
    components = components[:, -1 - np.arange(BITS) % used].astype(np.float32)  # where there are few, each counts twice
    parts = np.split(np.arange(len(hashes)), range(READ, len(hashes), READ))
    bits = (np.packbits((_described(pictures(part)) - middle) @ components > 0, axis=1) for part in parts)
    return np.ascontiguousarray(np.concatenate([part.view(np.uint64) for part in bits]).T)


def _described(pictures: np.ndarray) -> np.ndarray:
    """32 x 32 means without brightness and contrast: (n, 1024) float32 of length 1."""
    means = pictures.reshape(len(pictures), 32, 2, 32, 2).mean(axis=(2, 4), dtype=np.float32).reshape(-1, 1024)
    means -= means.mean(axis=1, keepdims=True)
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-6)


class Search:
    """All pairs of pictures, block by block, in threads.

    hashes: (n,) uint64; second: (2, n) uint64 or None. `neighbours` (n,) counts, once all was read, the other pictures
    within HASH_DISTANCE of each.
    """

    def __init__(self, hashes: np.ndarray, second: np.ndarray | None):
        self.hashes, self.second = hashes, second
        self.neighbours = np.zeros(len(hashes), np.int64)

    def pairs(self, groups: np.ndarray, pool: ThreadPoolExecutor) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Candidates: positions of the earlier and of the later picture.

        groups: (n,) integers, which the caller may change in between: pairs within one group may be left out, so that
        of many copies each has to be found once only.
        """
        starts = range(0, len(self.hashes), BLOCK)
        blocks = ((row, column) for row in starts for column in starts if row <= column)
        waiting = deque(pool.submit(self._block, groups, *block) for block in islice(blocks, LOOK_AHEAD))
        while waiting:
            one, two, neighbours = waiting.popleft().result()
            waiting.extend(pool.submit(self._block, groups, *block) for block in islice(blocks, 1))
            for place, count in neighbours:
                self.neighbours[place] += count
            yield one, two

    def _block(self, groups: np.ndarray, row: int, column: int) -> tuple[np.ndarray, np.ndarray, list]:
        right = slice(column, min(column + BLOCK, len(self.hashes)))
        last = min(row + BLOCK, len(self.hashes))
        found, neighbours = [], []
        for start in range(row, last, ROWS):
            left = slice(start, min(start + ROWS, last))
            close = _distance(self.hashes[left], self.hashes[right]) <= HASH_DISTANCE
            if row == column:
                close &= np.arange(left.start, left.stop)[:, None] < np.arange(right.start, right.stop)
            count = np.count_nonzero(close)
            if not count:
                continue
            neighbours += [(left, _in_each_row(close)), (right, _in_each_column(close))]
            one, two = np.nonzero(close if count < CROWDED * close.size else self._thinned(close, groups, left, right))
            found.append(self._alike_in_both((one + start).astype(np.int32), (two + column).astype(np.int32)))
        one, two = (np.concatenate([NOTHING, *side]) for side in (zip(*found, strict=True) if found else ((), ())))
        return one, two, neighbours

    def _alike_in_both(self, one: np.ndarray, two: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.second is None:
            return one, two
        distance = np.bitwise_count(self.second[:, one] ^ self.second[:, two]).sum(axis=0, dtype=np.uint8)
        return one[distance <= SECOND_DISTANCE], two[distance <= SECOND_DISTANCE]

    def _thinned(self, close: np.ndarray, groups: np.ndarray, left: slice, right: slice) -> np.ndarray:
        """Only what is left to be found, before millions of pairs are listed."""
        close = close & (groups[left, None] != groups[None, right])
        if self.second is not None and close.any():
            distance = _distance(self.second[0, left], self.second[0, right])
            close &= (
                np.add(distance, _distance(self.second[1, left], self.second[1, right]), out=distance)
                <= SECOND_DISTANCE
            )
        return close


def _distance(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Bits that differ, of every pair: (n,) and (m,) uint64 -> (n, m) uint8."""
    return np.bitwise_count(left[:, None] ^ right[None, :])


def _in_each_row(close: np.ndarray) -> np.ndarray:
    packed = np.packbits(close, axis=1)
    return np.bitwise_count(packed).sum(axis=1, dtype=np.int64)


def _in_each_column(close: np.ndarray) -> np.ndarray:
    return np.add.reduce(close.view(np.uint8), axis=0, dtype=np.uint8)  # at most ROWS; a tenth of count_nonzero's time
