"""A tiny data set laid out like the ELPV package, drawn from a seed: `labels.csv` with `images/cellNNNN.png level kind`."""

from pathlib import Path

import cv2
import numpy as np

LEVELS = (0.0, 0.3333333333333333, 0.6666666666666666, 1.0)
KINDS = ("mono", "poly")


def write(folder: Path, groups: int = 16, images_per_group: int = 8, size: int = 24, seed: int = 7) -> Path:
    """Write `data/labels.csv` and the images below `folder`; returns it, ready to be named by BOOK_DATA.

    groups: runs of one kind, which the card cuts into as many groups. size: pixels per side of the grey images.
    The signal to learn: an image is darker in its middle the higher its level; brightness varies from group to group.
    """
    generator = np.random.default_rng(seed)
    images = folder / "data" / "images"
    images.mkdir(parents=True)
    rows = []
    for group in range(groups):
        brightness = generator.integers(120, 180)
        for level in generator.permuted(np.resize(LEVELS, images_per_group)):
            name = f"images/cell{len(rows) + 1:04d}.png"
            cv2.imwrite(str(folder / "data" / name), picture(size, level, brightness, generator))
            rows.append(f"{name}  {level}  {KINDS[group % len(KINDS)]}\n")
    (folder / "data" / "labels.csv").write_text("".join(rows))
    return folder


def picture(size: int, level: float, brightness: int, generator: np.random.Generator) -> np.ndarray:
    """(size, size) uint8: noise around `brightness`, with a dark square whose depth grows with `level`."""
    image = generator.normal(brightness, 8, (size, size))
    third = size // 3
    image[third : 2 * third, third : 2 * third] -= 80 * level
    return image.clip(0, 255).astype(np.uint8)
