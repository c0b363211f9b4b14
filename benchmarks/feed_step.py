"""What the input pipeline costs beside a training step of the simple network, both with the book's number of threads."""

import time

import keras
import tensorflow as tf

from benchmarks import report, subject
from lib.training import feed, model

REPEATS = 15
EPOCHS_ALONE = 6  # of the feed, iterated with nothing in between
EPOCHS_FIT = 3  # of `fit`, the first of which is not counted: it compiles and starts the pipeline


class Clock(keras.callbacks.Callback):
    """Seconds of each epoch."""

    def __init__(self):
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.seconds.append(time.perf_counter() - self.started)


def measure() -> list[report.Figure]:
    """The feed alone, the whole step of `fit`, and the share of a loop's time spent waiting for the next batch."""
    configuration, data = subject.load()
    steps = -(-len(data.train) // configuration.batch_size)
    network = model.build(configuration, data.train.pixels.shape[-1], data.train.labels, data.classes)
    model.compile_for(network, configuration.phases[0], data.classes)

    def batches(epochs: int) -> tf.data.Dataset:
        return feed.training_batches(data.train, configuration.batch_size, configuration.seed, 0, epochs)

    def alone() -> float:
        iterator = iter(batches(EPOCHS_ALONE))
        next(iterator)
        return report.seconds(lambda: sum(1 for _ in iterator)) / (EPOCHS_ALONE * steps - 1)

    def fit() -> float:
        clock = Clock()
        options = {"epochs": EPOCHS_FIT, "steps_per_epoch": steps, "shuffle": False, "verbose": 0}
        network.fit(batches(EPOCHS_FIT), callbacks=[clock], **options)
        return sum(clock.seconds[1:]) / (EPOCHS_FIT - 1) / steps

    held = batches(1).cache()  # the floor: TensorFlow's iterator over tensors that are there already

    def waiting_share(dataset: tf.data.Dataset) -> float:
        iterator = iter(dataset)
        network.train_on_batch(*next(iterator))
        waited, start = 0.0, time.perf_counter()
        for _ in range(steps - 1):
            asked = time.perf_counter()
            batch = next(iterator)
            waited += time.perf_counter() - asked
            network.train_on_batch(*batch)
        next(iterator, None)  # its end completes the cache
        return waited / (time.perf_counter() - start)

    measures = {
        "alone": alone,
        "fit": fit,
        "waiting": lambda: waiting_share(batches(1)),
        "held": lambda: waiting_share(held),
    }
    report.interleaved(measures, 1)  # compiles everything, fills `held`
    found = report.interleaved(measures, REPEATS)
    goal = report.Goal("at most", 0.10)
    return [
        report.Figure("feed alone / step of fit", "ratio", report.ratios(found["alone"], found["fit"]), goal),
        report.Figure("share of a step until its batch is there", "ratio", found["waiting"]),
        report.Figure("... with all batches held in memory", "ratio", found["held"]),
        report.Figure("feed alone", "milliseconds a batch", [1000 * value for value in found["alone"]]),
        report.Figure("step of fit", "milliseconds a batch", [1000 * value for value in found["fit"]]),
    ]
