"""Which images belong together: a patient, a module, a visit. A group is never divided between parts."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field, PositiveInt, field_validator

from lib import config


class BlockGroups(config.Strict):
    """Contiguous rows form a group: for data ordered by a grouping key that is not published."""

    kind: Literal["blocks"]
    size: PositiveInt  # rows, nearly; runs are cut into equal blocks
    within: str | None = None  # a column whose change starts a new block

    def assign(self, rows: pd.DataFrame) -> pd.Series:
        """(n,) str: the group of each row."""
        return pd.Series(block_groups(self.size, rows[self.within] if self.within else None, len(rows)), rows.index)


class PatternGroups(config.Strict):
    """A piece of the path names the group; images whose path has none are groups of their own."""

    kind: Literal["pattern"]
    pattern: str  # regular expression, searched; its first group that matched is the name
    every: PositiveInt = 1  # numbers 1..every are one group, every+1..2*every the next

    @field_validator("pattern")
    @classmethod
    def _captures(cls, pattern: str) -> str:
        try:
            captures = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if not captures:
            raise ValueError("captures nothing; put the name of the group into parentheses")
        return pattern

    def assign(self, rows: pd.DataFrame) -> pd.Series:
        """(n,) str: the group of each row; missing where the pattern is not found. Raises UserError when it never is."""
        found = rows["path"].map(self._name)
        if found.isna().all():
            raise config.UserError(
                f"the card's group pattern {self.pattern!r} is in no path, such as {rows['path'].iloc[0]!r}"
            )
        return found

    def _name(self, path: str) -> str | None:
        match = re.search(self.pattern, path)
        name = match and next((group for group in match.groups() if group), None)
        if not name or self.every == 1:
            return name
        if not name.isdecimal():
            raise config.UserError(
                f"the card's group pattern finds {name!r} in {path!r}; with `every` it must be a number"
            )
        return str((int(name) - 1) // self.every)


class ColumnGroups(config.Strict):
    """A column of the table or a named group of the layout names the group."""

    kind: Literal["column"]
    column: str

    def assign(self, rows: pd.DataFrame) -> pd.Series:
        """(n,) str: the group of each row; missing where the column is empty."""
        return rows[self.column].where(rows[self.column] != "")


class ImageGroups(config.Strict):
    """Each image stands for itself: nothing is known that would bind two of them."""

    kind: Literal["image"]

    def assign(self, rows: pd.DataFrame) -> pd.Series:
        """(n,) str: the path."""
        return rows["path"]


Groups = Annotated[BlockGroups | PatternGroups | ColumnGroups | ImageGroups, Field(discriminator="kind")]


def block_groups(size: int, within: Sequence[str] | None, rows: int) -> np.ndarray:
    """Group contiguous rows into blocks of nearly `size`.

    within: (rows,) a property; each run of equal values is cut by itself, into equal blocks. None: one run.
    Returns (rows,) str, names that sort in the order of the data.
    """
    property_values = pd.Series(within if within is not None else [""] * rows).reset_index(drop=True)
    run = (property_values != property_values.shift()).cumsum().to_numpy()
    names = np.empty(rows, dtype=object)
    first = 0
    for number in np.unique(run):
        members = np.flatnonzero(run == number)
        for block in np.array_split(members, max(1, round(len(members) / size))):
            names[block] = f"block{first:03d}"
            first += 1
    return names
