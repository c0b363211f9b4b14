"""What is wrong with a data set, as tables of findings; nothing is decided here."""

from collections.abc import Iterable, Sequence

import pandas as pd

COLUMNS = ("kind", "image", "other", "detail")


def frame(
    kind: str, images: Iterable[str], others: Sequence[str] | str = "", details: Sequence[str] | str = ""
) -> pd.DataFrame:
    """Findings of one kind, one row an image.

    images: paths as in the manifest; "" is the data set as a whole. others: a second image each, such as the original of
    a copy. details: what was seen, for people. A single text stands for all. Returns columns kind, image, other, detail.
    """
    images = list(images)
    columns = {"kind": kind, "image": images, "other": others, "detail": details}
    return pd.DataFrame(columns, columns=list(COLUMNS), index=range(len(images)), dtype=str)
