"""Strategies of transfer learning as phases of training (S0.2-S0.4), and what the chapters that use them share."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from lib import backbones, config
from lib.training.configuration import EarlyStopping, Head, Network, Phase, Plateau, Storing

IMAGENET = "imagenet"
# a fourth layer would be one unit wide, whatever the network: 512 to 2048 features make 16 to 32, 4, 2, 1
HIDDEN_RULE = ("3 at most: a fourth layer would be one unit wide", lambda hidden, _: hidden <= 3)
DECAY = 0.1  # "weight decay of 10", read as: the rate is divided by 10 on a plateau (S0.4)


@dataclass(frozen=True)
class Schedule:
    """Two phases: the head warms up on what is frozen, then it goes on at a very low rate with the last blocks."""

    head_epochs: int
    head_rate: float  # of Adam
    tuning_epochs: int
    tuning_rate: float  # of SGD
    patience: int  # epochs; the rate falls after half of them, or stays where the half of one would be all of it

    def phases(self, unfrozen: float, rate_by_block: float = 1) -> tuple[Phase, Phase]:
        """unfrozen: blocks that learn in the second phase. 0 is feature extraction: the head alone goes on for as long, so
        that the strategies differ by what learns and by nothing else."""
        kept = EarlyStopping(
            patience=self.patience
        )  # a head that knows the training images by heart has nothing left to gain
        warm_up = Phase(epochs=self.head_epochs, learning_rate=self.head_rate, unfrozen=0, early_stopping=kept)
        lower = Plateau(factor=DECAY, patience=self.patience // 2) if self.patience > 1 else None
        tuning = Phase(
            epochs=self.tuning_epochs, optimiser="sgd", learning_rate=self.tuning_rate, unfrozen=unfrozen,
            schedule=lower, early_stopping=kept, rate_by_block=rate_by_block, frozen_normalisation=True,
        )  # fmt: skip
        return warm_up, tuning


def everything(epochs: int, rate: float, patience: int) -> tuple[Phase]:
    """One phase of Adam, all layers together."""
    return (Phase(epochs=epochs, learning_rate=rate, early_stopping=EarlyStopping(patience=patience)),)


def head(hidden: int) -> Head:
    """So many dense layers, each as wide as the square root of the one before it (S0.3)."""
    return Head(hidden=("square root",) * hidden)


def stored(hidden: int, measured_images: int, engine: str, threads: int) -> dict[str, Any]:
    """What all runs of these chapters have in common: the head, and what is frozen answered once, by that engine."""
    return {
        "head": head(hidden), "measured_images": measured_images, "storing": Storing(), "engine": engine,
        "threads": threads,
    }  # fmt: skip


def start(entry: str) -> tuple[str, str]:
    """Name and weights of an entry of BACKBONES: `resnet50`, from ImageNet, or `resnet50=/a/file.weights.h5`."""
    name, _, path = entry.partition("=")
    return name, path or IMAGENET


def usable(entries: list[str], whole: bool = False) -> dict[str, Network]:
    """The networks by name, without those whose weights of ImageNet cannot be had here, unless `whole`.

    A file of weights that somebody names must be there: whoever checks the runs says so. Raises UserError where no network is
    left.
    """
    kept = [start(entry) for entry in entries if whole or not refusal(entry)]
    if not kept:
        raise config.UserError(f"no network can start from its weights here; {'; '.join(left_out(entries))}")
    return {name: backbones.network(name, weights) for name, weights in kept}


def left_out(entries: list[str]) -> list[str]:
    """Why networks are not in a study here: a line each, none where all are."""
    return [line for entry in entries if (line := refusal(entry))]


@cache  # it may take a download
def refusal(entry: str) -> str | None:
    """Why the weights of ImageNet that an entry asks for cannot be had here; None where they can."""
    name, weights = start(entry)
    return backbones.refusal(name) if weights == IMAGENET else None


def titled(name: str) -> str:
    """The name of a network for people."""
    return name.replace("_", " ")
