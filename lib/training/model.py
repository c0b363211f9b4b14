"""From a configuration to a network ready to train."""

from types import ModuleType

import keras
import numpy as np
from keras import layers

from lib import networks, steps
from lib.training import checks, determinism
from lib.training.configuration import Configuration, Phase


def build(configuration: Configuration, channels: int, train_labels: np.ndarray, classes: int) -> keras.Model:
    """One functional graph: the recipe's last steps, the network, the head; seeded.

    channels: of the cached pixels. train_labels: (n,) int, for the head's bias. Inputs (batch, size, size, channels) in
    [0, 255]; outputs logits, (batch, 1) for two classes, else (batch, classes).
    Raises ValueError when size, parameters or range of values do not fit the network, CheckFailed when a layer of the
    network does not lie between image and logits.
    """
    family = networks.family(configuration.network.family)
    _check(configuration, family)
    determinism.fix(configuration.threads, configuration.seed)
    inputs = keras.Input((configuration.image_size, configuration.image_size, channels), name="image")
    x = steps.connect(configuration.recipe, _dropped(inputs, configuration))
    features = family.build(x, family.Parameters(**configuration.network.parameters))
    x = layers.GlobalAveragePooling2D(name="global_average")(features)
    bias = head_bias(configuration.head.bias, train_labels, classes)
    logits = layers.Dense(len(bias), bias_initializer=_constant(bias), name="logits")(x)
    network = keras.Model(inputs, logits, name=configuration.network.family)
    checks.connected(keras.Model(inputs, features), network)
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


def compile_for(model: keras.Model, phase: Phase, classes: int) -> None:
    """Compile for one phase: a fresh optimiser, cross-entropy on logits. XLA is slower on CPUs and stays off."""
    optimisers = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}
    losses = keras.losses
    loss = losses.BinaryCrossentropy if classes == 2 else losses.SparseCategoricalCrossentropy
    optimiser = optimisers[phase.optimiser](phase.learning_rate)
    model.compile(optimiser, loss(from_logits=True), jit_compile=False)
    optimiser.build(model.trainable_variables)


def _dropped(inputs: keras.KerasTensor, configuration: Configuration) -> keras.KerasTensor:
    rate = configuration.control.input_dropout
    return layers.Dropout(rate, seed=configuration.seed, name="input_dropout")(inputs) if rate else inputs


def _constant(values: np.ndarray) -> keras.initializers.Initializer:
    return lambda shape, dtype=None: keras.ops.convert_to_tensor(np.broadcast_to(values, shape), dtype)


def _check(configuration: Configuration, family: ModuleType) -> None:
    if configuration.image_size < family.MINIMUM_SIZE:
        raise ValueError(
            f"image size {configuration.image_size} is too small for network {configuration.network.family}: "
            f"it needs {family.MINIMUM_SIZE} pixels a side or more"
        )
    if (given := steps.final_range(configuration.recipe)) != family.INPUT_RANGE:
        raise ValueError(
            f"the recipe ends in values of {list(given)}, network {configuration.network.family} takes "
            f"{list(family.INPUT_RANGE)}; add or remove a scaling step"
        )
