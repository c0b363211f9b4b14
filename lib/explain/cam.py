"""Class activation maps: the channels of a layer, weighted by what they mean for a class.

Arguments of all: network; images (n, height, width, channels) float32 as it takes them; index (n,) int32, the class to explain
of each; layer, a name. All return (n, h, w) float32, 0 or more, in the size of the layer.
"""

import keras
import tensorflow as tf

from lib.explain.model import PASSING, Network, Values

SPATIAL = (1, 2)  # axes


def cam(network: Network, images: tf.Tensor, index: tf.Tensor, layer: str, values: Values = None) -> tf.Tensor:
    """Channels weighted by the kernel of the dense layer on their global average.

    Raises ValueError as `check`.
    Source: Zhou et al. 2016, arXiv:1512.04150.
    """
    dense = check(network, layer)
    features = network.forward(images, layer, values)[1]
    with network.substituted(values):
        kernel = tf.convert_to_tensor(dense.kernel)
    kernel = tf.concat([-kernel, kernel], axis=1) if network.units == 1 else kernel
    weights = tf.gather(tf.transpose(tf.cast(kernel, tf.float32)), index)
    return _weighted(features, weights[:, None, None])


def grad_cam(network: Network, images: tf.Tensor, index: tf.Tensor, layer: str, values: Values = None) -> tf.Tensor:
    """Channels weighted by the mean gradient of the logit over positions. Source: Selvaraju et al. 2017, arXiv:1610.02391."""
    features, gradients = with_gradients(network, images, index, layer, values)
    return _weighted(features, tf.reduce_mean(gradients, SPATIAL, keepdims=True))


def grad_cam_plus_plus(
    network: Network, images: tf.Tensor, index: tf.Tensor, layer: str, values: Values = None
) -> tf.Tensor:
    """Channels weighted by positive gradients, each by how much its position alone explains.

    As for a score that is the exponential of the logit, whose value is one factor of the whole map and left out.
    Source: Chattopadhay et al. 2018, arXiv:1710.11063, equations 10-19; weights of positions sum to one.
    """
    features, gradients = with_gradients(network, images, index, layer, values)
    second, third = gradients**2, gradients**3
    below = 2 * second + third * tf.reduce_sum(features, SPATIAL, keepdims=True)
    shares = second / tf.where(second == 0, below + 1, below)
    whole = tf.reduce_sum(shares, SPATIAL, keepdims=True)
    shares /= tf.where(whole == 0, tf.ones_like(whole), whole)
    return _weighted(features, tf.reduce_sum(tf.nn.relu(gradients) * shares, SPATIAL, keepdims=True))


def check(network: Network, layer: str) -> keras.layers.Dense:
    """The dense layer on the average. Raises ValueError as `head`, and where `layer` is not the one that is averaged."""
    averaged, dense = head(network)
    if layer != averaged:
        raise ValueError(f"CAM explains {averaged!r}, the layer that is averaged, not {layer!r}; use Grad-CAM")
    return dense


def head(network: Network) -> tuple[str, keras.layers.Dense]:
    """The layer that is averaged, and the dense layer on the average, of a network that ends in just these two.

    Raises ValueError saying what the network ends in instead.
    """
    operations = network.backwards()
    dense = next(operations)
    after = (each for each in operations if not isinstance(each, PASSING))
    pooling = next(after, None)
    if not isinstance(dense, keras.layers.Dense) or not isinstance(pooling, keras.layers.GlobalAveragePooling2D):
        found = " on ".join(type(each).__name__ for each in (dense, pooling) if each is not None)
        raise ValueError(
            f"CAM needs one linear dense layer on a global average, {network.model.name} ends in {found}; use Grad-CAM"
        )
    return next(after).name, dense


def with_gradients(
    network: Network, images: tf.Tensor, index: tf.Tensor, layer: str, values: Values
) -> tuple[tf.Tensor, tf.Tensor]:
    """What leaves the layer, and the gradient of the logits of `index` with respect to it: (n, h, w, channels) each."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits, features = network.forward(images, layer, values)
        score = chosen(logits, index)
    gradients = tape.gradient(score, features)
    return tf.cast(features, tf.float32), tf.cast(gradients, tf.float32)


def chosen(logits: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    """The logit of one class of each image: (n, classes), (n,) int -> (n,)."""
    return tf.gather(logits, index, batch_dims=1)


def _weighted(features: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    return tf.nn.relu(tf.reduce_sum(tf.cast(features, tf.float32) * weights, axis=-1))
