"""Strategies of transfer learning as phases of training (S0.2-S0.4), and what the chapters that use them share."""

from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from lib import backbones, config
from lib.grids.study import Rules
from lib.training.configuration import EarlyStopping, Head, Network, Phase, Plateau, Storing

OPTIMISERS = get_args(Phase.model_fields["optimiser"].annotation)
TWO = "two: of the head that warms up, and of what follows"
RULES: Rules = {  # of the parameters that the chapters share
    # whatever the network: 512 to 2048 features make 16 to 32, 4, 2, 1
    "HIDDEN": ("3 at most: a fourth layer would be one unit wide", lambda hidden, _: hidden <= 3),
    "EPOCHS": (TWO, lambda epochs, _: len(epochs) == 2),
    "OPTIMISERS": (
        f"{TWO}, each one of {', '.join(OPTIMISERS)}",
        lambda names, _: len(names) == 2 and {*names} <= {*OPTIMISERS},
    ),
    "RATES": (TWO, lambda rates, _: len(rates) == 2),
    "DECAY": ("more than 1: the rate is divided by it", lambda decay, _: decay > 1),
    "PATIENCE": (
        "two numbers of epochs: until the rate falls, and more of them until training ends",
        lambda epochs, _: len(epochs) == 2 and epochs[0] < epochs[1],
    ),
}


@dataclass(frozen=True)
class Schedule:
    """Two phases: the head warms up on what is frozen, then it goes on at a very low rate with the last blocks.

    epochs, optimisers, rates: of the first phase and of the second one. decay: the rate of the second one is divided by it on
    a plateau, which is how "weight decay of 10" is read (S0.4). patience: epochs until it is, and until either phase ends.
    """

    epochs: list[int]
    optimisers: list[str]
    rates: list[float]
    decay: float
    patience: list[int]

    def phases(self, unfrozen: float, rate_by_block: float = 1) -> tuple[Phase, Phase]:
        """unfrozen: blocks that learn in the second phase. 0 is feature extraction: the head alone goes on for as long, so
        that the strategies differ by what learns and by nothing else."""
        falling = Plateau(factor=1 / self.decay, patience=self.patience[0])
        # a head that knows the training images by heart has nothing left to gain: it stops early, too
        return self._phase(0, self.epochs[0], unfrozen=0), self._phase(
            1,
            self.epochs[1],
            unfrozen=unfrozen,
            schedule=falling,
            rate_by_block=rate_by_block,
            frozen_normalisation=True,
        )

    def everything(self, epochs: int) -> tuple[Phase]:
        """One phase with the head's optimiser and rate, all layers together."""
        return (self._phase(0, epochs),)

    def _phase(self, number: int, epochs: int, **fields: Any) -> Phase:
        common = {"optimiser": self.optimisers[number], "learning_rate": self.rates[number]}
        return Phase(epochs=epochs, early_stopping=EarlyStopping(patience=self.patience[1]), **common, **fields)


def head(hidden: int) -> Head:
    """So many dense layers, each as wide as the square root of the one before it (S0.3)."""
    return Head(hidden=("square root",) * hidden)


def stored(hidden: int, measured_images: int, engine: str, threads: int) -> dict[str, Any]:
    """What all runs of these chapters have in common: the head, and what is frozen answered once, by that engine."""
    return {
        "head": head(hidden), "measured_images": measured_images, "storing": Storing(), "engine": engine,
        "threads": threads,
    }  # fmt: skip


def usable(entries: list[str], whole: bool = False) -> dict[str, Network]:
    """The networks by name, without those whose weights of ImageNet cannot be had here, unless `whole`.

    A file of weights that somebody names must be there: whoever checks the runs says so. Raises UserError where a network is
    named twice, for settings go by its name alone, and where none is left.
    """
    names = [backbones.start(entry)[0] for entry in entries]
    if twice := [name for name in names if names.count(name) > 1]:
        raise config.UserError(
            f"BACKBONES names {twice[0]} more than once; give each network once, with one file or none"
        )
    kept = [backbones.start(entry) for entry in entries if whole or not refusal(entry)]
    if not kept:
        raise config.UserError(f"no network can start from its weights here; {'; '.join(left_out(entries))}")
    return {name: backbones.network(name, weights) for name, weights in kept}


def left_out(entries: list[str]) -> list[str]:
    """Why networks are not in a study here: a line each, none where all are."""
    return [line for entry in entries if (line := refusal(entry))]


@cache  # it may take a download
def refusal(entry: str) -> str | None:
    """Why the weights of ImageNet that an entry asks for cannot be had here; None where they can."""
    name, weights = backbones.start(entry)
    return backbones.refusal(name) if weights == backbones.IMAGENET else None


def titled(entry: str) -> str:
    """The name of a network for people, also of an entry of BACKBONES."""
    return backbones.start(entry)[0].replace("_", " ")
