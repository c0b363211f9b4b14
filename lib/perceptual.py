"""What survives resizing, contrast changes, colour conversion and re-encoding: a short hash and a small picture."""

import cv2
import numpy as np

THUMBNAIL_SIZE = 64  # pixels per side
HASH_SIZE = 8  # frequencies per side


def thumbnail(grey: np.ndarray) -> np.ndarray:
    """A small picture to verify candidates on; the aspect ratio is given up.

    grey: (height, width) uint8, any size. Returns (64, 64) uint8: means over areas along a side of more than 64 pixels,
    linear interpolation along a shorter one.
    """
    height, width = grey.shape
    within = (min(width, THUMBNAIL_SIZE), min(height, THUMBNAIL_SIZE))
    reduced = cv2.resize(grey, within, interpolation=cv2.INTER_AREA)
    return cv2.resize(reduced, (THUMBNAIL_SIZE, THUMBNAIL_SIZE), interpolation=cv2.INTER_LINEAR)


def perceptual_hash(small: np.ndarray) -> int:
    """64 bits: which of the 8 x 8 lowest frequencies of a thumbnail (64, 64) uint8 lie above their median.

    Returns an int in [0, 2**64). Source: Zauner 2010, as `imagehash.phash` but for the filter of its resizing.
    """
    half = THUMBNAIL_SIZE // 2
    reduced = cv2.resize(small.astype(np.float32), (half, half), interpolation=cv2.INTER_AREA)
    lowest = cv2.dct(reduced)[:HASH_SIZE, :HASH_SIZE]
    return int.from_bytes(np.packbits(lowest > np.median(lowest)).tobytes(), "big")
