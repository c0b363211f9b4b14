"""How alike two maps of one image are: whatever their scale, a number an image."""

import numpy as np
from scipy import stats
from skimage.metrics import structural_similarity

WINDOW = 7  # pixels a side, of the structural similarity


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation over the pixels: (n, height, width) twice -> (n,) float in [-1, 1].

    nan where the first map is the same everywhere: what orders nothing cannot lose its order. 0 where the second one is.
    """
    ranks = [stats.rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (first, second)]
    one, other = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    spread = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    unordered = np.where(one.any(axis=1), 0.0, np.nan)
    return np.divide((one * other).sum(axis=1), spread, out=unordered, where=spread > 0)


def structure(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Structural similarity (SSIM) of maps that are scaled by their own maximum: (n,) float in [-1, 1].

    first, second: (n, height, width), 0 or more, 7 pixels a side or more, else ValueError.
    Source: Wang et al. 2004, doi:10.1109/TIP.2003.819861.
    """
    if min(first.shape[1:]) < WINDOW:
        raise ValueError(f"maps are {first.shape[1:]} pixels; structural similarity needs {WINDOW} a side or more")
    pairs = zip(scaled(first), scaled(second), strict=True)
    return np.array([structural_similarity(one, other, win_size=WINDOW, data_range=1.0) for one, other in pairs])


SIMILARITIES = {"rank correlation": rank_correlation, "structural similarity": structure}


def scaled(maps: np.ndarray) -> np.ndarray:
    """Each map divided by its own maximum: (n, height, width), 0 or more -> [0, 1]; one without evidence stays zero."""
    largest = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, largest, out=np.zeros_like(maps), where=largest > 0)
