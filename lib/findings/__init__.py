"""What is wrong with a data set: tables with one row a finding. Nothing is decided or changed here."""

from collections.abc import Iterable

import pandas as pd

COLUMNS = ["kind", "image", "other", "detail"]


def frame(rows: Iterable[tuple[str, str, str, str]]) -> pd.DataFrame:
    """Findings as a table of text: kind, image ("" is the data set as a whole), other, detail."""
    return pd.DataFrame(list(rows), columns=COLUMNS, dtype="str")
