"""Pictures drawn from a seed: unlike each other as photographs are, with a signal to learn, and copies of them."""

import cv2
import numpy as np
from PIL import Image

GRID = 8  # random values per side of the low-frequency field: enough that no two pictures resemble each other


def grey(generator: np.random.Generator, height: int, width: int, signal: float) -> np.ndarray:
    """(height, width) uint8: a random field, texture and noise, with a bright disc near the middle that `signal` scales.

    signal: 0 (class without it) to 1, or more where anybody would see it. Brightness, contrast and texture are drawn
    apart from it: only the picture tells.
    """
    values = generator.normal(0, 1, (GRID, GRID)).astype(np.float32)
    field = cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC)
    field += 1.7 * signal * _disc(generator, height, width)
    field = (field - field.mean()) / field.std()
    texture = cv2.GaussianBlur(generator.normal(0, 1, (height, width)), (0, 0), 1.2)
    texture *= generator.uniform(4, 10) / texture.std()
    noise = generator.normal(0, 2, (height, width))
    image = generator.uniform(110, 145) + generator.uniform(32, 40) * field + texture + noise
    return image.clip(0, 255).round().astype(np.uint8)


def colour(generator: np.random.Generator, height: int, width: int, signal: float) -> np.ndarray:
    """(height, width, 3) uint8: such a picture with a random tint."""
    tint = generator.uniform(0.75, 1.0, 3)
    return (grey(generator, height, width, signal)[..., None] * tint).round().astype(np.uint8)


def flat(height: int, width: int, value: int) -> np.ndarray:
    """(height, width) uint8: a blank picture."""
    return np.full((height, width), value, np.uint8)


def resized(pixels: np.ndarray, factor: float) -> np.ndarray:
    """The same picture at another size."""
    return np.asarray(Image.fromarray(pixels).resize([round(side * factor) for side in pixels.shape[1::-1]]))


def recontrasted(pixels: np.ndarray, gain: float, offset: float) -> np.ndarray:
    """The same picture with another contrast and brightness."""
    return (gain * pixels.astype(float) + offset).clip(0, 255).round().astype(np.uint8)


def recoloured(pixels: np.ndarray) -> np.ndarray:
    """The same picture in the other colour mode: grey of a colour one, a warm tone of a grey one."""
    if pixels.ndim == 3:
        return np.asarray(Image.fromarray(pixels).convert("L"))
    return (pixels[..., None] * np.array([1.0, 0.9, 0.8])).round().astype(np.uint8)


def _disc(generator: np.random.Generator, height: int, width: int) -> np.ndarray:
    """(height, width) float32 in 0..1: a soft disc near the middle."""
    row, column = np.mgrid[:height, :width].astype(np.float32)
    middle = generator.uniform(0.42, 0.58, 2) * (height, width)
    distance = np.hypot((row - middle[0]) / height, (column - middle[1]) / width)
    return 1 / (1 + np.exp((distance - 0.2) * 40))
