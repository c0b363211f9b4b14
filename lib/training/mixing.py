"""Mixed batches: Keras' MixUp and CutMix, drawn from the seed and the number of the batch alone."""

from collections.abc import Callable

import keras
import tensorflow as tf

from lib.training.configuration import Mixing

Mix = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


class BatchSeeds(keras.random.SeedGenerator):
    """Seeds of one batch. Keras' own generator counts in a variable, which a pipeline that reads ahead must not have."""

    def __init__(self, seed: int, number: tf.Tensor):
        self.key = tf.random.fold_in(tf.constant([seed, 0], tf.int64), number)
        self.drawn = 0

    def next(self, ordered: bool = True) -> tf.Tensor:
        """A seed, (2,) int, another one at every call."""
        self.drawn += 1
        return tf.random.fold_in(self.key, self.drawn)


def mixer(mixing: Mixing, seed: int) -> Mix:
    """How batches are mixed: each image with another one of its batch, and their labels in the same shares.

    Takes the number of the batch, () int64, images (batch, size, size, channels), and labels (batch, classes) or (batch, 1)
    float32. Returns images float32 in the same range and labels float32. Source: arXiv:1710.09412, arXiv:1905.04899.
    """
    mixup = mixing.kind == "mixup"
    layer = (
        keras.layers.MixUp(mixing.alpha, seed=seed)
        if mixup
        else keras.layers.CutMix((mixing.alpha, mixing.alpha), seed=seed)
    )

    def mix(number: tf.Tensor, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        drawn = layer.get_random_transformation(images, training=True, seed=BatchSeeds(seed, number))
        if not mixup:  # the share of pixels that stay, where Keras takes the area of the box before rounding
            drawn["mix_weight"] = 1 - tf.reduce_mean(tf.cast(drawn["batch_masks"], tf.float32), axis=(1, 2, 3))
        return layer.transform_images(images, drawn, training=True), layer.transform_labels(
            labels, drawn, training=True
        )

    return mix
