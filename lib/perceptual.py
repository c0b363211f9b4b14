"""What survives resizing, contrast changes, colour conversion and re-encoding: a short hash and a small picture."""

import cv2
import imagehash
import numpy as np
from PIL import Image

THUMBNAIL_SIZE = 64  # pixels per side


def thumbnail(grey: np.ndarray) -> np.ndarray:
    """A small picture to verify candidates on. grey: (height, width) uint8 -> (64, 64) uint8."""
    return cv2.resize(grey, (THUMBNAIL_SIZE, THUMBNAIL_SIZE), interpolation=cv2.INTER_AREA)


def perceptual_hash(small: np.ndarray) -> int:
    """64 bits of the low frequencies of a thumbnail (64, 64) uint8. Source: Zauner 2010, as `imagehash.phash`."""
    bits = imagehash.phash(Image.fromarray(small)).hash.ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
