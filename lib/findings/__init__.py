"""What is wrong with a data set, as tables of findings; nothing is decided here."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

COLUMNS = ("kind", "image", "other", "detail")


def frame(rows: Iterable[tuple[str, str, str, str]] = ()) -> pd.DataFrame:
    """Findings as a table: kind, image (path; "" for the data set as a whole), other (a second path or ""), detail.

    rows: (kind, image, other, detail) each; none gives a table without rows. All columns are text.
    """
    return pd.DataFrame(list(rows), columns=list(COLUMNS), dtype="str")


def of_kind(
    kind: str, images: Iterable[str], others: Sequence[str] = (), details: Sequence[str] | str = ""
) -> pd.DataFrame:
    """Findings of one kind, one row an image. others: a second path each, or none. details: one each, or one for all."""
    images = list(images)
    details = [details] * len(images) if isinstance(details, str) else details
    return frame(zip([kind] * len(images), images, others or [""] * len(images), details, strict=True))


def linked(count: int, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """What hangs together: (count,) int, the same number for things that are linked, directly or through others.

    one, two: (links,) int, positions of the ends of each link.
    """
    links = coo_array((np.ones(len(one), bool), (np.asarray(one, int), np.asarray(two, int))), shape=(count, count))
    return connected_components(links, directed=False)[1] if count else np.empty(0, int)
