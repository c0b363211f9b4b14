"""Strategies of transfer learning as phases of training (S0.2-S0.4), and what the chapters that use them share."""

from dataclasses import dataclass

from lib import backbones, cards, config
from lib.steps import Recipe, RepeatChannels
from lib.training.configuration import EarlyStopping, Head, Network, Phase, Plateau

DECAY = 0.1  # "weight decay of 10", read as: the rate is divided by 10 on a plateau (S0.4)


@dataclass(frozen=True)
class Schedule:
    """Two phases: the head warms up on what is frozen, then it goes on at a very low rate with the last blocks."""

    head_epochs: int
    head_rate: float  # of Adam
    tuning_epochs: int
    tuning_rate: float  # of SGD
    patience: int  # epochs; the rate falls after half of them

    def phases(self, unfrozen: float, rate_by_block: float = 1) -> tuple[Phase, Phase]:
        """unfrozen: blocks that learn in the second phase. 0 is feature extraction: the head alone goes on for as long, so
        that the strategies differ by what learns and by nothing else."""
        warm_up = Phase(epochs=self.head_epochs, learning_rate=self.head_rate, unfrozen=0)
        tuning = Phase(
            epochs=self.tuning_epochs, optimiser="sgd", learning_rate=self.tuning_rate, unfrozen=unfrozen,
            schedule=Plateau(factor=DECAY, patience=max(1, self.patience // 2)),
            early_stopping=EarlyStopping(patience=self.patience), rate_by_block=rate_by_block,
        )  # fmt: skip
        return warm_up, tuning


def everything(epochs: int, rate: float, patience: int) -> tuple[Phase]:
    """One phase of Adam, all layers together."""
    return (Phase(epochs=epochs, learning_rate=rate, early_stopping=EarlyStopping(patience=patience)),)


def head(hidden: int) -> Head:
    """So many dense layers, each as wide as the square root of the one before it (S0.3)."""
    return Head(hidden=("square root",) * hidden)


def recipe(card: cards.Card) -> Recipe:
    """The card's recipe for networks of three channels: a grey image is repeated."""
    repeated = any(isinstance(step, RepeatChannels) for step in card.recipe)
    return card.recipe if repeated else (*card.recipe, RepeatChannels())


def start(entry: str) -> tuple[str, str]:
    """Name and weights of an entry of BACKBONES: `resnet50`, from ImageNet, or `resnet50=/a/file.weights.h5`."""
    name, _, path = entry.partition("=")
    return name, path or "imagenet"


def usable(entries: list[str], whole: bool = False) -> dict[str, Network]:
    """Those networks whose weights can be had here, or all of them, by name. Raises UserError where there is none."""
    refused = {entry: backbones.refusal(*start(entry)) for entry in entries if not whole}
    kept = [start(entry) for entry in entries if not refused.get(entry)]
    if not kept:
        raise config.UserError(f"BACKBONES: no network can start from its weights here; {'; '.join(refused.values())}")
    return {name: backbones.network(name, weights) for name, weights in kept}


def left_out(entries: list[str]) -> list[str]:
    """Why networks are not in a study here: a line each, none where all are."""
    return [line for entry in entries if (line := backbones.refusal(*start(entry)))]


def titled(name: str) -> str:
    """The name of a network for people."""
    return name.replace("_", " ")
