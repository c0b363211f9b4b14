"""How far a run has come, and what its record says of it."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from lib.training import measure
from lib.training.configuration import Phase
from lib.training.data import Data
from lib.training.freezing import Depth
from lib.training.watch import Watch

DYNAMICS_IMAGES = 32  # one fixed batch whose predictions are followed through training (S3.17)


@dataclass
class Progress:
    """How far a run has come."""

    epoch: int = 0
    phases: list[dict] = field(default_factory=list)  # what is logged of each (S0.6)
    history: list[dict] = field(default_factory=list)  # measured: a row an epoch and part
    dynamics: list[list] = field(default_factory=list)  # probabilities of the fixed batch, a row an epoch
    watch: Watch = field(default_factory=Watch)  # of the phase it is in
    best_weights: list[np.ndarray] = field(default_factory=list)  # of that phase, where it stops early
    best_epoch: int = 0  # whose weights the network has after the phases that are over
    outputs: dict[str, np.ndarray] = field(
        default_factory=dict
    )  # of the finished network: part -> logits, an image a row

    @property
    def seconds(self) -> float:
        """Of training alone: without measuring, saving, and what is stored."""
        return sum(phase["seconds"] for phase in self.phases)

    def begin(self, depth: Depth, stored: dict | None) -> None:
        """A phase begins. stored: of `activations.Stored`, or why nothing is; None where it is not asked for."""
        self.watch, self.best_weights = Watch(), []
        self.phases.append(
            {
                "epochs": 0,
                "seconds": 0.0,
                "parameters_trained": depth.parameters,
                "layers_unfrozen": depth.layers,
                "blocks_unfrozen": list(depth.blocks),
                "stored": stored,
            }
        )

    def trained(self, seconds: float) -> None:
        """An epoch is over."""
        self.phases[-1]["seconds"] += seconds
        self.phases[-1]["epochs"] += 1

    def measure(self, forward: measure.Forward, data: Data, images: int, rate: float | None) -> None:
        """Add one row for each part, and the probabilities on the fixed batch.

        images: of train, at most. rate: that the epoch learned with; None before any step.
        """
        parts = data.parts() | {"train": data.train.first(images)}
        for name, part in parts.items():
            scores = measure.scores(part.labels, measure.logits(forward, part))
            self.history.append({"epoch": self.epoch, "part": name, "learning_rate": rate} | scores)
        fixed = data.tuning.first(DYNAMICS_IMAGES)
        self.dynamics.append(measure.probabilities(measure.logits(forward, fixed))[:, 1:].tolist())

    def at(self, epoch: int) -> dict[str, dict]:
        """What was measured after an epoch: part -> its row of the history."""
        return {row["part"]: row for row in self.history if row["epoch"] == epoch}

    def reached(self, phase: Phase) -> bool:
        """Whether a phase is over before its last epoch: for its loss on train, or by early stopping."""
        loss = self.at(self.epoch)["train"]["loss"]
        return (phase.stop_below is not None and loss < phase.stop_below) or self.watch.stops(phase)

    def record(self) -> dict[str, Any]:
        """What the record of a finished run says of it, JSON-able; `scores` are rows of the history by part.

        Parameters and layers are those of the phase where most learn.
        """
        return {
            "history": self.history,
            "best_epoch": self.best_epoch,  # whose weights are kept
            "stopped_epoch": self.epoch,  # the last one trained
            "scores": {"best": self.at(self.best_epoch), "last": self.at(self.epoch)},
            "training_seconds": round(self.seconds, 2),
            "phases": [phase | {"seconds": round(phase["seconds"], 2)} for phase in self.phases],
            **{name: max(phase[name] for phase in self.phases) for name in ("parameters_trained", "layers_unfrozen")},
        }

    @classmethod
    def restored(cls, saved: dict[str, Any], best_weights: list[np.ndarray]) -> "Progress":
        """From what `saved` gave, and the weights."""
        return cls(**saved | {"watch": Watch(**saved["watch"]), "best_weights": best_weights})

    def saved(self) -> dict[str, Any]:
        """All but weights and outputs, JSON-able."""
        return asdict(self) | {"best_weights": [], "outputs": {}}
