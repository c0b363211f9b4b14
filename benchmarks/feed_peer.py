"""Our feed against `keras.utils.image_dataset_from_directory`: images a second, on the same images, after the first epoch.

All run with TensorFlow's default threads. The peer as it comes is the goal's; its two settings that keep decoded
images in memory are measured beside it. They hold float32, four times our bytes, in each process anew; ours is one
memory-mapped uint8 file.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from benchmarks import report, subject
from lib import cards
from lib.training import feed
from lib.training.data import Part

REPEATS = 7
EPOCHS_OURS = 20
EPOCHS_IN_MEMORY = 20
SEED = 7


def measure() -> list[report.Figure]:
    """Each over whole epochs, first batch included."""
    configuration, data = subject.load()
    part = data.train
    folder = _tree(part)
    as_it_comes = _peer(folder, batch_size=configuration.batch_size)
    frozen = as_it_comes.cache()  # the order of the first epoch for ever
    shuffled = _peer(folder, batch_size=None).cache().shuffle(len(part), seed=SEED).batch(configuration.batch_size)

    def ours() -> float:
        batches = feed.training_batches(part, configuration.batch_size, SEED, 0, EPOCHS_OURS)
        return EPOCHS_OURS * len(part) / report.seconds(lambda: _exhaust(batches))

    measures = {
        "ours": ours,
        "as it comes": _epochs(as_it_comes, 1, len(part)),
        "frozen": _epochs(frozen, EPOCHS_IN_MEMORY, len(part)),
        "shuffled": _epochs(shuffled.prefetch(tf.data.AUTOTUNE), EPOCHS_IN_MEMORY, len(part)),
    }
    report.interleaved(measures, 1)  # the first epoch: files enter the system's cache, images the memory
    found = report.interleaved(measures, REPEATS)
    goal = report.Goal("at least", 10)
    names = {
        "as it comes": "image_dataset_from_directory",
        "shuffled": "... .cache().shuffle(all).batch(32)",
        "frozen": "... .cache(), one order for all epochs",
    }
    return [
        report.Figure(
            f"ours / {names['as it comes']}", "ratio", report.ratios(found["ours"], found["as it comes"]), goal
        ),
        report.Figure(f"ours / {names['shuffled']}", "ratio", report.ratios(found["ours"], found["shuffled"])),
        report.Figure(f"ours / {names['frozen']}", "ratio", report.ratios(found["ours"], found["frozen"])),
        report.Figure("ours", "images a second", found["ours"]),
        *(report.Figure(names[key], "images a second", found[key]) for key in names),
    ]


def _peer(folder: Path, batch_size: int | None) -> tf.data.Dataset:
    size = (subject.IMAGE_SIZE, subject.IMAGE_SIZE)
    options = {"labels": "inferred", "color_mode": "grayscale", "image_size": size, "shuffle": True, "seed": SEED}
    return keras.utils.image_dataset_from_directory(folder, batch_size=batch_size, verbose=False, **options)


def _epochs(dataset: tf.data.Dataset, epochs: int, images: int) -> Callable[[], float]:
    return lambda: epochs * images / report.seconds(lambda: [_exhaust(dataset) for _ in range(epochs)])


def _exhaust(dataset: tf.data.Dataset) -> None:
    for _ in dataset:
        pass


def _tree(part: Part) -> Path:
    """A folder a class with links to the images of a part."""
    raw, folder = cards.load(subject.DATASET).reader.folder(), report.FOLDER / "classes"
    shutil.rmtree(folder, ignore_errors=True)
    for name, label in zip(part.names, part.labels, strict=True):
        link = folder / f"class_{label}" / f"{name.replace('/', '_')}.png"
        link.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(raw / f"{name}.png", link)
    return folder
