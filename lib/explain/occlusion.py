"""Occlusion: what a score loses when a part of the image is covered. It needs no gradient; pure numbers, no network."""

from collections.abc import Callable

import numpy as np

from lib.explain.gradients import mean

SHARE = 1 / 4  # of a side that is covered at a time


def occlusion(score: Callable[[np.ndarray], np.ndarray], images: np.ndarray, share: float = SHARE) -> np.ndarray:
    """Mean fall of the score over all squares that cover a pixel: (n, height, width) float32, 0 or more.

    score: of images (n, height, width, channels) -> (n,). Squares of `share` of the height, half a square apart, take the
    image's mean. Source: Zeiler and Fergus 2014, arXiv:1311.2901.
    """
    height, width = images.shape[1:3]
    square = max(1, round(share * height))
    whole, grey = score(images), mean(images)
    total, times = np.zeros(images.shape[:3]), np.zeros((height, width))
    for top, left in _starts(height, width, square):
        here = (slice(None), slice(top, top + square), slice(left, left + square))
        covered = images.copy()
        covered[here] = grey
        total[here] += (whole - score(covered))[:, None, None]
        times[here[1:]] += 1
    return np.maximum(total / times, 0).astype(np.float32)


def _starts(height: int, width: int, square: int) -> list[tuple[int, int]]:
    """Upper left corners of squares that cover the whole image."""
    step = max(1, square // 2)
    along = [sorted({*range(0, max(1, side - square), step), max(0, side - square)}) for side in (height, width)]
    return [(top, left) for top in along[0] for left in along[1]]
