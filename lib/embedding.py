"""Features in two dimensions, so that neighbours can be looked at."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

COMPONENTS = 50  # principal components that t-SNE starts from
PERPLEXITY = 30.0  # about how many neighbours count; fewer where images are few
FEWEST = 5  # images; below, principal components alone


def neighbours_map(features: np.ndarray, seed: int, perplexity: float = PERPLEXITY) -> np.ndarray:
    """A map that keeps neighbours together: principal components, then t-SNE.

    features: (n, d) float. Distances between far groups mean nothing, nor do the axes. The same features and seed give the
    same map on one kind of processor: it takes one thread, about 3 seconds for 1,000 images.
    Returns (n, 2) float32; fewer than five images, or equal ones, are placed by their principal components.
    Source: van der Maaten and Hinton 2008, JMLR 9, 2579-2605.
    """
    count = min(COMPONENTS, *features.shape)
    with threadpool_limits(1):  # sums of several threads differ in their last digits
        if len(features) < FEWEST or count < 2 or not np.ptp(features, axis=0).any():
            return _principal(features.astype(np.float64))
        points = PCA(count, svd_solver="full").fit_transform(features.astype(np.float64))
        bounded = min(perplexity, (len(points) - 1) / 3)
        map_ = TSNE(2, perplexity=bounded, init="pca", random_state=seed, n_jobs=1)
        return map_.fit_transform(points).astype(np.float32)


def _principal(features: np.ndarray) -> np.ndarray:
    centred = features - features.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    points = np.zeros((len(features), 2), np.float32)
    points[:, : len(axes)] = centred @ axes.T
    return points
