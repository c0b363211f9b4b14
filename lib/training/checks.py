"""Checks that stop a run, or a book, in one line: mistakes that train without an exception and end a little worse.

Every training run makes `connected`, `fresh_weights`, `fresh_optimiser` and `reads_input`: they cost a second network and
one forward pass of a few images. The others need images of the data, and belong to chapter 6.
"""

import keras
import numpy as np
import pandas as pd

from lib.training import measure

NOISE_SEED = 7
NOISE_IMAGES = 16  # of growing contrast: a narrow network may be silent for some of them
SMALLEST_CHANGE = 1e-7  # of a logit, between images of noise


class CheckFailed(RuntimeError):
    """Something about a network or a run is not what it is said to be."""


def connected(backbone: keras.Model, network: keras.Model) -> None:
    """Every layer of the backbone lies between image and output: the head takes what the backbone gives (S3.34).

    backbone: from the same input to the features. Raises CheckFailed naming the layers whose result is dropped.
    """
    used = {id(operation) for operation in network.operations}
    dropped = [operation.name for operation in backbone.operations if id(operation) not in used]
    if dropped:
        raise CheckFailed(f"the result of {_some(dropped)} reaches no output: the head takes something else")


def fresh_weights(network: keras.Model, again: keras.Model) -> None:
    """A new network has the weights that its seed gives, bit for bit, and they are its own (S3.39).

    again: the same configuration built once more. Raises CheckFailed naming the weights that differ, or are shared.
    """
    own, fresh = network.weights, again.weights
    shared = {id(weight) for weight in own} & {id(weight) for weight in fresh}
    if shared:
        names = [weight.path for weight in own if id(weight) in shared]
        raise CheckFailed(f"weights are shared with another network: {_some(names)}; build every layer anew")
    pairs = zip(own, fresh, strict=True)
    other = [weight.path for weight, new in pairs if not np.array_equal(weight.numpy(), new.numpy())]
    if other:
        raise CheckFailed(f"this network is not new: {_some(other)} differ from the weights that its seed gives")


def fresh_optimiser(network: keras.Model) -> None:
    """The optimiser of a new run has made no step and remembers nothing (S3.39). Raises CheckFailed otherwise."""
    steps = int(network.optimizer.iterations.numpy())
    if steps:
        raise CheckFailed(f"the optimiser has made {steps} steps before this run; give every run its own")


def reads_input(network: keras.Model) -> None:
    """Different images, all noise, get different logits. Raises CheckFailed for a network that ignores its input."""
    noise = np.random.default_rng(NOISE_SEED).uniform(0, 255, (NOISE_IMAGES, *network.input_shape[1:]))
    contrast = np.linspace(0, 1, NOISE_IMAGES).reshape(-1, 1, 1, 1)
    outputs = np.asarray(network((contrast * noise).astype(np.uint8), training=False))
    if not np.ptp(outputs, axis=0).max() > SMALLEST_CHANGE:
        raise CheckFailed("predictions do not change with the image: the network ignores its input")


def begins_as_its_seed(history: pd.DataFrame, loss: float, tolerance: float = 1e-4) -> None:
    """The record of a run begins with the loss of the untrained network of its seed (S3.18, S3.39).

    history: of `runs.Run`. loss: nats, of the network built anew, on the same images. tolerance: in nats, or as a share of
    a loss above 1, for other processors. Raises CheckFailed otherwise.
    """
    first = history.query("epoch == 0 and part == 'train'")["loss"].item()
    if not abs(first - loss) <= tolerance * max(1.0, loss):
        raise CheckFailed(
            f"the run begins at a loss of {first:.4f}, its seed gives {loss:.4f}: it continues another run"
        )


def gradients(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> pd.Series:
    """Size of the gradient of the loss by each trainable weight and by the input, largest absolute value: path -> float.

    images: (n, height, width, channels) in [0, 255]. labels: (n,) int, of more than one class. Raises CheckFailed naming
    the weights that no gradient reaches, or when the input of an image gets none. Networks that begin with a factor of
    zero, as some residual ones do, are to be asked after a few steps.
    """
    import tensorflow as tf

    inputs, wanted = tf.convert_to_tensor(images, tf.float32), tf.convert_to_tensor(labels)
    weights = network.trainable_weights
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(_loss(network(inputs, training=False), wanted))
    found = tape.gradient(loss, [inputs, *(weight.value for weight in weights)])
    sizes = {"input": _by_image(found[0]).min() if found[0] is not None else 0.0}
    sizes |= {weight.path: _size(gradient) for weight, gradient in zip(weights, found[1:], strict=True)}
    lost = [name for name, size in sizes.items() if not (np.isfinite(size) and size > 0)]
    if lost:
        raise CheckFailed(f"no gradient reaches {_some(lost)}: it cannot learn")
    return pd.Series(sizes, name="largest gradient").rename_axis("weight")


def independent_of_batch(network: keras.Model, images: np.ndarray, tolerance: float = 1e-4) -> float:
    """Neither the order of a batch nor the other images in it change a prediction; returns the largest difference.

    images: (n, height, width, channels) uint8, n > 1. tolerance: of a probability; other batch sizes round otherwise.
    Raises CheckFailed when a prediction differs by more.
    """
    together = _probabilities(network, images)
    reversed_order = _probabilities(network, images[::-1])[::-1]
    alone = np.concatenate([_probabilities(network, images[i : i + 1]) for i in range(len(images))])
    difference = max(np.abs(together - other).max() for other in (reversed_order, alone))
    if not difference <= tolerance:
        raise CheckFailed(
            f"a prediction changes by {difference:.2g} with the other images of its batch, or their order"
        )
    return float(difference)


def _loss(outputs: keras.KerasTensor, labels: keras.KerasTensor) -> keras.KerasTensor:
    if outputs.shape[-1] == 1:
        targets = keras.ops.cast(labels, outputs.dtype)[:, None]
        return keras.losses.binary_crossentropy(targets, outputs, from_logits=True)
    return keras.losses.sparse_categorical_crossentropy(labels, outputs, from_logits=True)


def _probabilities(network: keras.Model, images: np.ndarray) -> np.ndarray:
    return measure.probabilities(np.asarray(network(images, training=False)))


def _size(gradient: object) -> float:
    return 0.0 if gradient is None else float(np.abs(np.asarray(gradient)).max())


def _by_image(gradient: object) -> np.ndarray:
    values = np.abs(np.asarray(gradient))
    return values.reshape(len(values), -1).max(axis=1)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
