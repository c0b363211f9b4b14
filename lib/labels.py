"""From what a data set says of an image to a class: names of classes, graded levels cut in two, or no labels at all."""

import re
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from lib import config
from lib.findings import of_kind


class ClassLabels(config.Strict):
    """Each image says its class by name."""

    kind: Literal["classes"]
    column: str = "label"  # of the table or the layout
    names: dict[str, str] = {}  # as the data set spells it -> class; empty: as it is
    missing: str | None = None  # the class of images that say nothing; none: a finding

    def resolve(self, said: pd.Series, classes: list[str]) -> pd.DataFrame:
        """label (Int8: index of the class) and level (missing) of each text; both missing where it says nothing usable."""
        named = said.map(self.names) if self.names else said
        named = named.mask(said == "", self.missing)
        index = {name: position for position, name in enumerate(classes)}
        return pd.DataFrame({"label": named.map(index).astype("Int16"), "level": float("nan")}, index=said.index)

    def classes(self, said: pd.Series) -> list[str]:
        """The classes that occur, numbers in their order, else by the alphabet."""
        found = {*self.names.values()} or set(said[said != ""])
        return sorted(
            found, key=lambda name: [int(piece) if piece.isdigit() else piece for piece in re.split(r"(\d+)", name)]
        )


class GradedLabels(config.Strict):
    """Each image says a level; two classes are cut between levels."""

    kind: Literal["levels"]
    column: str = "level"
    values: dict[str, float] = {}  # as the data set spells it -> level; empty: a number as it is
    missing: float | None = None  # the level of images that say nothing; none: a finding
    above: float  # an image is positive where its level lies above
    names: dict[float, str] = {}

    def resolve(self, said: pd.Series, classes: list[str]) -> pd.DataFrame:
        """level (float) and label (Int16: 1 above the cut, else 0) of each text; both missing where it says nothing usable."""
        level = said.map(self.values).astype(float) if self.values else pd.to_numeric(said, errors="coerce")
        if self.names and not self.values:  # a number that the card does not know is no level
            known = pd.Series(sorted(self.names))
            level = level.where([bool((abs(known - value) < 1e-3).any()) for value in level])
        if self.missing is not None:
            level = level.mask(said == "", self.missing)
        label = (level > self.above).astype("Int16").mask(level.isna())
        return pd.DataFrame({"label": label, "level": level.astype(float)}, index=said.index)


class NoLabels(config.Strict):
    """Images without labels, for learning without them."""

    kind: Literal["none"]

    def resolve(self, said: pd.Series, classes: list[str]) -> pd.DataFrame:
        """Everything missing."""
        return pd.DataFrame(
            {"label": pd.array([pd.NA] * len(said), dtype="Int16"), "level": float("nan")}, index=said.index
        )


Labels = Annotated[ClassLabels | GradedLabels | NoLabels, Field(discriminator="kind")]


def without_label(said: pd.Series, paths: pd.Series, resolved: pd.DataFrame) -> pd.DataFrame:
    """Findings `missing_label` and `unknown_label`: images whose text gave no label."""
    gone = resolved["label"].isna()
    silent, strange = gone & (said == ""), gone & (said != "")
    return pd.concat([
        of_kind("missing_label", paths[silent]),
        of_kind("unknown_label", paths[strange], details=[f"says {text!r}" for text in said[strange]]),
    ], ignore_index=True)  # fmt: skip
