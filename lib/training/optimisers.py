"""Keras' optimisers, with a share of the rate for each weight."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


class _Shared:
    """An optimiser that multiplies its rate by a number for each weight."""

    def __init__(self, learning_rate: float, shares: Sequence[float]):
        super().__init__(learning_rate)
        self.shares = list(shares)  # in the order of the weights that it is built for

    def update_step(self, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        """One step of one weight."""
        share = self.shares[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * share)


class Adam(_Shared, keras.optimizers.Adam):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980)."""


class SGD(_Shared, keras.optimizers.SGD):
    """Plain stochastic gradient descent."""


OPTIMISERS = {"adam": Adam, "sgd": SGD}
