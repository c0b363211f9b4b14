"""Which pictures are one photograph: candidates by hash, verified on thumbnails, joined to groups."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from lib.findings import candidates, likeness

# Of 2,624 solar cells that all look alike (3.4 million pairs) none lies below 1.0; of their copies, 99.8 % below 0.8.
SAME = 0.8
# Different photographs lie above 3, but strong clipping or small sizes take a copy to 1.5.
SAME_OUTSIDE_CROWDS = 1.5
CROWD = 4  # with more neighbours by hash than this, outside its own group, a picture has look-alikes
MOST_TRIES = 100  # pairs of a picture that are verified in vain; then only with pictures that had fewer
BATCH = 512  # pairs verified between two looks at what is joined already
PIECE = 256  # pairs verified in one thread at a time
MOST_UNDECIDED = 10_000_000  # pairs kept in memory; with more of them, all pictures count as look-alikes


@dataclass
class Groups:
    """Pictures that were found to be one photograph, and one link for each that joined."""

    label: np.ndarray  # (n,) which group a picture is in
    links: list[tuple[int, int]] = field(default_factory=list)
    members: dict[int, list[int]] = field(default_factory=dict)

    def join(self, one: int, two: int) -> None:
        """Make two groups one, the smaller taking the larger one's label. Nothing where they are one already."""
        large, small = int(self.label[one]), int(self.label[two])
        if large == small:
            return
        large_members, small_members = self.members.pop(large, [large]), self.members.pop(small, [small])
        if len(large_members) < len(small_members):
            large, large_members, small_members = small, small_members, large_members
        self.label[small_members] = large
        self.members[large] = large_members + small_members
        self.links.append((one, two))


class Pictures:
    """The thumbnails of a table's rows, read where they lie: all of them in a second array would take 400 MB."""

    def __init__(self, thumbnails: list[bytes]):
        self.thumbnails = thumbnails

    def at(self, positions: np.ndarray) -> np.ndarray:
        """(k,) positions -> (k, 64, 64) uint8."""
        data = b"".join([self.thumbnails[position] for position in positions])
        return np.frombuffer(data, np.uint8).reshape(-1, likeness.SIZE, likeness.SIZE)


def links(hashes: np.ndarray, thumbnails: list[bytes], width: np.ndarray, height: np.ndarray) -> list[tuple[int, int]]:
    """n - 1 pairs of positions (earlier, later) for each photograph of which there are n pictures.

    hashes: (n,) uint64; thumbnails: n times 64 * 64 bytes; width, height: (n,) pixels. Which pictures are joined does
    not depend on their order, as long as none reaches MOST_TRIES. Pictures that have many look-alikes, or less than 64
    pixels a side, must be closer.
    """
    pictures, groups = Pictures(thumbnails), Groups(np.arange(len(hashes), dtype=np.int32))
    search = candidates.Search(hashes, candidates.second_hash(hashes, pictures.at))
    measure = partial(_measured, pictures, likeness.noise_side(width, height))
    undecided, many, tries = [], 0, np.zeros(len(hashes), np.int64)
    with ThreadPoolExecutor() as pool:
        for one, two in search.pairs(groups.label, pool):
            for part in _joined(one, two, groups, tries, measure, pool):
                many += len(part[0])
                if many <= MOST_UNDECIDED:
                    undecided.append(part)
    if undecided and many <= MOST_UNDECIDED:
        one, two = (np.concatenate(side) for side in zip(*undecided, strict=True))
        _join_outside_crowds(groups, one, two, search.neighbours, np.minimum(width, height) < likeness.SMALLEST_SIDE)
    return sorted(groups.links)


def _joined(
    one: np.ndarray, two: np.ndarray, groups: Groups, tries: np.ndarray, measure: Callable, pool: ThreadPoolExecutor
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Join what is the same; give the pairs that may be the same (earlier, later)."""
    size = BATCH
    while True:
        worth = (groups.label[one] != groups.label[two]) & (np.minimum(tries[one], tries[two]) < MOST_TRIES)
        one, two = one[worth], two[worth]
        if not len(one):
            return
        distance = np.concatenate(list(pool.map(measure, _pieces(one[:size]), _pieces(two[:size]))))
        for position in np.flatnonzero(distance <= SAME):
            groups.join(int(one[position]), int(two[position]))
        other = np.flatnonzero(distance > SAME)
        np.add.at(tries, one[other], 1)
        np.add.at(tries, two[other], 1)
        close = other[distance[other] <= SAME_OUTSIDE_CROWDS]
        if len(close):
            yield one[close], two[close]
        one, two = one[size:], two[size:]
        size = BATCH if 2 * len(other) < size else 2 * size  # where many are joined, look again soon


def _pieces(pairs: np.ndarray) -> list[np.ndarray]:
    return np.split(pairs, range(PIECE, len(pairs), PIECE))


def _measured(pictures: Pictures, side: np.ndarray, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    return likeness.distances(pictures.at(one), pictures.at(two), np.minimum(side[one], side[two]))


def _join_outside_crowds(
    groups: Groups, one: np.ndarray, two: np.ndarray, neighbours: np.ndarray, tiny: np.ndarray
) -> None:
    """Join the pairs of which neither picture has many neighbours outside its own group."""
    own = np.bincount(groups.label, minlength=len(groups.label))[groups.label] - 1
    alone = (neighbours - own <= CROWD) & ~tiny
    for position in np.flatnonzero(alone[one] & alone[two]):
        groups.join(int(one[position]), int(two[position]))
