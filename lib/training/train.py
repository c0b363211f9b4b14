"""Train one run from its configuration; the only place where a network learns."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np

from lib.training import checkpoint, feed, measure, model
from lib.training.configuration import Configuration
from lib.training.data import Data, Part

DYNAMICS_IMAGES = 32  # one fixed batch whose predictions are followed through training (S3.17)
MEASURED_TRAIN_IMAGES = 4096  # history on train is measured on at most so many fixed images


@dataclass
class Progress:
    """How far a run has come."""

    epoch: int = 0
    seconds: float = 0.0  # of training alone
    history: list[dict] = field(default_factory=list)  # measured: a row an epoch and part
    dynamics: list[list] = field(default_factory=list)  # probabilities of the fixed batch, a row an epoch

    def measure(self, network: keras.Model, data: Data) -> None:
        """Add one row for train and one for tuning, and the probabilities on the fixed batch."""
        for name, part in (("train", first_images(data.train, MEASURED_TRAIN_IMAGES)), ("tuning", data.tuning)):
            outputs = measure.logits(network, part)
            self.history.append({"epoch": self.epoch, "part": name} | measure.scores(part.labels, outputs))
        fixed = first_images(data.tuning, DYNAMICS_IMAGES)
        self.dynamics.append(measure.probabilities(measure.logits(network, fixed))[:, 1:].tolist())


class AfterEpoch(keras.callbacks.Callback):
    """Measure and save after each epoch."""

    def __init__(self, progress: Progress, data: Data, folder: Path):
        super().__init__()
        self.progress, self.data, self.folder = progress, data, folder

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Stop the clock: measuring and saving are not training time."""
        self.progress.seconds += time.perf_counter() - self.started
        self.progress.epoch = epoch + 1
        self.progress.measure(self.model, self.data)
        checkpoint.save(self.folder, self.model, asdict(self.progress))


def train(configuration: Configuration, data: Data, folder: Path) -> tuple[keras.Model, Progress]:
    """Train from scratch, or go on from what a killed run left in `folder`.

    Epoch 0 of the history is measured before any step: the loss at initialisation (S3.18). Same configuration, data and
    kind of processor: same numbers, bit for bit, interrupted or not.
    Raises ValueError when the configuration does not fit network or data.
    """
    network = model.build(configuration, data.train.pixels.shape[-1], data.train.labels, data.classes)
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
        if saved and start < progress.epoch <= end:
            checkpoint.restore(network, saved[1])
        if progress.epoch < end:
            _fit(network, configuration, data, max(start, progress.epoch), end, AfterEpoch(progress, data, folder))
    return network, progress


def first_images(part: Part, number: int) -> Part:
    """At most `number` images, evenly spaced over a part: always the same ones."""
    chosen = np.linspace(0, len(part) - 1, min(number, len(part))).round().astype(int)
    return Part(
        part.pixels,
        part.rows[chosen],
        part.names[chosen],
        part.groups[chosen],
        part.labels[chosen],
        part.sha256[chosen],
    )


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
