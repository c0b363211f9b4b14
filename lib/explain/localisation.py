"""Whether a map marks the place of a defect, where that is known. Pure numbers, no network."""

import numpy as np
from skimage.morphology import isotropic_dilation

TOLERANCE = 15 / 224  # of the side: how far beside the defect still counts (Zhang et al. 2018)


def pointing(maps: np.ndarray, masks: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """Pointing game: whether the largest value lies on the defect, or within `tolerance` of the side beside it.

    maps: (n, height, width) float. masks: (n, height, width) bool. Returns (n,) float in [0, 1]: of several largest values the
    share that does; so a flat map hits by its share of the area. Source: Zhang et al. 2018, doi:10.1007/s11263-017-1059-x.
    """
    largest = maps == maps.max(axis=(1, 2), keepdims=True)
    return _inside(largest.astype(float), near(masks, tolerance))


def energy_inside(maps: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Share of a map's sum that lies on the defect: (n,) float in [0, 1]; of a map without evidence the share of the area.

    maps: (n, height, width), 0 or more. Source: Wang et al. 2020, arXiv:1910.01279, "energy-based pointing game".
    """
    empty = ~maps.any(axis=(1, 2), keepdims=True)
    return _inside(np.where(empty, 1.0, maps), masks)


def area(masks: np.ndarray) -> np.ndarray:
    """Share of the image that the defect takes: (n,) float. What energy and pointing reach by chance."""
    return masks.mean(axis=(1, 2))


def near(masks: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """The masks with what lies within `tolerance` of the side beside them."""
    radius = tolerance * masks.shape[1]
    return np.stack([isotropic_dilation(mask, radius) for mask in masks])


def corner(masks_shape: tuple[int, int, int], share: float) -> np.ndarray:
    """Masks of the four corners, squares of `share` of the side: (n, height, width) bool."""
    height, width = masks_shape[1:]
    rows, columns = (np.arange(side) < max(1, round(share * side)) for side in (height, width))
    return np.broadcast_to(np.outer(rows | rows[::-1], columns | columns[::-1]), masks_shape)


def border(masks_shape: tuple[int, int, int], share: float) -> np.ndarray:
    """Masks of a frame, `share` of the side wide: (n, height, width) bool."""
    height, width = masks_shape[1:]
    rows, columns = (np.arange(side) < max(1, round(share * side)) for side in (height, width))
    inside = np.outer(~(rows | rows[::-1]), ~(columns | columns[::-1]))
    return np.broadcast_to(~inside, masks_shape)


def _inside(weights: np.ndarray, masks: np.ndarray) -> np.ndarray:
    return (weights * masks).sum(axis=(1, 2)) / weights.sum(axis=(1, 2))
