"""What is measured after every epoch, on fixed images, without any state of training in it."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from scipy import special
from sklearn import metrics

from lib.training.data import Part

PREDICTION_BATCH = 64  # images: at 224 pixels a batch of 256 needs gigabytes for one layer

Forward = Callable[[np.ndarray], tf.Tensor]  # (n, ...) of what the network takes -> (n, ...), in inference mode


def traced(network: keras.Model, dtype: np.dtype | type = np.uint8) -> Forward:
    """The forward pass as one graph, for batches of any length: made once, it takes half the time of layer by layer.

    dtype: of what comes in; uint8 for images.
    """
    images = tf.TensorSpec((None, *network.input_shape[1:]), dtype)
    return tf.function(lambda batch: network(batch, training=False), input_signature=[images])


def logits(forward: Forward, part: Part) -> np.ndarray:
    """Outputs for every image of a part, in order, in inference mode: (n, outputs) float32.

    forward: as `traced` gives it; a network that is called layer by layer keeps every layer's answer until its end.
    """
    return np.concatenate([np.asarray(forward(batch)) for batch in part.batches(PREDICTION_BATCH)])


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """Class probabilities from logits: (n, 1) -> (n, 2) by the sigmoid, (n, classes) -> (n, classes) by the softmax."""
    outputs = outputs.astype(np.float64)
    if outputs.shape[1] > 1:
        return special.softmax(outputs, axis=1)
    return np.hstack([special.expit(-outputs), special.expit(outputs)])


def scores(labels: np.ndarray, outputs: np.ndarray) -> dict[str, float | None]:
    """Loss (cross-entropy, from logits) and metrics of one part (S3.12, S0.8).

    labels: (n,) int. outputs: (n, 1) or (n, classes) logits. Several classes: macro averages, AUC one against the rest.
    Where a class is absent the AUC is None.
    """
    probability = probabilities(outputs)
    classes = np.arange(probability.shape[1])
    predicted = probability.argmax(axis=1)
    two = len(classes) == 2
    log_probability = special.log_softmax(_two_sided(outputs), axis=1)
    average = "binary" if two else "macro"
    complete = len(np.unique(labels)) == len(classes)
    auc_scores = probability[:, 1] if two else probability
    return {
        "loss": float(-log_probability[np.arange(len(labels)), labels].mean()),
        "accuracy": float((predicted == labels).mean()),
        "auc": float(metrics.roc_auc_score(labels, auc_scores, multi_class="ovr")) if complete else None,
        "precision": float(metrics.precision_score(labels, predicted, average=average, zero_division=0)),
        "recall": float(metrics.recall_score(labels, predicted, average=average, zero_division=0)),
        "f1": float(metrics.f1_score(labels, predicted, average=average, zero_division=0)),
    }


def _two_sided(outputs: np.ndarray) -> np.ndarray:
    outputs = outputs.astype(np.float64)
    return outputs if outputs.shape[1] > 1 else np.hstack([np.zeros_like(outputs), outputs])
