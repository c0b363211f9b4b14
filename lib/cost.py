"""What training a network costs: time a step, memory, parameters, multiplications."""

import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
import psutil

from lib.training.configuration import Configuration

if TYPE_CHECKING:
    import keras

WARM_UP = 3  # steps: the first one compiles
STEPS = 15
SAMPLED = 0.002  # seconds between two looks at the memory
MEGABYTE = 1e6  # bytes
TITLES = {  # of the columns of `table`, for people
    "multiplications_million": "multiplications, million",
    "milliseconds_a_step": "time of a step, milliseconds",
    "memory_mb": "memory, MB",
}
PLAIN, DEPTHWISE = "a million multiplications", "a million in depthwise convolutions"
Measured = TypeVar("Measured")


def table(configurations: Mapping[str, Configuration], channels: int, classes: int) -> pd.DataFrame:
    """Every network measured in a process of its own, one after the other, on one batch of noise: a row a name.

    parameters: of network and head. multiplications_million: of one image on its way forward, in convolutions and dense
    layers. milliseconds_a_step: median over steps, after warming up. memory_mb: by how much the process, or the memory of
    its GPU, was larger at its largest moment than before the network was built, 1e6 bytes: weights, gradients,
    optimiser, what is kept of a batch, and what the library needs to run it; sampled, so a short peak may be missed.
    """
    rows = {name: alone(measure, configuration, channels, classes) for name, configuration in configurations.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("network")


def alone(function: Callable[..., Measured], *arguments: object) -> Measured:
    """What a function of a module answers in a process of its own."""
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    with ProcessPoolExecutor(1, context) as process:
        return process.submit(function, *arguments).result()


def measure(configuration: Configuration, channels: int, classes: int) -> dict[str, float]:
    """A row of `table`. Memory is meaningful in a fresh process alone: one that has computed keeps what it was given."""
    import tensorflow as tf

    from lib.training import model

    labels = np.arange(configuration.batch_size, dtype=np.int32) % classes
    shape = (configuration.batch_size, configuration.image_size, configuration.image_size, channels)
    images = np.random.default_rng(7).integers(0, 256, shape, np.uint8)
    with _Peak() as peak:
        network = model.build(configuration, channels, labels, classes)
        model.compile_for(network, configuration.phases[0], classes)
        seconds = [_timed(network, images, labels) for _ in range(WARM_UP + STEPS)][WARM_UP:]
    memory = peak.grown
    if tf.config.list_physical_devices("GPU"):
        memory = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return {
        "parameters": network.count_params(),
        "multiplications_million": multiplications(network) / 1e6,
        "milliseconds_a_step": 1000 * float(np.median(seconds)),
        "memory_mb": memory / MEGABYTE,
    }


def multiplications(network: "keras.Model") -> int:
    """Of one image on its way forward: every kernel once at each position of what its layer gives."""
    return sum(_multiplications(layer) for layer in network.layers if layer.weights)


def learning(network: "keras.Model", configuration: Configuration) -> dict[str, float]:
    """Million multiplications of one image on its way forward through what the last phase lets learn, by kind.

    From the lowest layer that learns to the output: errors are traced back through these layers. Depthwise convolutions
    stand apart: a multiplication in one of them takes longer. network: as `model.build` makes it; what of it can be trained is
    set as in that phase.
    """
    from lib import networks
    from lib.training import freezing

    ends = networks.blocks(configuration.network.family, configuration.network.parameters)
    freezing.apply(network, ends, configuration.phases[-1])
    lowest = min(place for place, layer in enumerate(network.layers) if layer.trainable_weights)
    found = {PLAIN: 0.0, DEPTHWISE: 0.0}
    for layer in network.layers[lowest:]:
        if layer.weights:
            found[DEPTHWISE if "Depthwise" in type(layer).__name__ else PLAIN] += _multiplications(layer) / 1e6
    return found


def _multiplications(layer: "keras.Layer") -> int:
    kernels = sum(int(np.prod(weight.shape)) for weight in layer.weights if len(weight.shape) > 1)
    return int(np.prod(layer.output.shape[1:-1])) * kernels


class _Peak:
    """How much larger this process becomes within a block than it was at its beginning, bytes."""

    def __enter__(self) -> "_Peak":
        self._process, self._ended = psutil.Process(), threading.Event()
        self._before = self._most = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def grown(self) -> int:
        return self._most - self._before

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLED):
            self._most = max(self._most, self._process.memory_info().rss)


def _timed(network: "keras.Model", images: np.ndarray, labels: np.ndarray) -> float:
    started = time.perf_counter()
    network.train_on_batch(images, labels)
    return time.perf_counter() - started
