"""Data-set cards: one small file says where images and labels come from and how to treat them."""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from lib import config, decode, folders, mistakes
from lib.findings import of_kind
from lib.groups import Groups
from lib.labels import ClassLabels, GradedLabels, Labels, NoLabels, without_label
from lib.ledger import Rule
from lib.masks import Kind
from lib.readers import Reader
from lib.steps import Colour, Recipe, Resize

Part = Literal["train", "tuning", "validation", "test"]


class Ratio(config.Strict):
    """Forced imbalance: images of one class are left out until `ratio` of them stand against one of the other (S3.10)."""

    of: str
    to: str
    ratio: PositiveFloat


class Selection(config.Strict):
    """Which of the usable images the book is about; seeded draws without replacement."""

    levels: list[float] | None = None  # only these graded levels (S4.2)
    ratio: Ratio | None = None
    balanced: PositiveInt | None = None  # so many images, equally many of each class (S4.1)


class Card(config.Strict):
    """One data set."""

    name: str
    title: str
    reader: Annotated[Reader, Field(discriminator="kind")]
    labels: Labels
    classes: list[str] = []  # in the order of their index; empty: those that occur
    positive: str = ""  # of two classes the one that metrics speak of; empty: the second
    properties: list[str] = []  # further columns of table or layout that are no labels
    group: Groups
    official: dict[str, Annotated[list[Part], Field(min_length=1)]] = {}  # published part -> parts of this book
    counts: dict[str, PositiveInt] = {}  # published part (`all`: the whole) -> images as published
    selection: Selection = Selection()
    policy: dict[str, Rule] = {}  # where this data set is decided on otherwise than params/ledger.yml says
    recipe: Recipe = (Colour(), Resize())
    simulator: Literal["cracks"] | None = None  # what can draw images of the second class from the first (S3.33)
    mask: Kind | None = None  # what of an image a mask keeps, where one is known; chapter 3 tries it
    licence: str
    citation: str = ""
    address: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> "Card":
        if isinstance(self.labels, GradedLabels) and len(self.classes) != 2:
            raise ValueError(f"graded levels are cut into two classes; `classes` has {len(self.classes)}")
        if not any(isinstance(step, Resize) for step in self.recipe):
            raise ValueError("recipe has no step `resize`, so images would be of many sizes")
        if not self.labelled and (self.classes or self.positive or self.selection != Selection()):
            raise ValueError("without labels there are no classes, no positive one and no selection")
        if len(self.classes) == 1 or len(set(self.classes)) != len(self.classes):
            raise ValueError(f"classes are {self.classes}; two different ones or more are needed")
        if self.simulator and len(self.classes) not in (0, 2):  # 0: they are found in the data
            raise ValueError(
                f"simulator {self.simulator!r} draws defects into sound images; `classes` has {len(self.classes)}, not two"
            )
        ratio = self.selection.ratio
        if ratio and ratio.of == ratio.to:
            raise ValueError(f"ratio is of {ratio.of!r} to itself; name two classes")
        for field, name in [("positive", self.positive), *(ratio and [("ratio", ratio.of), ("ratio", ratio.to)] or [])]:
            if name and self.classes and name not in self.classes:
                raise ValueError(f"{field} {name!r} is not among the classes {self.classes}")
        return self

    @property
    def graded(self) -> bool:
        """Whether labels are levels, cut into two classes."""
        return isinstance(self.labels, GradedLabels)

    @property
    def level_names(self) -> dict[float, str]:
        """Names of graded levels; empty where labels are no levels."""
        return self.labels.names if self.graded else {}

    @property
    def labelled(self) -> bool:
        """Whether images have labels at all."""
        return not isinstance(self.labels, NoLabels)

    def read(self, path: str) -> bytes:
        """Content of one image of the data set; `path` as in the manifest. Raises OSError."""
        return self.reader.read(path)

    def picture(self, path: str) -> np.ndarray:
        """One image decoded: (height, width) or (height, width, 3) uint8. Raises OSError and DecodeError."""
        return decode.decode(self.read(path)).pixels

    def rows(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Every image with everything that is said of it, labels included, and the findings about files and tables.

        Columns: path, identity, outside (bool), label (Int16), level (float), group, official, the properties. One row an
        image, in the data's order; a property that is missing is `not said`. Raises UserError when nothing can be made of it.
        """
        listed, findings = self.reader.listing()
        inside = listed[~listed["outside"]].reset_index(drop=True)
        self._check_columns(inside)
        said = inside[self.labels.column].fillna("") if self.labelled else pd.Series("", inside.index)
        inside[["label", "level"]] = self.labels.resolve(said, self.classes)
        self._check_classes(said, inside["label"])
        inside, repeated = _one_row_an_image(inside, said)
        found = [findings, repeated]
        if self.labelled:
            ambiguous = set(repeated.loc[repeated["kind"] == "label_conflict", "image"])
            clear = ~inside["path"].isin(ambiguous)
            found.append(without_label(said.loc[inside.index][clear], inside["path"][clear], inside[clear]))
        groups = self.group.assign(inside)
        found.append(of_kind("no_group", inside["path"][groups.isna()]))
        inside = inside.assign(group=groups.fillna(inside["path"]).astype(str))
        official = inside["official"] if "official" in inside else pd.Series("", inside.index)
        inside = inside.assign(
            official=official.fillna(""), **inside[self.properties].fillna("").replace("", "not said")
        )
        found.append(self._count(inside))
        kept = ["path", "identity", "outside", "label", "level", "group", "official", *self.properties]
        outside = listed.loc[listed["outside"], ["path", "identity", "outside"]]
        rows = pd.concat([inside[kept], outside.assign(official="", group=outside["path"])], ignore_index=True)
        return rows, pd.concat(found, ignore_index=True)

    def named(self, table: pd.DataFrame) -> pd.Series:
        """What each image shows, in words and in order: its graded level, else its class; "unlabelled" without any.

        table: columns label and level. A level without a name is its own.
        """
        if not self.labelled:
            return pd.Series("unlabelled", table.index).astype("category").rename("images")
        if not self.graded:
            order = pd.CategoricalDtype(self.classes, ordered=True)
            return table["label"].map(dict(enumerate(self.classes))).astype(order).rename("class")
        return _named_levels(table["level"], self.level_names)

    def source(self, table: pd.DataFrame) -> pd.Series | None:
        """The folder that an image comes from, where folders are no labels: (n,) text. None where they are."""
        if not self.labelled or self.labels.column in getattr(self.reader, "groups_of_layout", ()):
            return None
        return table["path"].map(lambda path: path.rpartition("/")[0])

    def _check_columns(self, rows: pd.DataFrame) -> None:
        """Raises UserError when layout and table lack a column that the card names."""
        wanted = ([self.labels.column] if self.labelled else []) + (["official"] if self.official else [])
        wanted += [getattr(self.group, field) for field in ("column", "within") if getattr(self.group, field, None)]
        for column in [*wanted, *self.properties]:
            if column not in rows:
                known = ", ".join(sorted(set(rows.columns) - {"path", "outside", "identity"}))
                raise config.UserError(f"data set {self.name} has no column {column!r}; table and layout give: {known}")
        if self.official and (strange := sorted(set(rows["official"].fillna("")) - set(self.official))):
            raise config.UserError(
                f"published part {strange[0]!r} is not in the card; it knows: {', '.join(self.official)}"
            )

    def _check_classes(self, said: pd.Series, labels: pd.Series) -> None:
        """Raises UserError for a class that no image has, though the card names it."""
        if not isinstance(self.labels, ClassLabels):
            return
        for index, name in enumerate(self.classes):
            if not labels.eq(index).any():
                spelt = [text for text, named in self.labels.names.items() if named == name] or [name]
                found = sorted(set(said) - {""})
                raise config.UserError(
                    f"data set {self.name}: no image is of the class {name!r}; looked for {mistakes.shown(spelt)} in "
                    f"{self.labels.column!r}, which holds: {mistakes.shown(found, 10)}{mistakes.nearest(spelt[0], found)}"
                )

    def _count(self, rows: pd.DataFrame) -> pd.DataFrame:
        present = rows["official"].value_counts().to_dict() | {"all": len(rows)}
        details = [
            f"{part}: {present.get(part, 0):,} images, published are {count:,}"
            for part, count in self.counts.items()
            if present.get(part, 0) != count
        ]
        return of_kind("count_differs", [""] * len(details), details=details)


def load(name: str) -> Card:
    """The card of a data set, with the classes that its data have. Raises UserError as `declared`, and for one class only."""
    card = declared(name)
    if card.labelled and not card.classes:
        classes = {"classes": _classes(card)}
        card = config.validated(Card, card.model_dump() | classes, f"data set {name}")
    if len(card.classes) == 2 and not card.positive:
        card = card.model_copy(update={"positive": card.classes[1]})
    return card


def declared(name: str) -> Card:
    """`params/datasets/<name>.yml` as it stands, or a card made for the user's own folder.

    Raises UserError naming file, field and allowed values.
    """
    config.one_of("DATASET", name, [*config.datasets(), *config.own_dataset()])
    if name in config.datasets():
        where, values = f"params/datasets/{name}.yml", config.read_yaml(config.PARAMETERS / "datasets" / f"{name}.yml")
        if not isinstance(values, dict) or "name" in values:
            raise config.UserError(
                f"{where}: expected fields such as `title:`, without `name:`, which is the file's own"
            )
        return config.validated(Card, {"name": name, **values}, where)
    return config.validated(Card, folders.card_of(name, config.data_folder()[0]), f"the folder {name}")


def _classes(card: Card) -> list[str]:
    said = card.reader.listing().rows.loc[lambda rows: ~rows["outside"], card.labels.column]
    classes = card.labels.classes(said.fillna(""))
    if len(classes) < 2:
        raise config.UserError(
            f"data set {card.name} has one class only ({', '.join(classes) or 'none'}); two are needed"
        )
    return classes


def _one_row_an_image(rows: pd.DataFrame, said: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first row of each path; `repeated_row` where several say the same, `label_conflict` where they do not."""
    again = rows["path"].duplicated()
    if not again.any():
        return rows, of_kind("repeated_row", [])
    different = said.groupby(rows["path"]).nunique()
    repeated = sorted(set(rows["path"][again]))
    contradictory = [path for path in repeated if different[path] > 1]
    details = ["; ".join(sorted(set(said[rows["path"] == path]))) for path in contradictory]
    findings = [
        of_kind("repeated_row", [path for path in repeated if different[path] == 1]),
        of_kind("label_conflict", contradictory, details=[f"its rows say {text}" for text in details]),
    ]
    return rows[~again], pd.concat(findings, ignore_index=True)


def _named_levels(levels: pd.Series, level_names: dict[float, str]) -> pd.Series:
    """Names of graded levels, in the order of the levels."""
    names = dict(sorted(level_names.items()))
    nearest = {
        level: min(names, key=lambda known: abs(known - level), default=level) for level in levels.dropna().unique()
    }
    in_order = dict.fromkeys(str(names.get(nearest[level], level)) for level in sorted(nearest))
    named = levels.map({level: str(names.get(near, level)) for level, near in nearest.items()})
    return named.astype(pd.CategoricalDtype(list(in_order), ordered=True)).rename("graded level")
