"""Generated images whose masks are known: a thorax with two lungs, a bright solar cell on dark ground.

Drawn with OpenCV from one generator an image, so that image k of a seed is the same however many are asked for.
"""

from collections.abc import Callable
from typing import Literal, get_args

import cv2
import numpy as np

Kind = Literal["lungs", "cell"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PARTS = {"lungs": 2, "cell": 1}  # connected areas of a mask
FINE = 4  # bits of a pixel's fraction that OpenCV draws with


def draw(kind: Kind, count: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images and their masks: (count, size, size) uint8 and (count, size, size) bool.

    size: pixels a side. Raises ValueError naming the kinds that exist.
    """
    if kind not in DRAWN:
        raise ValueError(f"no phantom is called {kind!r}; there are: {', '.join(KINDS)}")
    drawn = [DRAWN[kind](size, np.random.default_rng([seed, number])) for number in range(count)]
    images, masks = zip(*drawn, strict=True)
    return np.stack(images), np.stack(masks)


def _thorax(size: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Dark lungs in a brighter body, cut by the heart's shadow, crossed by ribs; opacities hide part of some lungs."""
    body, air = random.uniform(0.45, 0.75), random.uniform(0.1, 0.3)
    image = np.full((size, size), random.uniform(0, 0.25), np.float32)
    _fill(image, _outline((0.5, 0.62), (random.uniform(0.4, 0.7), 0.6), random, 0.03), body)
    image = _blurred(image, 0.02)
    mask = np.zeros((size, size), np.uint8)
    top, length, width = random.uniform(0.42, 0.52), random.uniform(0.24, 0.36), random.uniform(0.11, 0.17)
    for side in (-1, 1):
        centre = 0.5 + side * random.uniform(0.16, 0.22), top + random.uniform(-0.02, 0.02)
        lung = _outline(centre, (width, length), random, 0.05, taper=0.45, lean=side * random.uniform(0, 0.1))
        _fill(mask, lung, 1)
    heart = _outline((0.5 + random.uniform(0, 0.08), top + 0.7 * length), (0.13, 0.13), random, 0.05)
    for bright in (heart, _box(0.5 - random.uniform(0.03, 0.05), 0, 0.5 + random.uniform(0.03, 0.05), 1)):
        _fill(mask, bright, 0)
        _fill(image, bright, body + random.uniform(0, 0.2))
    depth = _blurred(mask.astype(np.float32), random.uniform(0.004, 0.012))
    image = image + depth * (air - image)
    _ribs(image, top, length, random)
    _blots(image, random, count=random.integers(0, 4), change=random.uniform(0.1, 0.3), inside=mask)
    return _finish(image, mask, random, turn=10, shift=0.04)


def _ribs(image: np.ndarray, top: float, length: float, random: np.random.Generator) -> None:
    """Pairs of bright arcs that fall outward, and the collar bones."""
    bones, number = np.zeros_like(image), random.integers(6, 10)
    for height in np.linspace(top - length, top + length, number):
        for side in (-1, 1):
            along = np.linspace(0.04, random.uniform(0.38, 0.44), 12)
            fall = height - 0.06 + random.uniform(0.8, 1.6) * along**2
            _line(bones, np.stack([0.5 + side * along, fall], 1), random.uniform(0.012, 0.024), 1)
    image += _blurred(bones, 0.004) * random.uniform(0.04, 0.16)


def _cell(size: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A bright cell with cut corners on dark ground: busbars, grain, dark areas and cracks belong to the cell."""
    bright, ground = random.uniform(0.5, 0.95), random.uniform(0.02, 0.3)
    left, upper, right, lower = random.uniform(0, 0.09, 4) * [1, 1, -1, -1] + [0, 0, 1, 1]
    corner = random.choice([0.0, random.uniform(0.02, 0.13)])
    image, mask = np.full((size, size), ground, np.float32), np.zeros((size, size), np.uint8)
    _fill(mask, _box(left, upper, right, lower, corner), 1)
    slope = np.outer(np.linspace(-1, 1, size), random.uniform(-0.1, 0.1) * np.ones(size)).astype(np.float32)
    cell = np.full_like(image, bright) + slope
    _blots(cell, random, count=random.integers(0, 120), change=-random.uniform(0.05, 0.3), largest=0.03)
    for height in np.linspace(0, 1, random.integers(2, 5) + 2)[1:-1]:
        ends = np.array([[left + random.uniform(0, 0.06), height], [right - random.uniform(0, 0.06), height]])
        _line(cell, ends, random.uniform(0.006, 0.02), bright * random.uniform(0, 0.6))
    for _ in range(random.integers(0, 4)):  # areas that are cut off, and cracks
        _fill(
            cell, _outline(random.uniform(0, 1, 2), random.uniform(0.02, 0.22, 2), random, 0.15), random.uniform(0, 0.3)
        )
        _line(cell, random.uniform(0, 1, (3, 2)), random.uniform(0.003, 0.008), bright * random.uniform(0.2, 0.7))
    edge = _blurred(mask.astype(np.float32), random.uniform(0.002, 0.006))
    return _finish(image + edge * (cell - image), mask, random, turn=2, shift=0.0)


def _outline(
    centre: tuple[float, float] | np.ndarray, radii: tuple[float, float] | np.ndarray, random: np.random.Generator,
    wobble: float, taper: float = 0.0, lean: float = 0.0,
) -> np.ndarray:  # fmt: skip
    """A closed curve near an ellipse: (96, 2) in shares of the image. taper: narrower above; lean: moved by height."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    waves = random.normal(0, wobble, (3, 1)) * np.cos(np.outer([2, 3, 4], angle) + random.uniform(0, 2 * np.pi, (3, 1)))
    x, y = (1 + waves.sum(axis=0)) * np.stack([np.cos(angle), np.sin(angle)])
    x = x * (1 + taper * y.clip(-1, 1))
    return np.stack([centre[0] + radii[0] * x + lean * y * radii[1], centre[1] + radii[1] * y], axis=1)


def _box(left: float, upper: float, right: float, lower: float, corner: float = 0.0) -> np.ndarray:
    """A rectangle with cut corners: (8, 2)."""
    c = corner
    x = [left + c, right - c, right, right, right - c, left + c, left, left]
    y = [upper, upper, upper + c, lower - c, lower, lower, lower - c, upper + c]
    return np.stack([x, y], axis=1)


def _pixels(points: np.ndarray, size: int) -> np.ndarray:
    """Shares of the image as OpenCV's fixed-point coordinates; the middle of the first pixel is 0."""
    return np.int32(np.round((points * size - 0.5) * 2**FINE))


def _fill(image: np.ndarray, points: np.ndarray, value: float) -> None:
    cv2.fillPoly(image, [_pixels(points, len(image))], value, cv2.LINE_8, FINE)


def _line(image: np.ndarray, points: np.ndarray, thickness: float, value: float) -> None:
    width = max(1, round(thickness * len(image)))
    cv2.polylines(image, [_pixels(points, len(image))], False, value, width, cv2.LINE_8, FINE)


def _blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), max(0.3, sigma * len(image)))


def _blots(
    image: np.ndarray, random: np.random.Generator, count: int, change: float, largest: float = 0.15,
    inside: np.ndarray | None = None,
) -> None:  # fmt: skip
    """Soft spots, brighter or darker by `change`, only where `inside` if given."""
    spots = np.zeros_like(image)
    for _ in range(count):
        _fill(spots, _outline(random.uniform(0, 1, 2), random.uniform(0.004, largest, 2), random, 0.2), 1)
    image += change * _blurred(spots, largest / 8) * (1 if inside is None else inside)


def _finish(
    image: np.ndarray, mask: np.ndarray, random: np.random.Generator, turn: float, shift: float
) -> tuple[np.ndarray, np.ndarray]:
    """Turned by up to `turn` degrees, shifted, exposed, with noise."""
    size = len(image)
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), random.uniform(-turn, turn), random.uniform(0.96, 1.04))
    matrix[:, 2] += random.uniform(-shift, shift, 2) * size
    image = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(mask, matrix, (size, size), flags=cv2.INTER_NEAREST)
    image = image.clip(0, 1) ** random.uniform(0.6, 1.6) * random.uniform(0.7, 1.1) + random.uniform(-0.05, 0.1)
    image = image + random.normal(0, random.uniform(0.005, 0.05), image.shape)
    return np.uint8(np.round(255 * image.clip(0, 1))), mask.astype(bool)


DRAWN: dict[str, Callable[[int, np.random.Generator], tuple[np.ndarray, np.ndarray]]] = {
    "lungs": _thorax,
    "cell": _cell,
}
