"""Train one run from its configuration; the only place where a network learns."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import keras

from lib import networks
from lib.training import checkpoint, checks, feed, freezing, initial, measure, model
from lib.training.activations import Store, Stored
from lib.training.configuration import Configuration, Phase
from lib.training.data import Data
from lib.training.mixing import mixer
from lib.training.progress import Progress
from lib.training.watch import learning_rate


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
        progress.trained(time.perf_counter() - self.started)
        if done % self.run.configuration.measured_every and done < self.start + self.phase.epochs:
            return
        progress.epoch = done
        self.run.measure(self.rate)
        better = progress.watch.see(done, progress.at(done)["tuning"]["loss"], self.phase)
        if better and self.phase.early_stopping:
            progress.best_weights = self.model.get_weights()
        checkpoint.save(self.run.folder, self.run.variables, progress.saved(), progress.best_weights)
        self.model.stop_training = progress.reached(self.phase)


@dataclass
class Training:
    """A run under way."""

    configuration: Configuration
    data: Data
    folder: Path
    activations: Path
    network: keras.Model
    progress: Progress
    model: keras.Model = field(init=False)  # what the present phase trains: the network, or what follows the cut
    seen: Stored = field(init=False)  # what that takes: images, or what the frozen layers answer to them

    @property
    def variables(self) -> list[keras.Variable]:
        """Everything that a training step may change."""
        return [*self.network.variables, *self.model.optimizer.variables]

    def measure(self, rate: float | None) -> None:
        """Add what the network now gives to the history."""
        self.progress.measure(self.forward, self.seen.data, self.configuration.measured_images, rate)

    def begin(self, phase: Phase, saved: list | None) -> None:
        """A fresh optimiser for a phase, on what learns in it. saved: variables of a run that was killed in it."""
        settings = self.configuration
        ends = networks.blocks(settings.network.family, settings.network.parameters)
        depth = freezing.apply(self.network, ends, phase)
        store = self._cut(depth.cut)
        model.compile_for(
            self.model, phase, self.data.classes, bool(self._soft()), settings.label_smoothing, depth.shares
        )
        checks.fresh_optimiser(self.model)
        if saved:  # before anything is answered: the weights of an earlier phase are among them
            checkpoint.restore(self.variables, saved)
        self.seen = store.of(self.data) if isinstance(store, Store) else Stored(self.data, self.data.train, 1, store)
        self.forward = measure.traced(self.model, self.seen.data.train.pixels.dtype)
        if not saved:
            self.progress.begin(depth, self.seen.record)

    def _cut(self, cut: str | None) -> Store | dict | None:
        """Choose what a phase trains; where the frozen layers' answers are stored, or what the record says instead."""
        storing, self.model = self.configuration.storing, self.network
        if cut is None:
            return {"why_not": "no block is frozen whole"} if storing else None
        changing, frozen, learning = freezing.parts(self.network, cut)
        store = Store(self.configuration, frozen, cut, self.activations)
        why_not = store.refusal(self.data) if storing else None
        if storing and not why_not:
            self.model = learning
            return store
        self.model = freezing.Partly(changing, frozen, learning)
        return {"why_not": why_not} if storing else None

    def fit(self, phase: Phase, start: int) -> None:
        """Train to the end of a phase that began after epoch `start`, from where the run is."""
        settings, learnt = self.configuration, self.seen.learnt
        first, last = max(start, self.progress.epoch), start + phase.epochs
        mix = mixer(settings.mixing, settings.seed) if settings.mixing else None
        batches = feed.training_batches(
            learnt, settings.batch_size, settings.seed, first, last, self._soft(), mix, self.seen.copies
        )
        self.model.fit(
            batches,
            initial_epoch=first,
            epochs=last,
            steps_per_epoch=-(-len(learnt) // settings.batch_size),
            callbacks=[EachEpoch(self, phase, start)],
            shuffle=False,  # `batches` brings its own order
            verbose=0,
        )

    def end(self) -> None:
        """Keep the best epoch's weights where the phase stops early, else those of the last one."""
        self.progress.best_epoch = self.progress.epoch
        if self.progress.best_weights:
            self.model.set_weights(self.progress.best_weights)
            self.progress.best_epoch = self.progress.watch.best_epoch

    def _soft(self) -> int:
        """Outputs that take shares of labels, where labels are mixed or smoothed."""
        soft = self.configuration.mixing or self.configuration.label_smoothing
        return self.network.output_shape[-1] if soft else 0


def train(
    configuration: Configuration, data: Data, folder: Path, activations: Path | None = None
) -> tuple[keras.Model, Progress]:
    """Train from scratch, or go on from what a killed run left in `folder`.

    Epoch 0 of the history is measured before any step: the loss at initialisation (S3.18). Same configuration, data and
    kind of processor: same numbers, bit for bit, interrupted or not. A phase with early stopping ends with the weights of
    its best epoch. activations: where runs share what frozen layers answer; None: in `folder`.
    Raises ValueError when the configuration does not fit network, data or disk; CheckFailed when the network does not
    begin with the weights of its seed, does not answer to its input, or the optimiser was used before.
    """
    network = _fresh(configuration, data)
    saved = checkpoint.load(folder)
    progress = Progress.restored(*saved[::2]) if saved else Progress()
    run = Training(configuration, data, folder, activations or folder / "activations", network, progress)
    end = 0
    for phase in configuration.phases:
        start, end = end, end + phase.epochs
        if progress.epoch > end or (progress.history and not phase.epochs):
            continue
        resumed = saved is not None and start < progress.epoch
        run.begin(phase, saved[1] if resumed else None)
        if not progress.history:
            run.measure(rate=None)
        if progress.epoch < end and not (resumed and progress.reached(phase)):
            run.fit(phase, start)
        run.end()
        saved = None
    progress.outputs = {name: measure.logits(run.forward, part) for name, part in run.seen.data.parts().items()}
    return network, progress


def _fresh(configuration: Configuration, data: Data) -> keras.Model:
    """The untrained network, checked: two builds of a seed have the same weights, and share none."""
    network, again = (initial.build(configuration, data) for _ in range(2))
    checks.fresh_weights(network, again)
    checks.reads_input(network)
    return network
