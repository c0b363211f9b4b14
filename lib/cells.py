"""Cells of the study of transfer learning: network x initialisation x strategy x depth x size, and which have been run."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from lib import backbones, config, grids
from lib.grids import strategies
from lib.training.configuration import Configuration

NOT_RUN = "not run"
FAMILIES = ("transfer", "depth", "image_size")  # in `lib.grids`


class Cell(NamedTuple):
    """What of a run says in which cell it lies."""

    network: str
    initialisation: str
    strategy: str
    blocks_unfrozen: str
    size: int  # pixels a side


def of(configuration: Configuration) -> Cell:
    """The cell of a configuration."""
    network, unfrozen = configuration.network, configuration.phases[-1].unfrozen
    strategy = {"all": "all trained", 0: "feature extraction"}.get(unfrozen, "fine-tuning")
    blocks = unfrozen if unfrozen == "all" else f"{unfrozen:g}"
    start = network.parameters.get("weights") or "random"
    return Cell(backbones.name_of(network), start, strategy, blocks, configuration.image_size)


def wanted(dataset: str, profile: str) -> list[Cell]:
    """Every cell of the grids of a profile for a data set, also of networks whose weights cannot be had here."""
    studies = (
        grids.family(name, config.chapter_parameters(grids.FAMILIES[name].chapter, dataset, profile), whole=True)
        for name in FAMILIES
    )
    return list(dict.fromkeys(of(group[0]) for study in studies for group in study.values()))


def table(grid: Iterable[Cell], run: Iterable[Cell]) -> pd.DataFrame:
    """A row a network, initialisation, strategy and depth, a column a size: how many runs, or that none was made.

    grid: its cells. run: one for each run; cells outside the grid have their rows too. A cell that is in neither is
    empty.
    """
    runs = pd.Series(list(run)).value_counts(sort=False)
    counts = {**dict.fromkeys(grid, NOT_RUN), **{cell: f"{count}" for cell, count in runs.items()}}
    names = list(dict.fromkeys(cell.network for cell in counts))
    order = sorted(counts, key=lambda cell: (names.index(cell.network), cell.initialisation, _depth(cell)))
    rows = [cell._asdict() | {"network": strategies.titled(cell.network), "runs": counts[cell]} for cell in order]
    found = pd.DataFrame(rows, columns=[*Cell._fields, "runs"])
    found["size"] = found["size"].astype(int).astype(str) + " px"
    sizes = sorted(found["size"].unique(), key=lambda text: int(text.split()[0]))
    index = list(Cell._fields[:-1])
    return found.pivot_table("runs", index, "size", "first", sort=False)[sizes].fillna("").reset_index()


def _depth(cell: Cell) -> float:
    return float(cell.blocks_unfrozen.replace("all", "inf"))
