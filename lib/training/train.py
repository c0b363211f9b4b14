"""Train one run from its configuration; the only place where a network learns."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from lib.training import checkpoint, checks, feed, initial, measure, model
from lib.training.configuration import Configuration, Phase
from lib.training.data import Data
from lib.training.mixing import mixer
from lib.training.watch import Watch, learning_rate

DYNAMICS_IMAGES = 32  # one fixed batch whose predictions are followed through training (S3.17)


@dataclass
class Progress:
    """How far a run has come."""

    epoch: int = 0
    seconds: float = 0.0  # of training alone
    history: list[dict] = field(default_factory=list)  # measured: a row an epoch and part
    dynamics: list[list] = field(default_factory=list)  # probabilities of the fixed batch, a row an epoch
    watch: Watch = field(default_factory=Watch)  # of the phase it is in
    best_weights: list[np.ndarray] = field(default_factory=list)  # of that phase, where it stops early
    best_epoch: int = 0  # whose weights the network has after the phases that are over

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
        """What the record of a finished run says of it, JSON-able; `scores` are rows of the history by part."""
        return {
            "history": self.history,
            "best_epoch": self.best_epoch,  # whose weights are kept
            "stopped_epoch": self.epoch,  # the last one trained
            "scores": {"best": self.at(self.best_epoch), "last": self.at(self.epoch)},
            "training_seconds": round(self.seconds, 2),
        }

    @classmethod
    def restored(cls, saved: dict[str, Any], best_weights: list[np.ndarray]) -> "Progress":
        """From what `saved` gave, and the weights."""
        return cls(**saved | {"watch": Watch(**saved["watch"]), "best_weights": best_weights})

    def saved(self) -> dict[str, Any]:
        """All but the weights, JSON-able."""
        return asdict(self) | {"best_weights": []}


class EachEpoch(keras.callbacks.Callback):
    """Set the rate before an epoch; measure and save after every few, and after the last one."""

    def __init__(self, run: "Training", phase: Phase, start: int):
        super().__init__()
        self.run, self.phase, self.start = run, phase, start

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Set the rate, start the clock."""
        self.rate = learning_rate(self.phase, epoch - self.start, self.run.progress.watch.reductions)
        self.model.optimizer.learning_rate = self.rate
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Stop the clock: measuring and saving are not training time."""
        progress, done = self.run.progress, epoch + 1
        progress.seconds += time.perf_counter() - self.started
        if done % self.run.configuration.measured_every and done < self.start + self.phase.epochs:
            return
        progress.epoch = done
        self.run.measure(self.rate)
        better = progress.watch.see(done, progress.at(done)["tuning"]["loss"], self.phase)
        if better and self.phase.early_stopping:
            progress.best_weights = self.model.get_weights()
        checkpoint.save(self.run.folder, self.model, progress.saved(), progress.best_weights)
        self.model.stop_training = progress.reached(self.phase)


@dataclass
class Training:
    """A run under way."""

    configuration: Configuration
    data: Data
    folder: Path
    network: keras.Model
    progress: Progress

    def __post_init__(self):
        self.forward = measure.traced(self.network)

    def measure(self, rate: float | None) -> None:
        """Add what the network now gives to the history."""
        self.progress.measure(self.forward, self.data, self.configuration.measured_images, rate)

    def begin(self, phase: Phase) -> None:
        """A fresh optimiser for a phase."""
        soft = bool(self._soft())
        model.compile_for(self.network, phase, self.data.classes, soft, self.configuration.label_smoothing)
        checks.fresh_optimiser(self.network)

    def fit(self, phase: Phase, start: int) -> None:
        """Train to the end of a phase that began after epoch `start`, from where the run is."""
        settings, train = self.configuration, self.data.train
        first, last = max(start, self.progress.epoch), start + phase.epochs
        mix = mixer(settings.mixing, settings.seed) if settings.mixing else None
        batches = feed.training_batches(train, settings.batch_size, settings.seed, first, last, self._soft(), mix)
        self.network.fit(
            batches,
            initial_epoch=first,
            epochs=last,
            steps_per_epoch=-(-len(train) // settings.batch_size),
            callbacks=[EachEpoch(self, phase, start)],
            shuffle=False,  # `batches` brings its own order
            verbose=0,
        )

    def end(self, phase: Phase) -> None:
        """Keep the best epoch's weights where the phase stops early, else those of the last one."""
        self.progress.best_epoch = self.progress.epoch
        if self.progress.best_weights:
            self.network.set_weights(self.progress.best_weights)
            self.progress.best_epoch = self.progress.watch.best_epoch

    def _soft(self) -> int:
        """Outputs that take shares of labels, where labels are mixed or smoothed."""
        soft = self.configuration.mixing or self.configuration.label_smoothing
        return self.network.output_shape[-1] if soft else 0


def train(configuration: Configuration, data: Data, folder: Path) -> tuple[keras.Model, Progress]:
    """Train from scratch, or go on from what a killed run left in `folder`.

    Epoch 0 of the history is measured before any step: the loss at initialisation (S3.18). Same configuration, data and
    kind of processor: same numbers, bit for bit, interrupted or not. A phase with early stopping ends with the weights of
    its best epoch.
    Raises ValueError when the configuration does not fit network or data; CheckFailed when the network does not begin
    with the weights of its seed, does not answer to its input, or the optimiser was used before.
    """
    network = _fresh(configuration, data)
    saved = checkpoint.load(folder)
    progress = Progress.restored(*saved[::2]) if saved else Progress()
    run = Training(configuration, data, folder, network, progress)
    if not saved:
        run.measure(rate=None)
    end = 0
    for phase in configuration.phases:
        start, end = end, end + phase.epochs
        if progress.epoch > end or (progress.epoch == end and not saved):
            continue
        run.begin(phase)
        resumed = saved and start < progress.epoch <= end
        if resumed:
            checkpoint.restore(network, saved[1])
        else:
            progress.watch, progress.best_weights = Watch(), []
        if progress.epoch < end and not (resumed and progress.reached(phase)):
            run.fit(phase, start)
        run.end(phase)
    return network, progress


def _fresh(configuration: Configuration, data: Data) -> keras.Model:
    """The untrained network, checked: two builds of a seed have the same weights, and share none."""
    network, again = (initial.build(configuration, data) for _ in range(2))
    checks.fresh_weights(network, again)
    checks.reads_input(network)
    return network
