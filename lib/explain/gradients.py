"""Attributions to pixels along a path: gradients added up between a baseline and the image. Pure numbers, no network."""

from collections.abc import Callable

import numpy as np

STEPS = 8  # of the path


def integrated(
    gradient: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    steps: int = STEPS,
    baseline: np.ndarray | None = None,
) -> np.ndarray:
    """What each value adds to a score on a straight way from a baseline to the image; their sum is the whole difference.

    gradient: of the score with respect to images, (n, height, width, channels) -> the same. baseline: images of that shape;
    None: each image's own mean, a channel for itself: black would be a defect in many kinds of images. steps: of the
    midpoint rule. Source: Sundararajan, Taly and Yan 2017, arXiv:1703.01365.
    """
    start = np.broadcast_to(mean(images) if baseline is None else baseline, images.shape)
    way, total = images - start, np.zeros_like(images)
    for step in range(steps):
        total += gradient((start + (step + 0.5) / steps * way).astype(images.dtype))
    return way * total / steps


def mean(images: np.ndarray) -> np.ndarray:
    """The mean of each image and channel: (n, 1, 1, channels)."""
    return images.mean(axis=(1, 2), keepdims=True)
