"""How fast a phase learns and when it ends: from the epoch, or from what the tuning loss has come to."""

import math
from dataclasses import dataclass

from lib.training.configuration import Cosine, Phase, Plateau, Steps


@dataclass
class Watch:
    """The tuning loss through one phase, and what it has led to. The first epoch of a phase is its best so far."""

    best_loss: float = math.inf
    best_epoch: int = 0
    waited: int = 0  # epochs since the best one
    waited_for_rate: int = 0  # epochs since the best one, or the last reduction of the rate
    reductions: int = 0

    def see(self, epoch: int, loss: float, phase: Phase) -> bool:
        """Take in the tuning loss after an epoch; whether it is the best so far."""
        better = loss < self.best_loss
        if better:
            self.best_loss, self.best_epoch = loss, epoch
        self.waited = 0 if better else self.waited + 1
        self.waited_for_rate = 0 if better else self.waited_for_rate + 1
        if isinstance(phase.schedule, Plateau) and self.waited_for_rate >= phase.schedule.patience:
            self.reductions, self.waited_for_rate = self.reductions + 1, 0
        return better

    def stops(self, phase: Phase) -> bool:
        """Whether early stopping ends the phase now."""
        return phase.early_stopping is not None and self.waited >= phase.early_stopping.patience


def learning_rate(phase: Phase, done: int, reductions: int = 0) -> float:
    """The rate of the next epoch of a phase.

    done: epochs of the phase that are over. reductions: of `Watch`, where the rate falls on plateaus. A cosine reaches its
    final rate when the phase is over, so that every epoch of it learns. Source: S0.16, S3.37.
    """
    first = phase.learning_rate
    match phase.schedule:
        case Cosine(final=final):
            return first * (final + (1 - final) * (1 + math.cos(math.pi * done / phase.epochs)) / 2)
        case Steps(every=every, factor=factor):
            return first * factor ** (done // every)
        case Plateau(factor=factor, minimum=minimum):
            return max(minimum, first * factor**reductions)
        case _:
            return first
