"""What is wrong with a data set: one table of findings, whatever found them."""

from collections.abc import Iterable

import pandas as pd

COLUMNS = ("kind", "image", "other", "detail")


def frame(rows: Iterable[tuple[str, str, str, str]] = ()) -> pd.DataFrame:
    """Findings as a table: kind, image (path; "" for the data set as a whole), other (a second path or ""), detail.

    rows: (kind, image, other, detail) each; none gives a table without rows. All columns are text.
    """
    return pd.DataFrame(list(rows), columns=list(COLUMNS), dtype="str")
