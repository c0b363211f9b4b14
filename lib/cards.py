"""Data-set cards: one small file says where images and labels come from and how to treat them."""

import importlib.util
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from lib import config
from lib.steps import Recipe


class Strict(BaseModel):
    """A part of a card: unknown fields are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PackageReader(Strict):
    """Images and a table of labels inside an installed Python package."""

    kind: Literal["package"]
    package: str
    table: str  # path inside the package; whitespace-separated, no header
    columns: list[str]  # names of the table's columns: `path`, `level` and properties

    def folder(self) -> Path:
        """Folder that the table's paths start from: below the user's DATA folder, else below the package's.

        Raises UserError when the package is not installed, or the table is not there.
        """
        found = importlib.util.find_spec(self.package)
        places = config.data_folder() or (found and found.submodule_search_locations)
        if not places:
            raise config.UserError(f"package {self.package!r} is not installed; run `make book` to set it up")
        table = Path(places[0]) / self.table
        if not table.is_file():
            raise config.UserError(
                f"{places[0]} has no {self.table}; DATA must be a folder laid out like {self.package}"
            )
        return table.parent

    def rows(self) -> pd.DataFrame:
        """The whole table, labels included: columns as declared, one row an image, in the file's order.

        Raises UserError naming the first row that has other columns or whose level is no number.
        """
        table = self.folder() / Path(self.table).name
        try:
            rows = pd.read_csv(table, sep=r"\s+", header=None, names=self.columns)
        except ValueError as error:  # of pandas: rows of other lengths, no text
            raise config.UserError(f"{table}: {str(error).strip()}; columns are: {' '.join(self.columns)}") from None
        if rows.empty:
            raise config.UserError(f"{table} has no row; columns are: {' '.join(self.columns)}")
        level = pd.to_numeric(rows["level"], errors="coerce")
        if (gaps := level.isna()).any():
            given = rows["level"][gaps].iloc[0]
            raise config.UserError(f"{table}, row {gaps.idxmax() + 1}: level {given!r} is no number; correct the row")
        return rows.assign(level=level.astype(float))


class BlockGroups(Strict):
    """Contiguous rows form a group: for data ordered by a grouping key that is not published."""

    kind: Literal["blocks"]
    size: PositiveInt  # rows, nearly; runs are cut into equal blocks
    within: str | None = None  # a property whose change starts a new block


class Card(Strict):
    """One data set."""

    name: str
    title: str
    reader: PackageReader
    classes: list[str] = Field(min_length=2)
    positive: str
    positive_above_level: float
    level_names: dict[float, str] = {}
    properties: list[str] = []
    group: BlockGroups
    recipe: Recipe
    licence: str
    citation: str
    address: str

    @model_validator(mode="after")
    def _positive_is_a_class(self) -> "Card":
        if self.positive not in self.classes:
            raise ValueError(f"positive {self.positive!r} is not among the classes {self.classes}")
        return self

    @property
    def graded(self) -> bool:
        """Whether labels are levels, cut into two classes."""
        return bool(self.level_names)

    def read(self, path: str) -> bytes:
        """Content of one image of the data set; `path` as in the manifest."""
        return (self.reader.folder() / path).read_bytes()

    def named_levels(self, levels: pd.Series) -> pd.Series:
        """Names of graded levels, in the order of the levels; a level without a name is its own."""
        names = {level: name for level, name in sorted(self.level_names.items())}
        nearest = {level: min(names, key=lambda known: abs(known - level), default=level) for level in levels.unique()}
        in_order = [str(names.get(nearest[level], level)) for level in sorted(nearest)]
        named = levels.map({level: str(names.get(near, level)) for level, near in nearest.items()})
        return named.astype(pd.CategoricalDtype(in_order, ordered=True)).rename("graded level")


def load(name: str) -> Card:
    """Read and validate `params/datasets/<name>.yml`.

    Raises UserError naming file, field and allowed values.
    """
    config.one_of("DATASET", name, config.datasets())
    path = config.PARAMETERS / "datasets" / f"{name}.yml"
    return config.validated(Card, {"name": name, **config.read_yaml(path)}, f"params/datasets/{name}.yml")
