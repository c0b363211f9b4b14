"""How far two thumbnails are from being one photograph, in units of what copying does to a photograph.

The grey values of one picture are mapped onto those of the other (any smooth point operation: contrast, brightness,
gamma, clipping), and what remains is compared, octave by octave, with what re-encoding and resizing leave. Correlation
cannot do this: two different solar cells of one module correlate by 0.998, more than a cell and its own re-encoded
copy, for both are mostly busbars. But the lower octaves of a copy are exact, since the noise of re-encoding averages
out over the pixels beneath, and those of another cell are not.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

SIZE = 64  # pixels per side of a thumbnail
# The four octaves below the finest one (16-32, 8-16, 4-8 and under 4 periods a side): the share of the noise of JPEG
# that falls into each, and the share of an octave's own energy that resizing and mapping may lose.
NOISE_SHARE = np.sqrt([3 / 16, 3 / 64, 3 / 256, 1 / 256])
ENERGY_SHARE = np.array([0.08, 0.06, 0.04, 0.03])
JPEG_NOISE = 6.0  # grey values; a step of 20, as at quality 40, leaves 20 / sqrt(12)
ROUNDING = 0.15  # grey values that 8 bits leave in an octave
SMALLEST_SIDE = 64  # pixels; the noise allowed to pictures that are smaller does not grow further
UNVERIFIABLE_SIDE = 192  # under 64 pixels nothing averages out: such pictures get the noise of this side
# Rest against content: copies of 160 pixels a side reach 0.17. Without it faint pictures were copies of anything.
LARGEST_REST = 0.2
SMALLEST_CORRELATION = 0.8  # of 16 x 16 means
WORTH_A_CLOSER_LOOK = 6.0
SMOOTHING = 3.0  # grey values
CHUNK = 32  # pairs whose working memory fits a core's cache


def noise_side(width: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Side in pixels that the noise of a picture is reckoned with. width, height: (n,) pixels. Returns (n,) float32."""
    side = np.sqrt(np.asarray(width, np.float32) * np.asarray(height, np.float32))
    return np.where(side < SMALLEST_SIDE, UNVERIFIABLE_SIDE, side).astype(np.float32)


def distances(first: np.ndarray, second: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Rest between the pictures of n pairs, in units of what copying leaves.

    first, second: (n, 64, 64) uint8; side: (n,) pixels, of the smaller picture. Returns (n,) float32: copies lie below
    0.8 nearly always, different cells of one solar module above 1, different photographs above 3.
    """
    found = np.empty(len(first), np.float32)
    for halvings, measure in ((2, _correlated), (1, _rest), (0, _rest)):  # each dearer and finer; most pairs need one
        left = np.arange(len(first)) if halvings == 2 else np.flatnonzero(found < WORTH_A_CLOSER_LOOK)
        for part in np.split(left, range(CHUNK, len(left), CHUNK)) if len(left) else []:
            one, two = _reduced(first[part], halvings), _reduced(second[part], halvings)
            found[part] = measure(one, two, side[part])
    return found


def _correlated(one: np.ndarray, two: np.ndarray, side: np.ndarray) -> np.ndarray:
    """0 where two pictures correlate enough to be looked at, else infinity."""
    one, two = (picture - picture.mean(axis=(1, 2), keepdims=True) for picture in (one, two))
    product = np.einsum("ijk,ijk->i", one, two)
    scale = np.einsum("ijk,ijk->i", one, one) * np.einsum("ijk,ijk->i", two, two)
    return np.where(product > SMALLEST_CORRELATION * np.sqrt(scale), 0, np.inf)


def _rest(one: np.ndarray, two: np.ndarray, side: np.ndarray) -> np.ndarray:
    return np.minimum(_one_way(one, two, side), _one_way(two, one, side))  # clipping goes one way only


def _one_way(source: np.ndarray, target: np.ndarray, side: np.ndarray) -> np.ndarray:
    rest, content = _octaves(target - _mapped(source, target)), _octaves(target)
    noise = JPEG_NOISE * SIZE / side[:, None] * NOISE_SHARE
    allowed = noise**2 + (ENERGY_SHARE**2) * content + ROUNDING**2
    empty = rest.sum(axis=1) > LARGEST_REST**2 * content.sum(axis=1)
    return np.where(empty, np.inf, np.sqrt((rest / allowed).mean(axis=1)))


def _mapped(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The source in the target's grey values: a straight line, and on it the mean deviation at each grey value."""
    count = len(source)
    grey, wanted = source.reshape(count, -1), target.reshape(count, -1)
    centred = grey - grey.mean(axis=1, keepdims=True)
    slope = np.einsum("ij,ij->i", centred, wanted) / np.maximum(np.einsum("ij,ij->i", centred, centred), 1e-6)
    line = wanted.mean(axis=1, keepdims=True) + slope[:, None] * centred
    cell = ((grey + 0.5).astype(np.intp) + 256 * np.arange(count)[:, None]).ravel()
    pixels = np.bincount(cell, minlength=256 * count).reshape(count, 256)
    deviation = np.bincount(cell, weights=(wanted - line).ravel(), minlength=256 * count).reshape(count, 256)
    curve = _smooth(deviation) / np.maximum(_smooth(pixels.astype(np.float64)), 1e-9)
    return (line + curve.astype(np.float32).ravel()[cell].reshape(count, -1)).reshape(source.shape)


def _smooth(histograms: np.ndarray) -> np.ndarray:
    return gaussian_filter1d(histograms, SMOOTHING, axis=1, mode="constant")


def _octaves(picture: np.ndarray) -> np.ndarray:
    """Mean square of the four octaves below 32 pixels a side, finest first: (n, 32 or 64, the same) -> (n, 4)."""
    if picture.shape[1] == SIZE:
        picture = _halved(picture)
    energies = []
    for _ in range(4):
        energies.append(np.einsum("ijk,ijk->i", picture, picture) / picture[0].size)
        picture = _halved(picture)
    energies.append(np.square(picture.mean(axis=(1, 2))))
    return np.maximum(-np.diff(energies, axis=0).T, 0)


def _reduced(picture: np.ndarray, halvings: int) -> np.ndarray:
    picture = picture.astype(np.float32)
    for _ in range(halvings):
        picture = _halved(picture)
    return picture


def _halved(picture: np.ndarray) -> np.ndarray:
    rows = picture[:, ::2] + picture[:, 1::2]
    return (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
