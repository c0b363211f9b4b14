"""Maps that know no network: what a method has to beat (Adebayo et al. 2018, arXiv:1810.03292, for edges)."""

import numpy as np
from skimage.filters import gaussian, sobel

SPREAD = 1 / 4  # of the blob in the centre, as a share of the side


def controls(images: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """A random map, an edge detector and a blob in the centre, for each image: name -> (n, height, width) float32, 0 or more.

    images: (n, height, width, channels), any range.
    """
    return {"random": random(images, seed), "edges": edges(images), "centre": centre(images)}


def random(images: np.ndarray, seed: int) -> np.ndarray:
    """Smooth noise: blobs as large as an eighth of the side, so that what it marks is no single pixel."""
    noise = np.random.default_rng(seed).random(images.shape[:3])
    return np.stack([_positive(gaussian(each, images.shape[1] / 16)) for each in noise])


def edges(images: np.ndarray) -> np.ndarray:
    """Size of the grey value's slope (Sobel)."""
    return np.stack([sobel(image.mean(axis=-1)) for image in images.astype(float)]).astype(np.float32)


def centre(images: np.ndarray) -> np.ndarray:
    """A Gaussian blob in the middle of the image."""
    along = [
        np.exp(-((np.arange(side) - (side - 1) / 2) ** 2) / (2 * (SPREAD * side) ** 2)) for side in images.shape[1:3]
    ]
    return np.tile(np.outer(*along).astype(np.float32), (len(images), 1, 1))


def _positive(values: np.ndarray) -> np.ndarray:
    return (values - values.min()).astype(np.float32)
