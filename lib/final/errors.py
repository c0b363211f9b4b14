"""The errors that the model was surest of, as pictures."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from lib import decode
from lib.metrics import decisions


def surest(
    images: pd.DataFrame, probability: np.ndarray, classes: Sequence[str], threshold: float = 0.5, most: int = 6
) -> pd.DataFrame:
    """The wrongly decided images, of each true class those that the model was surest of: a row each.

    images: rows of an opened test part. probability: (n,) of class 1, or (n, classes). Columns: image, true, decided,
    probability (of the decided class).
    """
    both = np.stack([1 - probability, probability], axis=1) if probability.ndim == 1 else probability
    decided, label = decisions(probability, threshold), images["label"].to_numpy()
    found = pd.DataFrame(
        {
            "image": images["image"].to_numpy(),
            "true": np.asarray(classes)[label],
            "decided": np.asarray(classes)[decided],
            "probability": both[np.arange(len(both)), decided],
        }
    )
    wrong = found[label != decided].sort_values("probability", ascending=False, kind="stable")
    return wrong.groupby("true", sort=True).head(most).sort_values("true", kind="stable").reset_index(drop=True)


def pictures(found: pd.DataFrame, read: Callable[[str], bytes]) -> tuple[dict[str, list[np.ndarray]], list[list[str]]]:
    """Pictures by "true class, decided ..." and what is to be said below each. read: gives the content of an image by name."""
    rows, below = {}, []
    for true, some in found.groupby("true", sort=True):
        rows[f"{true}, taken for something else"] = [decode.decode(read(name)).pixels for name in some["image"]]
        below.append([f"{said}<br>{p:.3f}" for said, p in zip(some["decided"], some["probability"], strict=True)])
    return rows, below
