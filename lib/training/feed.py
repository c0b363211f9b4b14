"""Deterministic batches for Keras: the order depends on seed and epoch alone, so that a run can stop and go on."""

from functools import lru_cache

import numpy as np
import tensorflow as tf

from lib.training.data import Part
from lib.training.mixing import Mix


def order(images: int, seed: int, epoch: int) -> np.ndarray:
    """A permutation of range(images), drawn from (seed, epoch)."""
    return np.random.default_rng([seed, epoch]).permutation(images)


def training_batches(
    part: Part,
    batch_size: int,
    seed: int,
    first_epoch: int,
    last_epoch: int,
    soft: int = 0,
    mix: Mix | None = None,
    copies: int = 1,
) -> tf.data.Dataset:
    """All batches of epochs first_epoch .. last_epoch - 1, each epoch in an order of its own.

    soft: outputs of a network that takes shares of labels, needed by `mix`; 0: labels are class indices. copies: versions
    of the whole part that its pixels hold, one after the other; epoch e learns from version e modulo copies.
    Yields images (batch, height, width, channels) uint8, float32 where mixed, or what the part has in their place, and
    labels (batch,) int32, or where soft (batch, soft) float32, read ahead of the training step; every image comes once an
    epoch, the last batch may be smaller.
    """
    steps = -(-len(part) // batch_size)
    labels = part.labels.astype(np.int32)
    shuffled = lru_cache(maxsize=1)(lambda epoch: order(len(part), seed, epoch))

    def batch(number: np.int64) -> tuple[np.ndarray, np.ndarray]:
        epoch, step = divmod(int(number), steps)
        chosen = shuffled(epoch)[step * batch_size : (step + 1) * batch_size]
        return part.pixels[part.rows[chosen] + epoch % copies * len(part)], labels[chosen]

    def tensors(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # Stateless, because TensorFlow's deterministic mode reads nothing ahead through a stateful function.
        images, classes = tf.numpy_function(batch, [number], (part.pixels.dtype, tf.int32), stateful=False)
        images, classes = tf.ensure_shape(images, (None, *part.pixels.shape[1:])), tf.ensure_shape(classes, (None,))
        if soft:
            classes = tf.one_hot(classes, soft) if soft > 1 else tf.cast(classes[:, None], tf.float32)
        return mix(number, images, classes) if mix else (images, classes)

    return tf.data.Dataset.range(first_epoch * steps, last_epoch * steps).map(tensors).prefetch(2)
