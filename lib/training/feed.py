"""Deterministic batches for Keras: the order depends on seed and epoch alone, so that a run can stop and go on."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from lib.training.data import Part


def order(images: int, seed: int, epoch: int) -> np.ndarray:
    """A permutation of range(images), drawn from (seed, epoch)."""
    return np.random.default_rng([seed, epoch]).permutation(images)


def training_batches(part: Part, batch_size: int, seed: int, first_epoch: int, last_epoch: int) -> tf.data.Dataset:
    """All batches of epochs first_epoch .. last_epoch - 1, each epoch in an order of its own.

    Yields images (batch, height, width, channels) uint8 and labels (batch,) int32, read ahead of the training step;
    every image comes once an epoch, the last batch may be smaller.
    """

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        labels = part.labels.astype(np.int32)
        for epoch in range(first_epoch, last_epoch):
            shuffled = order(len(part), seed, epoch)
            for first in range(0, len(part), batch_size):
                chosen = shuffled[first : first + batch_size]
                yield part.pixels[part.rows[chosen]], labels[chosen]

    signature = (
        tf.TensorSpec((None, *part.pixels.shape[1:]), tf.uint8),
        tf.TensorSpec((None,), tf.int32),
    )
    return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)
