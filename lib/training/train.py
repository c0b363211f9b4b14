"""Train one run from its configuration; the only place where a network learns."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras

from lib.training import checkpoint, checks, feed, initial, measure, model
from lib.training.configuration import Configuration, Phase
from lib.training.data import Data

DYNAMICS_IMAGES = 32  # one fixed batch whose predictions are followed through training (S3.17)


@dataclass
class Progress:
    """How far a run has come."""

    epoch: int = 0
    seconds: float = 0.0  # of training alone
    history: list[dict] = field(default_factory=list)  # measured: a row an epoch and part
    dynamics: list[list] = field(default_factory=list)  # probabilities of the fixed batch, a row an epoch

    def measure(self, network: keras.Model, data: Data) -> None:
        """Add one row for train and one for tuning, and the probabilities on the fixed batch."""
        for name, part in (("train", data.train.first(measure.MEASURED_TRAIN_IMAGES)), ("tuning", data.tuning)):
            outputs = measure.logits(network, part)
            self.history.append({"epoch": self.epoch, "part": name} | measure.scores(part.labels, outputs))
        fixed = data.tuning.first(DYNAMICS_IMAGES)
        self.dynamics.append(measure.probabilities(measure.logits(network, fixed))[:, 1:].tolist())

    def reached(self, phase: Phase) -> bool:
        """Whether the last measured training loss is below what the phase asks for."""
        return phase.stop_below is not None and self.history[-2]["loss"] < phase.stop_below


class AfterEpoch(keras.callbacks.Callback):
    """Measure and save after every few epochs, and after the last one."""

    def __init__(self, progress: Progress, data: Data, folder: Path, every: int, last: int, phase: Phase):
        super().__init__()
        self.progress, self.data, self.folder = progress, data, folder
        self.every, self.last, self.phase = every, last, phase

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Stop the clock: measuring and saving are not training time."""
        self.progress.seconds += time.perf_counter() - self.started
        done = epoch + 1
        if done % self.every and done < self.last:
            return
        self.progress.epoch = done
        self.progress.measure(self.model, self.data)
        checkpoint.save(self.folder, self.model, asdict(self.progress))
        self.model.stop_training = self.progress.reached(self.phase)


def train(configuration: Configuration, data: Data, folder: Path) -> tuple[keras.Model, Progress]:
    """Train from scratch, or go on from what a killed run left in `folder`.

    Epoch 0 of the history is measured before any step: the loss at initialisation (S3.18). Same configuration, data and
    kind of processor: same numbers, bit for bit, interrupted or not.
    Raises ValueError when the configuration does not fit network or data; CheckFailed when the network does not begin
    with the weights of its seed, does not answer to its input, or the optimiser was used before.
    """
    network = _fresh(configuration, data)
    saved = checkpoint.load(folder)
    progress = Progress(**saved[0]) if saved else Progress()
    if not saved:
        progress.measure(network, data)
    end = 0
    for phase in configuration.phases:
        start, end = end, end + phase.epochs
        if progress.epoch >= end and not (saved and progress.epoch == end):
            continue
        model.compile_for(network, phase, data.classes)
        checks.fresh_optimiser(network)
        if saved and start < progress.epoch <= end:
            checkpoint.restore(network, saved[1])
        if progress.epoch < end and not (progress.epoch > start and progress.reached(phase)):
            after_epoch = AfterEpoch(progress, data, folder, configuration.measured_every, end, phase)
            _fit(network, configuration, data, max(start, progress.epoch), end, after_epoch)
    return network, progress


def _fresh(configuration: Configuration, data: Data) -> keras.Model:
    """The untrained network, checked: two builds of a seed have the same weights, and share none."""
    network, again = (initial.build(configuration, data) for _ in range(2))
    checks.fresh_weights(network, again)
    checks.reads_input(network)
    return network


def _fit(
    network: keras.Model, configuration: Configuration, data: Data, start: int, end: int, after_epoch: AfterEpoch
) -> None:
    batches = feed.training_batches(data.train, configuration.batch_size, configuration.seed, start, end)
    network.fit(
        batches,
        initial_epoch=start,
        epochs=end,
        steps_per_epoch=-(-len(data.train) // configuration.batch_size),
        callbacks=[after_epoch],
        shuffle=False,  # `batches` brings its own order
        verbose=0,
    )
