"""A simulator of plausible defects of solar cells: what cracks, dark areas and broken fingers look like (S3.33).

Lengths are shares of the image's side. Everything is drawn finer than the pixels and averaged down, so that what is thinner
than a pixel darkens it in part. Shapes follow Deitsch et al. 2019, doi:10.1016/j.solener.2019.02.067, figures 1 and 2.
"""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from lib import atomic
from lib.training.data import Part

FINER = 4  # drawn pixels a pixel
STEP = 0.04  # length of a crack's straight pieces
SOUND, DEFECTIVE = 0, 1
DARKER = 20  # grey levels that a pixel loses at least, to be seen
FEWEST = 0.01  # of all pixels: so many must be seen
RIM = 1 / 16  # of a side, on every side, where no pixel counts


def added(part: Part, share: float, seed: int) -> tuple[Part, np.ndarray]:
    """A part with sound images added that have defects drawn into them, and the places of these defects.

    share: of the part's images, how many are drawn; every sound image serves before one serves again. Those in which nothing
    can be seen are left out, so that fewer may be added. Returns the part, added images last, labelled 1, and masks (added,
    size, size) bool. Raises ValueError for more than two classes, or no sound image.
    """
    if part.labels.max() > DEFECTIVE:
        raise ValueError("defects are drawn into sound images of two classes; this data set has more")
    number = round(share * len(part))
    if not (part.labels == SOUND).any():
        raise ValueError("no sound image is left to draw defects into; use a larger share of the training images")
    order = np.random.default_rng(seed).permutation(np.flatnonzero(part.labels == SOUND))
    sources = part.chosen(np.resize(order, number))
    images, masks = drawn(sources.pixels[sources.rows], seed)
    seen = np.flatnonzero(visible(sources.pixels[sources.rows], images))
    images, masks = images[seen], masks[seen]
    columns = {
        "names": [f"{sources.names[place]} with defect {place}" for place in seen],
        "groups": sources.groups[seen],
        "labels": np.full(len(seen), DEFECTIVE),
        "sha256": [atomic.sha256(image.tobytes()) for image in images],
    }
    together = {name: np.concatenate([getattr(part, name), np.array(values)]) for name, values in columns.items()}
    pixels = np.concatenate([part.pixels[part.rows], images])
    return replace(part, pixels=pixels, rows=np.arange(len(pixels)), **together), masks


def drawn(images: np.ndarray, seed: int, kinds: tuple[str, ...] = ("crack", "dark area", "fingers")) -> tuple:
    """Draw a defect of a kind chosen at random into each image.

    images: (n, size, size, channels) uint8. Returns images of the same shape and type, and masks (n, size, size) bool of the
    pixels that changed.
    """
    changed = images.copy()
    for place, image in enumerate(images):
        generator = np.random.default_rng([seed, place])
        shadow = KINDS[kinds[generator.integers(len(kinds))]](FINER * image.shape[0], generator)
        shadow = cv2.resize(shadow, image.shape[1::-1], interpolation=cv2.INTER_AREA)[..., np.newaxis]
        changed[place] = (image * (1 - shadow)).round().astype(np.uint8)
    return changed, (changed != images).any(axis=-1)


