"""Gradients of a logit with respect to the pixels: plain, guided, and integrated along a path.

Arguments as in `lib.explain.cam`, but for the layer. All return (n, height, width, channels) float32: a number a value.
"""

import tensorflow as tf

from lib.explain.cam import chosen
from lib.explain.model import Network, Values

STEPS = 8  # of the path


def gradients(
    network: Network, images: tf.Tensor, index: tf.Tensor, values: Values = None, guided: bool = False
) -> tf.Tensor:
    """How fast the logit changes with each value. Source: Simonyan, Vedaldi and Zisserman 2014, arXiv:1312.6034."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        score = chosen(network.forward(images, values=values, guided=guided)[0], index)
    return tape.gradient(score, images)


def guided_backpropagation(network: Network, images: tf.Tensor, index: tf.Tensor, values: Values = None) -> tf.Tensor:
    """Gradients of which, on the way back, only what is above zero passes the output of a rectifier.

    With ReLU this is the rule of Springenberg et al. 2015, arXiv:1412.6806; with ReLU6, SiLU and their like the same rule
    comes before the slope of the activation itself.
    """
    return gradients(network, images, index, values, guided=True)


def integrated_gradients(
    network: Network,
    images: tf.Tensor,
    index: tf.Tensor,
    values: Values = None,
    steps: int = STEPS,
    baseline: tf.Tensor | None = None,
) -> tf.Tensor:
    """What each value adds to the logit on a straight way from a baseline to the image; their sum is the whole difference.

    baseline: images of the same shape; None: each image's own mean, a channel for itself: black would be a defect in many
    kinds of images. steps: of the midpoint rule. Source: Sundararajan, Taly and Yan 2017, arXiv:1703.01365.
    """
    start = tf.zeros_like(images) + (mean(images) if baseline is None else baseline)
    total, way = tf.zeros_like(images), images - start
    for step in tf.range(steps):
        share = (tf.cast(step, tf.float32) + 0.5) / steps
        total += gradients(network, start + share * way, index, values)
    return way * total / steps


def mean(images: tf.Tensor) -> tf.Tensor:
    """The mean of each image and channel: (n, 1, 1, channels)."""
    return tf.reduce_mean(images, (1, 2), keepdims=True)
