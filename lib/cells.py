"""Cells of the study of transfer learning: network x initialisation x strategy x depth x size, and which have been run."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from lib import backbones, cards, config, grids
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


def plain(configuration: Configuration) -> bool:
    """Whether a run answers for its cell: of all levels and training images, by the card's recipe, at one rate."""
    whole = configuration.levels == "all" and configuration.train_share == 1
    usual = configuration.recipe == cards.load(configuration.dataset).recipe
    return whole and usual and all(phase.rate_by_block == 1 for phase in configuration.phases)


def wanted(dataset: str, profile: str) -> dict[Cell, int]:
    """Every cell of the grids of a profile for a data set, with its number of seeds.

    Also of networks whose weights cannot be had here.
    """
    studies = (
        grids.family(name, config.chapter_parameters(grids.FAMILIES[name].chapter, dataset, profile), whole=True)
        for name in FAMILIES
    )
    return _seeds(each for study in studies for group in study.values() for each in group)


def table(grid: Mapping[Cell, int], run: Iterable[Configuration]) -> pd.DataFrame:
    """A row a network, initialisation, strategy and depth, a column a size: seeds that were run, of how many where fewer.

    grid: its cells with their seeds. run: what was run; what is not `plain` does not count. Cells outside the grid have
    their rows too. A cell that is in neither is empty.
    """
    seeds = _seeds(run)
    found = {
        cell: f"{count} of {grid[cell]}" if count < grid.get(cell, 0) else f"{count}" for cell, count in seeds.items()
    }
    counts = {**dict.fromkeys(grid, NOT_RUN), **found}
    names = list(dict.fromkeys(cell.network for cell in counts))
    order = sorted(counts, key=lambda cell: (names.index(cell.network), cell.initialisation, _depth(cell)))
    rows = [cell._asdict() | {"network": strategies.titled(cell.network), "runs": counts[cell]} for cell in order]
    found = pd.DataFrame(rows, columns=[*Cell._fields, "runs"])
    found["size"] = found["size"].astype(int).astype(str) + " px"
    sizes = sorted(found["size"].unique(), key=lambda text: int(text.split()[0]))
    index = list(Cell._fields[:-1])
    return found.pivot_table("runs", index, "size", "first", sort=False)[sizes].fillna("").reset_index()


def _seeds(configurations: Iterable[Configuration]) -> dict[Cell, int]:
    seeds: dict[Cell, set[int]] = {}
    for each in filter(plain, configurations):
        seeds.setdefault(of(each), set()).add(each.seed)
    return {cell: len(found) for cell, found in seeds.items()}


def _depth(cell: Cell) -> float:
    return float(cell.blocks_unfrozen.replace("all", "inf"))