def visible(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Whether what was drawn can be seen: (n,) bool.

    before, after: (n, size, size, channels) uint8, the same images without and with it.
    """
    side = before.shape[1]
    inner = slice(rim := round(RIM * side), side - rim)
    lost = (before.astype(int) - after).max(axis=-1)[:, inner, inner]
    return (lost >= DARKER).sum(axis=(1, 2)) >= FEWEST * before.shape[1] * before.shape[2]


def cracks(side: int, generator: np.random.Generator) -> np.ndarray:
    """A crack that wanders across the cell and branches: (side, side) float32, share of the light that is lost."""
    start, heading = generator.uniform(0.1, 0.9, 2), generator.uniform(0, 2 * np.pi)
    waiting = [(start, heading, generator.uniform(0.4, 1.0))]
    waiting.append((start, heading + np.pi, generator.uniform(0, 0.5)))  # it goes on in the other direction
    canvas, width = _canvas(side), generator.uniform(0.008, 0.02)
    while waiting:
        start, heading, length = waiting.pop()
        path = _wandering(start, heading, length, generator)
        _line(canvas, path, width)
        for point in path[generator.random(len(path)) < 0.1]:
            turn = generator.choice([-1, 1]) * generator.uniform(0.4, 1.1)
            waiting.append((point, heading + turn, length * generator.uniform(0.2, 0.5)))
    return canvas * np.float32(generator.uniform(0.4, 0.8))


def dark_area(side: int, generator: np.random.Generator) -> np.ndarray:
    """What a crack cuts off from the current, darker away from it: (side, side) float32, as of `cracks`."""
    corner = generator.integers(4)  # of the square, counted along its border, clockwise; at least one is cut off
    first, last = corner + generator.uniform([-0.9, 0.2], [-0.2, 1.3])
    corners = [_on_border(turn) for turn in range(int(np.ceil(first)), int(np.ceil(last)))]
    crack = _between(_on_border(first), _on_border(last), generator)
    area = _canvas(side)
    cv2.fillPoly(area, [_pixels(np.array([*crack, *corners[::-1]]), side)], 1.0, cv2.LINE_AA, shift=4)
    shadow = area * cv2.GaussianBlur(area, (0, 0), generator.uniform(0.02, 0.06) * side)
    shadow *= np.float32(generator.uniform(0.4, 0.9))
    edge = _canvas(side)
    _line(edge, crack, generator.uniform(0.008, 0.02))
    return np.maximum(shadow, edge * np.float32(generator.uniform(0.4, 0.8)))


def fingers(side: int, generator: np.random.Generator) -> np.ndarray:
    """A few thin upright strips beside each other, where fingers are broken: (side, side) float32, as of `cracks`."""
    canvas, top = _canvas(side), generator.uniform(0.02, 0.6)
    left, length = generator.uniform(0.1, 0.8), generator.uniform(0.15, 0.35)
    for number in range(generator.integers(2, 6)):
        strip, x = _canvas(side), left + 0.03 * number + generator.uniform(-0.01, 0.01)
        ends = top + generator.uniform(-0.03, 0.03, 2) + [0, length]
        _line(strip, np.stack([[x, x], ends], axis=1), generator.uniform(0.008, 0.025))
        canvas = np.maximum(canvas, strip * np.float32(generator.uniform(0.35, 0.7)))
    return cv2.GaussianBlur(canvas, (0, 0), 0.004 * side)


KINDS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {
    "crack": cracks,
    "dark area": dark_area,
    "fingers": fingers,
}


def _wandering(start: np.ndarray, heading: float, length: float, generator: np.random.Generator) -> np.ndarray:
    """Points (n, 2) of a path that keeps its direction roughly."""
    headings = heading + np.cumsum(generator.normal(0, 0.2, max(1, round(length / STEP))))
    steps = STEP * np.stack([np.cos(headings), np.sin(headings)], axis=1)
    return start + np.vstack([[0, 0], np.cumsum(steps, axis=0)])


def _between(start: np.ndarray, end: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Points (n, 2) of a path that wanders from start to end."""
    number = max(2, round(float(np.hypot(*(end - start))) / STEP))
    aside = np.cumsum(generator.normal(0, 0.3 * STEP, (number + 1, 2)), axis=0)
    along = np.linspace(0, 1, number + 1)[:, np.newaxis]
    bridge = aside - aside[0] - along * (aside[-1] - aside[0])
    return start + along * (end - start) + bridge


def _on_border(turn: float) -> np.ndarray:
    """The point so many sides along the border of the unit square, from its upper left corner, clockwise."""
    side, along = int(turn) % 4, turn % 1
    return np.array([(along, 0), (1, along), (1 - along, 1), (0, 1 - along)][side], float)


def _canvas(side: int) -> np.ndarray:
    return np.zeros((side, side), np.float32)


def _pixels(points: np.ndarray, side: int) -> np.ndarray:
    """Points in shares of the side as cv2 takes them, in sixteenths of a pixel."""
    return (16 * side * points).round().astype(np.int32)


def _line(canvas: np.ndarray, points: np.ndarray, width: float) -> None:
    side = len(canvas)
    cv2.polylines(canvas, [_pixels(points, side)], False, 1.0, max(1, round(width * side)), cv2.LINE_AA, shift=4)
