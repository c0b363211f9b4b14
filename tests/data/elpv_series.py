"""The layout of ELPV, with one stretch of rows that shows the cells of another stretch, photographed a second time."""

from pathlib import Path

import cv2
import numpy as np

from tests.data import files, pictures
from tests.data.planted import Planted, pair, tree

GROUPS, EACH = 12, 20  # stretches of one kind, which the card takes for modules; cells in each
FIRST, LENGTH, OFFSET = 25, 30, 113  # the stretch, across a border of groups, and how far behind it it comes again
LEVELS = (0.0, 0.3333333333333333, 0.6666666666666666, 1.0)
OTHERWISE = (3, 11, 20, 26)  # of the stretch, cells that get another level the second time
SIZE = 96  # pixels per side


def write(folder: Path, seed: int = 7, defects: bool = True) -> Planted:
    """`data/labels.csv` and 240 grey images. defects: the stretch; without it all cells are different ones."""
    module = tree(folder, seed)
    lines, cells, levels, names = [], [], [], []
    for row in range(GROUPS * EACH):
        name, twin = f"images/cell{row + 1:04d}.png", row - OFFSET
        level = LEVELS[module.generator.integers(4)]
        cell = pictures.grey(module.generator, SIZE, SIZE, level)
        if defects and twin in range(FIRST, FIRST + LENGTH):
            again = (LEVELS.index(levels[twin]) + 2 * (twin - FIRST in OTHERWISE)) % 4
            cell, level = second_exposure(cells[twin], module.generator), LEVELS[again]
            module.plant("repeated_series", pair(name, names[twin]))
        module.write(f"data/{name}", files.png(cell))
        lines.append(f"{name}  {level}  {('mono', 'poly')[row // EACH % 2]}\n")
        cells, levels, names = [*cells, cell], [*levels, level], [*names, name]
    module.write("data/labels.csv", "".join(lines).encode())
    return module.planted(GROUPS * EACH)


def second_exposure(cell: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(n, n) uint8: the same cell a pixel aside, with other light, noise, and a scratch that was not there before."""
    moved = np.roll(cell, generator.integers(-1, 2, 2), (0, 1)).astype(np.float32)
    light = np.linspace(*generator.uniform(0.6, 0.9, 2), len(cell))  # brighter towards one side
    picture = moved * light + generator.uniform(10, 40) + generator.normal(0, 5, cell.shape)
    start, end = generator.integers(0, len(cell), (2, 2)).tolist()
    cv2.line(picture, start, end, 20.0, 2)
    return picture.clip(0, 255).round().astype(np.uint8)
