"""What augmentation does to a batch of images, where Keras has no layer for it; and when: in training alone.

Images are (batch, size, size, channels) float32 in [0, 255]. Every image has draws of its own, from a generator whose state
is one of the network's variables, so that it is in the checkpoint.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import layers, ops, random

BRIGHTEST = 255.0


class InTraining(layers.Layer):
    """Operations on training batches, values kept in range; all else passes. Keras' own layers act unless told not to."""

    def __init__(self, operations: Sequence[layers.Layer], **named: str):
        super().__init__(**named)
        self.operations = list(operations)

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Build every operation; none changes the shape."""
        for operation in self.operations:
            operation.build(shape)

    def call(self, images: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Images of the same shape and type."""
        if not training:
            return images
        for operation in self.operations:
            images = operation(images, training=True)
        return ops.clip(images, 0.0, BRIGHTEST)


class Quarters(layers.Layer):
    """Quarter turns against the clock, none to three: a mirrored transposition, two mirrorings, or both."""

    def __init__(self, seed: int):
        super().__init__()
        self.generator = random.SeedGenerator(seed)

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Square images of the same shape and type."""
        turns = random.randint((tf.shape(images)[0], 1, 1, 1), 0, 4, seed=self.generator)
        images = ops.where(turns % 2 == 1, ops.flip(ops.transpose(images, (0, 2, 1, 3)), 1), images)
        return ops.where(turns >= 2, ops.flip(images, (1, 2)), images)


class Window(layers.Layer):
    """A square window anywhere, all but `share` of each side, enlarged to the whole again (bilinear)."""

    def __init__(self, share: float, seed: int):
        super().__init__()
        self.share, self.generator = share, random.SeedGenerator(seed)

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Images of the same shape and type."""
        number, height, width, _ = tf.unstack(tf.shape(images))
        corner = random.uniform((number, 2), 0, self.share, seed=self.generator)
        # A pixel's centre lies half a pixel from its corner, in the window as in the whole.
        start = corner * ops.cast([width, height], "float32") - self.share / 2
        scale, none = tf.fill((number,), 1 - self.share), tf.zeros((number,))
        rows = [scale, none, start[:, 0], none, scale, start[:, 1], none, none]
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=tf.stack(rows, axis=1),
            output_shape=tf.stack([height, width]),
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        )


class Square(layers.Layer):
    """A square anywhere in the image, `share` of its side, takes the image's mean, channel by channel."""

    def __init__(self, share: float, seed: int):
        super().__init__()
        self.share, self.generator = share, random.SeedGenerator(seed)

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Images of the same shape and type."""
        side = images.shape[1]
        length = max(1, round(self.share * side))
        corner = random.randint((tf.shape(images)[0], 2), 0, side - length + 1, seed=self.generator)
        places = ops.arange(side)
        inside = (places >= corner[..., None]) & (places < corner[..., None] + length)
        square = inside[:, 0, :, None, None] & inside[:, 1, None, :, None]
        return ops.where(square, ops.mean(images, axis=(1, 2), keepdims=True), images)


class Grain(layers.Layer):
    """Gaussian noise on every value; deviation: of values in [0, 255]."""

    def __init__(self, deviation: float, seed: int):
        super().__init__()
        self.deviation, self.generator = deviation, random.SeedGenerator(seed)

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Images of the same shape and type."""
        return images + random.normal(tf.shape(images), stddev=self.deviation, seed=self.generator)
