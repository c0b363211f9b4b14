"""Which part each image belongs to, from facts alone: files, labels and what was found about two images.

Whatever is decided later, by policy, by the card's selection or by hand, leaves images out or puts groups together that
are together here already. So no decision moves another image to another part: none whose label was shown becomes a test.
"""

from dataclasses import dataclass

import pandas as pd

from lib import leaks, ledger, splits
from lib.cards import Card
from lib.findings import copies, series

SEED = 20260401


@dataclass(frozen=True)
class Draw:
    """Every image that can be used, and what binds two of them."""

    table: pd.DataFrame  # with columns part, and turn: which images a selection takes first
    exact: pd.DataFrame  # findings, as all that follow
    near: pd.DataFrame
    series: pd.DataFrame

    def near_among(self, table: pd.DataFrame) -> pd.DataFrame:
        """Near copies of which both images are in the table."""
        return copies.reconnected(self.near, self.exact, table["path"])

    def series_among(self, table: pd.DataFrame) -> pd.DataFrame:
        """What was found about series, where it is about images in the table."""
        there = {"", *table["path"]}
        return self.series[self.series["image"].isin(there) & self.series["other"].isin(there)]


def draw(everything: pd.DataFrame, card: Card) -> Draw:
    """The parts of all images that can be read and, where the card has labels, have one.

    everything: one row a file. Raises UserError when there are too few groups.
    """
    usable = everything[everything["status"].eq("ok") & (everything["label"].notna() | (not card.labelled))]
    exact = copies.exact(strict_first(usable, card))
    near = copies.near(usable[~usable["path"].isin(exact["image"])])
    again = series.repeated(everything)
    together = ledger.merge_groups(usable, pd.concat([exact, near, again]))
    parts = usable.assign(part=splits.assign(together, strata(card), card.official, SEED))
    return Draw(parts.assign(turn=splits.turns(parts, SEED)), exact, near, again)


def strict_first(table: pd.DataFrame, card: Card) -> pd.DataFrame:
    """Of two copies in published parts, the one in the stricter part stays."""
    rank = table["official"].map(lambda name: -max(map(leaks.STRICTNESS.index, card.official.get(name, ["train"]))))
    return table.iloc[rank.argsort(kind="stable")]


def strata(card: Card) -> list[str]:
    """What comes out evenly in all parts."""
    return [*card.properties, "level" if card.graded else "label"]
