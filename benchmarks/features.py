"""Frozen features of EfficientNet-Lite0 at 224 pixels on ELPV: ONNX Runtime, as the `cpu` book does it, against Keras.

Both run the same network on the same pixels with two threads in one process, the first pass not counted: exporting and
compiling are one cost, a forward image another.
"""

import time

import numpy as np

from benchmarks import report, subject
from lib import cards, config, custody, features, pixels
from lib import onnx as engine
from lib.features import extraction

REPEATS = 7
IMAGES = 256
THREADS = 2
IMAGE_SIZE = 224
BACKBONE = "efficientnet_lite0"
PARITY = 1e-4


def measure() -> list[report.Figure]:
    """Each repeat passes all images. Raises NotMeasured where the engines disagree."""
    context = config.chapter(subject.CHAPTER, subject.DATASET, subject.PROFILE)
    asked = {"BACKBONE": BACKBONE, "FEATURE_SIZE": IMAGE_SIZE}
    settings = features.settings_for(asked, subject.DATASET, subject.PROFILE).model_copy(update={"threads": THREADS})
    rows, read = custody.development(context), cards.load(subject.DATASET).read
    cache = pixels.cached(context.root / "pixels", read, rows, settings.recipe, IMAGE_SIZE)
    images = np.array(cache.array[:IMAGES])

    network = extraction.build(settings, images.shape[-1])
    started = time.perf_counter()
    onnx = engine.forward(network, THREADS)
    export_seconds = time.perf_counter() - started

    def keras() -> np.ndarray:
        return network.predict(images, batch_size=extraction.BATCH, verbose=0)

    if (difference := float(np.abs(onnx(images) - keras()).max())) > PARITY:  # the first pass of each compiles
        raise report.NotMeasured(f"the engines differ by {difference:.2g}, more than {PARITY}")
    measures = {
        name: lambda forward=forward: IMAGES / report.seconds(forward)
        for name, forward in {"onnx": lambda: onnx(images), "keras": keras}.items()
    }
    found = report.interleaved(measures, REPEATS)
    goal = report.Goal("at least", 1.8)
    return [
        report.Figure("ONNX Runtime / Keras predict", "ratio", report.ratios(found["onnx"], found["keras"]), goal),
        report.Figure("ONNX Runtime", "images a second", found["onnx"]),
        report.Figure("Keras predict", "images a second", found["keras"]),
        report.Figure("export to ONNX", "seconds", [export_seconds]),
        report.Figure("largest difference of a feature", "features run to about 6", [difference]),
    ]
