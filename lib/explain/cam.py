"""Class activation maps: the channels of a layer, weighted by what they mean for a class. Pure numbers, no network.

features: what leaves the layer, (n, h, w, channels) float. gradients: of the explained logit with respect to it, the same
shape. All return (n, h, w) float32, 0 or more, in the size of the layer.
"""

import numpy as np

SPATIAL = (1, 2)  # axes


def cam(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Channels weighted by a dense layer on their average; weights: (n, channels), those of the class explained.

    Source: Zhou et al. 2016, arXiv:1512.04150.
    """
    return _weighted(features, weights[:, None, None])


def grad_cam(features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Channels weighted by the mean gradient over positions. Source: Selvaraju et al. 2017, arXiv:1610.02391."""
    return _weighted(features, gradients.mean(axis=SPATIAL, keepdims=True))


def grad_cam_plus_plus(features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Channels weighted by positive gradients, each by how much its position alone explains.

    As for a score that is the exponential of the logit, whose value is one factor of the whole map and left out.
    Source: Chattopadhay et al. 2018, arXiv:1710.11063, equations 10-19; weights of positions sum to one.
    """
    second, third = gradients**2, gradients**3
    below = 2 * second + third * features.sum(axis=SPATIAL, keepdims=True)
    shares = second / np.where(second == 0, below + 1, below)
    whole = shares.sum(axis=SPATIAL, keepdims=True)
    shares = shares / np.where(whole == 0, 1, whole)
    return _weighted(features, (np.maximum(gradients, 0) * shares).sum(axis=SPATIAL, keepdims=True))


def _weighted(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.maximum((features * weights).sum(axis=-1), 0).astype(np.float32)
