"""From a configuration to a network ready to train."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType, ModuleType

import keras
import numpy as np
from keras import layers

from lib import networks, steps
from lib.training import augmentation, checks, determinism, freezing, optimisers
from lib.training.configuration import Configuration, Phase


def build(configuration: Configuration, channels: int, train_labels: np.ndarray, classes: int) -> keras.Model:
    """One functional graph: augmentation, the recipe's last steps, the network, the head; seeded.

    channels: of the cached pixels. train_labels: (n,) int, for the head's bias. Inputs (batch, size, size, channels) in
    [0, 255]; outputs logits, (batch, 1) for two classes, else (batch, classes).
    Raises ValueError when size, parameters, range of values or depth do not fit the network, CheckFailed when a layer of the
    network does not lie between image and logits.
    """
    family = networks.family(configuration.network.family)
    _check(configuration, family)
    determinism.fix(configuration.threads, configuration.seed)
    inputs = keras.Input((configuration.image_size, configuration.image_size, channels), name="image")
    x = augmentation.connect(configuration.augmentation, inputs, configuration.seed)
    x = _dropped(x, configuration.control.input_dropout, configuration.seed, "input_dropout")
    x = steps.connect(configuration.recipe, x)
    features = family.build(x, family.Parameters(**configuration.network.parameters))
    x = layers.GlobalAveragePooling2D(name="global_average")(features)
    x = _dropped(x, configuration.head.dropout, configuration.seed, "head_dropout")
    for number, width in enumerate(widths(configuration.head.hidden, x.shape[-1]), start=1):
        x = layers.Dense(width, activation="relu", name=f"hidden_{number}")(x)
    bias = head_bias(configuration.head.bias, train_labels, classes)
    logits = layers.Dense(len(bias), bias_initializer=_constant(bias), name="logits")(x)
    network = keras.Model(inputs, logits, name=configuration.network.family)
    checks.connected(keras.Model(inputs, features), network)
    _regularise(network, configuration.l2)
    return network


def head_bias(bias: str | float, train_labels: np.ndarray, classes: int) -> np.ndarray:
    """The bias that the last layer starts from.

    `prior`: log(n_positive / n_negative) for two classes, log of the class shares for more; a number is taken as it is.
    Returns (1,) or (classes,) float. Source: S3.19, corrected there; Karpathy 2019, "init well".
    """
    if bias != "prior":
        return np.full(1 if classes == 2 else classes, float(bias))
    counts = np.bincount(train_labels, minlength=classes).astype(float)
    if (counts == 0).any():
        raise ValueError(f"class {int(np.argmin(counts))} has no training image; every class needs one")
    return np.log(counts[1:] / counts[:1]) if classes == 2 else np.log(counts / counts.sum())


def widths(hidden: Sequence[int | str], width: int) -> list[int]:
    """Widths of the dense layers of a head; width: of the features.

    "square root": the power of two nearest to the square root of the width before, 1280 -> 32 -> 4; the larger one where
    it lies in the middle, 36 -> 8. Source: S0.3.
    """
    found = []
    for wanted in hidden:
        if wanted == "square root":
            power = 2 ** ((width.bit_length() - 1) // 2)  # the largest one that is not above the root
            wanted = power if 4 * width < 9 * power**2 else 2 * power
        found.append(width := wanted)
    return found


def compile_for(
    model: keras.Model,
    phase: Phase,
    classes: int,
    soft: bool = False,
    smoothing: float = 0,
    shares: Mapping[str, float] = MappingProxyType({}),
) -> None:
    """Compile for one phase: a fresh optimiser, cross-entropy on logits. XLA is slower on CPUs and stays off.

    soft: labels come as shares of classes. smoothing: share of a label's weight that goes to all classes evenly. shares: of
    the rate, by the path of a weight; all of it where none is given.
    """
    losses = keras.losses
    if classes == 2 or soft:
        kind = losses.BinaryCrossentropy if classes == 2 else losses.CategoricalCrossentropy
        loss = kind(from_logits=True, label_smoothing=smoothing)
    else:
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    factors = [shares.get(weight.path, 1.0) for weight in model.trainable_variables]
    optimiser = optimisers.OPTIMISERS[phase.optimiser](phase.learning_rate, factors)
    model.compile(optimiser, loss, jit_compile=False)
    optimiser.build(model.trainable_variables)


def _dropped(inputs: keras.KerasTensor, rate: float, seed: int, name: str) -> keras.KerasTensor:
    return layers.Dropout(rate, seed=seed, name=name)(inputs) if rate else inputs


def _regularise(network: keras.Model, l2: float) -> None:
    """L2 on every kernel, in the loss (S0.9): biases and normalisation stay free, and no network needs to know."""
    for weight in network.trainable_weights if l2 else ():
        if weight.name.endswith("kernel"):
            weight.regularizer = keras.regularizers.L2(l2)


def _constant(values: np.ndarray) -> keras.initializers.Initializer:
    return lambda shape, dtype=None: keras.ops.convert_to_tensor(np.broadcast_to(values, shape), dtype)


def _check(configuration: Configuration, family: ModuleType) -> None:
    asked = configuration.network
    if configuration.image_size < (smallest := networks.minimum_size(asked.family, asked.parameters)):
        raise ValueError(
            f"image size {configuration.image_size} is too small for network {configuration.network.family}: "
            f"it needs {smallest} pixels a side or more"
        )
    if (given := steps.final_range(configuration.recipe)) != family.INPUT_RANGE:
        raise ValueError(
            f"the recipe ends in values of {list(given)}, network {configuration.network.family} takes "
            f"{list(family.INPUT_RANGE)}; add or remove a scaling step"
        )
    freezing.check(configuration)
