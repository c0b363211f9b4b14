"""Occlusion: what the logit loses when a part of the image is covered. It needs no gradient."""

import tensorflow as tf

from lib.explain.cam import chosen
from lib.explain.gradients import mean
from lib.explain.model import Network, Values

SHARE = 1 / 4  # of a side that is covered at a time


def occlusion(
    network: Network, images: tf.Tensor, index: tf.Tensor, values: Values = None, share: float = SHARE
) -> tf.Tensor:
    """Mean fall of the logit over all squares that cover a pixel: (n, height, width) float32, 0 or more.

    Squares of `share` of the height, half a square apart, take the image's mean. Arguments as in `lib.explain.cam`.
    Source: Zeiler and Fergus 2014, arXiv:1311.2901.
    """
    height, width = images.shape[1:3]
    square = max(1, round(share * height))
    starts = tf.constant(_starts(height, width, square))
    whole, grey = chosen(network.forward(images, values=values)[0], index), mean(images)
    rows, columns = tf.range(height)[:, None], tf.range(width)[None]
    total, times = tf.zeros_like(images[..., 0]), tf.zeros((height, width))
    for place in tf.range(len(starts)):
        top, left = starts[place, 0], starts[place, 1]
        inside = (rows >= top) & (rows < top + square) & (columns >= left) & (columns < left + square)
        covered = tf.where(inside[None, ..., None], grey, images)
        fall = whole - chosen(network.forward(covered, values=values)[0], index)
        here = tf.cast(inside, tf.float32)
        total += fall[:, None, None] * here
        times += here
    return tf.nn.relu(total / tf.maximum(times, 1))


def _starts(height: int, width: int, square: int) -> list[tuple[int, int]]:
    """Upper left corners of squares that cover the whole image."""
    step = max(1, square // 2)
    along = [sorted({*range(0, max(1, side - square), step), max(0, side - square)}) for side in (height, width)]
    return [(top, left) for top in along[0] for left in along[1]]
