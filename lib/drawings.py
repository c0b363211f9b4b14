"""Which drawn defects can be seen: the simulator draws some at the rim alone, or where a cell is dark anyway."""

import numpy as np
import pandas as pd

from lib.training.data import Part

DARKER = 20  # grey levels that a pixel loses at least, to count
FEWEST = 0.01  # of all pixels: so many must count
RIM = 1 / 16  # of a side, on every side, where no pixel counts
MARK = " with defect "  # what `training.defects.added` writes between the name of the sound image and a number


def visible(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Whether what was drawn can be seen: (n,) bool.

    before, after: (n, size, size, channels) uint8, the same images without and with it.
    """
    rim = round(RIM * before.shape[1])
    lost = (before.astype(int) - after).max(axis=-1)[:, rim:-rim, rim:-rim]
    return (lost >= DARKER).sum(axis=(1, 2)) >= FEWEST * before.shape[1] * before.shape[2]


def seen(before: Part, after: Part) -> Part:
    """A part without the drawn images in which nothing is to be seen.

    before: the images that were drawn into. after: the same and the drawn ones, as `training.controls` adds them.
    """
    drawn = np.flatnonzero(~np.isin(after.names, before.names))
    sound = pd.Index(before.names).get_indexer([name.rpartition(MARK)[0] for name in after.names[drawn]])
    kept = visible(before.pixels[before.rows[sound]], after.pixels[after.rows[drawn]])
    return after.chosen(np.delete(np.arange(len(after)), drawn[~kept]))
