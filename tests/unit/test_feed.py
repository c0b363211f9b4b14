"""The feed reads ahead of the training step, also under deterministic kernels."""

import time

import numpy as np
import pytest

from lib.training import determinism, feed
from lib.training.data import Part


class CountedPixels(np.ndarray):
    """Pixels that count how often a batch is read."""

    reads = 0

    def __getitem__(self, index):
        CountedPixels.reads += 1
        return super().__getitem__(index)


@pytest.fixture
def part() -> Part:
    """Twelve small images."""
    names = np.array([f"image{number}" for number in range(12)])
    pixels = np.zeros((12, 4, 4, 1), np.uint8).view(CountedPixels)
    return Part(pixels, np.arange(12), names, names, np.arange(12) % 2, names)


def test_batches_are_read_ahead(part):
    determinism.fix(1, 7)
    CountedPixels.reads = 0
    batches = iter(feed.training_batches(part, 2, 7, 0, 1))
    next(batches)
    until = time.monotonic() + 20
    while CountedPixels.reads < 3 and time.monotonic() < until:
        time.sleep(0.01)
    assert CountedPixels.reads >= 3, "while one batch trains, the next ones should be read"
