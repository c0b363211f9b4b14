"""Transfer learning against plain Keras: EfficientNet-Lite0 of ImageNet at 224 pixels on ELPV, two threads, one process.

Plain Keras runs first, before its deterministic mode is on: `fit` on the network with its layers frozen, tuning images as its
validation data, and `predict` batch by batch. Ours is the path of a book's runs from nothing: export, stored answers, training,
all parts measured after each epoch, predictions. A run of another seed finds what is stored. Both start from the bias of the
classes' shares, and accuracies are those of three seeds each: the same where the interval of their difference holds 0.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from scipy import stats

from benchmarks import report, subject
from lib import cards, config, networks, onnx, runs, steps
from lib.training import freezing, train
from lib.training import measure as measuring
from lib.training.configuration import Configuration, Network, Phase, Storing
from lib.training.data import Data, Part

IMAGE_SIZE, BATCH, THREADS = 224, 32, 2
NETWORK = Network(family="efficientnet_lite", parameters={"variant": "lite0", "weights": "imagenet"})
REPEATS, FORWARD_IMAGES = 5, 128
SEEDS = (1, 2, 3)
PHASES = {  # with the goal: how many times faster
    "feature extraction": (Phase(epochs=10, unfrozen=0), 12),
    "last block fine-tuned": (Phase(epochs=10, optimiser="sgd", learning_rate=0.01, unfrozen=1), 4),
}


def measure(images: int = 10**6, epochs: int = 10) -> list[report.Figure]:
    """On at most so many images of each part. Fewer of them, or fewer epochs, are for a look and give no figure."""
    phases = {name: (phase.model_copy(update={"epochs": epochs}), goal) for name, (phase, goal) in PHASES.items()}
    asked = {name: _configuration(phase) for name, (phase, _) in phases.items()}
    context = config.chapter(subject.CHAPTER, subject.DATASET, subject.PROFILE)
    data = runs.data_of(asked["feature extraction"], context)
    data = Data(**{name: part.first(images) for name, part in data.parts().items()}, classes=data.classes)
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    plain = {name: _plain(phase, data) for name, (phase, _) in phases.items()}
    figures = _forward(data.train)
    for name, (_, goal) in phases.items():
        figures += _figures(name, goal, plain[name], _ours(asked[name], data))
    return figures


def _configuration(phase: Phase) -> Configuration:
    recipe = (*cards.load(subject.DATASET).recipe, steps.RepeatChannels())
    return Configuration(
        dataset=subject.DATASET,
        recipe=recipe,
        image_size=IMAGE_SIZE,
        network=NETWORK,
        phases=(phase,),
        batch_size=BATCH,
        storing=Storing(),
        engine="onnx",
        threads=THREADS,
        seed=SEEDS[0],
    )


def _network(channels: int, bias: float = 0) -> keras.Model:
    """As anyone would build it: grey repeated, the published network, one logit that starts from a bias."""
    family, inputs = networks.family(NETWORK.family), keras.Input((IMAGE_SIZE, IMAGE_SIZE, channels))
    colour = inputs if channels == 3 else keras.layers.Concatenate()([inputs] * 3)
    x = family.build(colour, family.Parameters(**NETWORK.parameters))
    x = keras.layers.GlobalAveragePooling2D(name=freezing.LAST)(x)
    return keras.Model(
        inputs, keras.layers.Dense(1, bias_initializer=keras.initializers.Constant(bias), name="logits")(x)
    )


def _plain(phase: Phase, data: Data) -> tuple[float, list[float]]:
    """Seconds of `fit` and of the last `predict`, and the accuracy on the validation part of each seed.

    Seeds after the first one are not timed: what is frozen answers once, and Keras fits the layers behind it.
    """
    images = {name: part.pixels[part.rows] for name, part in data.parts().items()}
    network = _compiled(phase, data, SEEDS[0])
    seconds, accuracy = _fitted(network, images, data, phase)
    cut = freezing.LAST if not phase.unfrozen else list(_blocks().values())[-1 - int(phase.unfrozen)]
    frozen = keras.Model(network.input, network.get_layer(cut).output)
    answers = {name: frozen.predict(each, BATCH, verbose=0) for name, each in images.items()}
    return seconds, [
        accuracy,
        *(_fitted(_compiled(phase, data, seed, cut), answers, data, phase)[1] for seed in SEEDS[1:]),
    ]


def _blocks() -> dict[str, str]:
    return networks.blocks(NETWORK.family, NETWORK.parameters)


def _compiled(phase: Phase, data: Data, seed: int, cut: str = "") -> keras.Model:
    """The network, frozen as the phase says; with a layer to cut at, what comes behind it."""
    keras.utils.set_random_seed(seed)
    share = data.train.labels.mean()
    network = _network(data.train.pixels.shape[-1], np.log(share / (1 - share)))  # as ours starts
    freezing.apply(network, _blocks(), phase)
    network = keras.Model(network.get_layer(cut).output, network.output) if cut else network
    optimiser = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[phase.optimiser](phase.learning_rate)
    network.compile(optimiser, keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False)
    return network


def _fitted(network: keras.Model, inputs: dict[str, np.ndarray], data: Data, phase: Phase) -> tuple[float, float]:
    """Seconds of `fit` and `predict`, and the accuracy on the validation part."""
    labels = {name: part.labels.astype(np.float32) for name, part in data.parts().items()}
    logits = []

    def run() -> None:
        watched = (inputs["tuning"], labels["tuning"])
        network.fit(inputs["train"], labels["train"], BATCH, phase.epochs, verbose=0, validation_data=watched)
        logits.append(network.predict(inputs["validation"], BATCH, verbose=0))

    seconds = report.seconds(run)
    return seconds, float(((logits[0][:, 0] > 0) == labels["validation"]).mean())


def _ours(configuration: Configuration, data: Data) -> list[tuple[float, float]]:
    """The same of each seed; the first one computes what is stored."""
    with tempfile.TemporaryDirectory() as folder:
        return [_run(configuration.model_copy(update={"seed": seed}), data, Path(folder)) for seed in SEEDS]


def _run(configuration: Configuration, data: Data, folder: Path) -> tuple[float, float]:
    own, finished = Path(tempfile.mkdtemp(dir=folder)), []
    seconds = report.seconds(lambda: finished.append(train.train(configuration, data, own, folder / "activations")))
    predicted = measuring.probabilities(finished[0][1].outputs["validation"]).argmax(axis=1)
    return seconds, float((predicted == data.validation.labels).mean())


def _forward(part: Part) -> list[report.Figure]:
    images = part.first(FORWARD_IMAGES)
    pixels = images.pixels[images.rows]
    whole = _network(pixels.shape[-1])
    backbone = keras.Model(whole.input, whole.get_layer(freezing.LAST).output)
    answers = onnx.forward(backbone, THREADS)
    batches = [pixels[start : start + BATCH] for start in range(0, len(pixels), BATCH)]

    def rate(forward: Callable[[np.ndarray], np.ndarray]) -> Callable[[], float]:
        return lambda: len(pixels) / report.seconds(lambda: [forward(batch) for batch in batches])

    measures = {"onnx": rate(answers), "keras": rate(lambda batch: backbone.predict(batch, verbose=0))}
    report.interleaved(measures, 1)  # compiles
    found = report.interleaved(measures, REPEATS)
    ratio = report.ratios(found["onnx"], found["keras"])
    return [
        report.Figure("forward, ONNX Runtime / Keras predict", "ratio", ratio, report.Goal("at least", 1.8)),
        report.Figure("forward, ONNX Runtime", "images a second", found["onnx"]),
        report.Figure("forward, Keras predict batch by batch", "images a second", found["keras"]),
    ]


def _figures(
    name: str, goal: float, plain: tuple[float, list[float]], ours: list[tuple[float, float]]
) -> list[report.Figure]:
    seconds, accuracies = zip(*ours, strict=True)
    found = stats.ttest_ind(accuracies, plain[1], equal_var=False).confidence_interval()  # Welch's, of seeds
    low, high = float(found.low), float(found.high)
    return [
        report.Figure(f"{name}, plain Keras / ours", "ratio", [plain[0] / seconds[0]], report.Goal("at least", goal)),
        report.Figure(f"{name}, plain Keras", "seconds", [plain[0]]),
        report.Figure(f"{name}, ours", "seconds", [seconds[0]]),
        report.Figure(f"{name}, ours, where it is stored", "seconds", [*seconds[1:]]),
        report.Figure(f"{name}, plain Keras, by seed", "accuracy, validation", plain[1]),
        report.Figure(f"{name}, ours, by seed", "accuracy, validation", [*accuracies]),
        report.Figure(f"{name}, ours less plain, interval", "accuracy", [low, (low + high) / 2, high]),
        report.Figure(
            f"{name}, from 0 to that interval", "accuracy", [max(0.0, low, -high)], report.Goal("at most", 0)
        ),
    ]
