"""The images and labels a run sees, and the order it sees them in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Part:
    """One part of the data, rows of the pixel cache."""

    pixels: np.ndarray  # (all, size, size, channels) uint8, the cache; or (all, ...) float32, what layers answer
    rows: np.ndarray  # (n,) int: positions in `pixels`
    names: np.ndarray  # (n,) str
    groups: np.ndarray  # (n,) str
    labels: np.ndarray  # (n,) int: class index
    sha256: np.ndarray  # (n,) str: hash of each image's pixels

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, size: int) -> Iterator[np.ndarray]:
        """The images in order, in batches (up to size, height, width, channels)."""
        for first in range(0, len(self), size):
            yield self.pixels[self.rows[first : first + size]]

    def first(self, number: int) -> "Part":
        """At most `number` images, evenly spaced over the part: always the same ones."""
        return self.chosen(np.linspace(0, len(self) - 1, min(number, len(self))).round().astype(int))

    def chosen(self, positions: np.ndarray) -> "Part":
        """Some of the images: (m,) positions within this part, in their order."""
        columns = ("rows", "names", "groups", "labels", "sha256")
        return replace(self, **{column: getattr(self, column)[positions] for column in columns})


@dataclass(frozen=True)
class Data:
    """The parts a run may see: it trains on `train`, watches `tuning`, and predicts all three."""

    train: Part
    tuning: Part
    validation: Part
    classes: int

    def parts(self) -> dict[str, Part]:
        """Parts by name."""
        return {"train": self.train, "tuning": self.tuning, "validation": self.validation}

    def fingerprint(self) -> list:
        """Everything that training and predictions depend on: names, groups, pixels, labels, part by part."""
        return [
            [name, part.names.tolist(), part.groups.tolist(), part.sha256.tolist(), part.labels.tolist()]
            for name, part in self.parts().items()
        ]
