"""One network, explained: every method by name, compiled once, batch by batch."""

from collections.abc import Callable, Iterator
from functools import cached_property

import keras
import numpy as np
import tensorflow as tf
from scipy import special

from lib.explain import cam, gradients, names
from lib.explain.model import Network, Values
from lib.explain.occlusion import occlusion

BATCH = 32  # images at a time

Traced = Callable[..., tf.Tensor]


class Explainer:
    """Maps of what a network looks at, in the size of its images.

    model: as `lib.explain.model.Network` takes it; it is left as it is. layer: of the class activation maps; None: the last one
    that has several positions. batch: images that are computed together; memory grows with it, and with nothing else.
    Raises ValueError as `Network` and `Network.layer`.
    """

    def __init__(self, model: keras.Model, layer: str | None = None, batch: int = BATCH):
        self.network, self.batch = Network(model), batch
        self.layer = self.network.layer(layer) if layer or self.network.spatial else None
        self._traced: dict[tuple[str, bool], Traced] = {}

    @cached_property
    def refusals(self) -> dict[str, str]:
        """Methods that cannot explain this network or layer, with the reason."""
        if self.layer is None:
            reason = f"{self.network.model.name} has no layer with spatial axes; use gradients or occlusion"
            return dict.fromkeys([*names.OF_A_LAYER, "guided_grad_cam"], reason)
        try:
            cam.check(self.network, self.layer)
        except ValueError as error:
            return {"cam": str(error)}
        return {}

    @property
    def methods(self) -> list[str]:
        """Names of the methods that can explain this network and layer."""
        return [name for name in names.METHODS if name not in self.refusals]

    def logits(self, images: np.ndarray, values: Values = None) -> np.ndarray:
        """(n, classes) float32, never through a sigmoid or softmax; images: (n, height, width, channels)."""
        forward = self._function("logits", values is not None)
        return np.concatenate([forward(batch, values or []).numpy() for batch, _ in self._batches(images, None)])

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """(n, classes) float: the sigmoid of a single unit's logit, else the softmax. For curves; maps explain logits."""
        logits = self.logits(images)
        return special.expit(logits) if self.network.units == 1 else special.softmax(logits, axis=1)

    def decided(self, images: np.ndarray) -> np.ndarray:
        """The class that the network decides for: (n,) int."""
        return self.logits(images).argmax(axis=1)

    def maps(
        self, method: str, images: np.ndarray, classes: np.ndarray | int | None = None, values: Values = None
    ) -> np.ndarray:
        """A map an image, 0 or more: (n, height, width) float32. What is larger speaks more for the class.

        images: (n, height, width, channels) in the range that the network takes, any number. classes: to explain, one or (n,);
        None: the one that is decided for. values: in the place of the model's variables, in their order. Raises ValueError
        for a method that does not exist, that this network refuses, or a class that it does not have.
        """
        return np.concatenate(list(self.stream(method, images, classes, values)))

    def stream(
        self, method: str, images: np.ndarray, classes: np.ndarray | int | None = None, values: Values = None
    ) -> Iterator[np.ndarray]:
        """As `maps`, a batch at a time, so that memory does not grow with the number of images. `images` may be mapped from
        a file."""
        self._check(method, classes)
        explain = self._function(method, values is not None)
        for batch, index in self._batches(images, classes):
            if index is None:
                index = self._function("logits", False)(batch, []).numpy().argmax(axis=1)
            yield explain(batch, tf.constant(index, tf.int32), values or []).numpy()

    def raw(
        self, method: str, images: np.ndarray, classes: np.ndarray | int, values: Values = None, **options: object
    ) -> np.ndarray:
        """What a method gives before it becomes a map: in the size of the layer, or a number a value of the images."""
        self._check(method, classes)
        pixels, index = next(self._batches(images, classes, len(images)))
        return self._computed(method, pixels, tf.constant(index, tf.int32), values, **options).numpy()

    def _check(self, method: str, classes: np.ndarray | int | None) -> None:
        if method not in names.METHODS:
            raise ValueError(f"method {method!r} does not exist; it is one of: {', '.join(names.METHODS)}")
        if method in self.refusals:
            raise ValueError(self.refusals[method])
        if classes is not None and not np.all(
            (np.asarray(classes) >= 0) & (np.asarray(classes) < self.network.classes)
        ):
            raise ValueError(f"class {np.max(classes)} does not exist; the network has {self.network.classes}")

    def _batches(
        self, images: np.ndarray, classes: np.ndarray | int | None, size: int | None = None
    ) -> Iterator[tuple[tf.Tensor, np.ndarray | None]]:
        wanted = (None, *self.network.input_shape)
        if np.ndim(images) != 4 or any(
            w not in (None, given) for w, given in zip(wanted, np.shape(images), strict=True)
        ):
            raise ValueError(f"images are of shape {np.shape(images)}; the network takes {wanted}")
        every = None if classes is None else np.broadcast_to(classes, len(images))
        for first in range(0, len(images), size or self.batch):
            rows = slice(first, first + (size or self.batch))
            yield tf.constant(np.asarray(images[rows], np.float32)), None if every is None else every[rows]

    def _function(self, method: str, changed: bool) -> Traced:
        """A method as one graph; XLA is slower on CPUs and stays off."""
        key = method, changed
        if key not in self._traced:
            images = tf.TensorSpec((None, *self.network.input_shape), tf.float32)
            variables = self.network.model.variables if changed else []
            values = [tf.TensorSpec(variable.shape, variable.dtype) for variable in variables]
            if method == "logits":

                def compute(pixels: tf.Tensor, values: list) -> tf.Tensor:
                    return self.network.forward(pixels, values=values if changed else None)[0]

                signature = [images, values]
            else:

                def compute(pixels: tf.Tensor, index: tf.Tensor, values: list) -> tf.Tensor:
                    return self._map(method, pixels, index, values if changed else None)

                signature = [images, tf.TensorSpec((None,), tf.int32), values]
            self._traced[key] = tf.function(compute, input_signature=signature, jit_compile=False)
        return self._traced[key]

    def _computed(
        self, method: str, pixels: tf.Tensor, index: tf.Tensor, values: Values, **options: object
    ) -> tf.Tensor:
        if method in names.OF_A_LAYER:
            return getattr(cam, method)(self.network, pixels, index, self.layer, values)
        if method == "occlusion":
            return occlusion(self.network, pixels, index, values, **options)
        if method == "guided_grad_cam":
            coarse = _enlarged(cam.grad_cam(self.network, pixels, index, self.layer, values), pixels)
            return coarse[..., None] * gradients.guided_backpropagation(self.network, pixels, index, values)
        return getattr(gradients, method)(self.network, pixels, index, values, **options)

    def _map(self, method: str, pixels: tf.Tensor, index: tf.Tensor, values: Values) -> tf.Tensor:
        found = self._computed(method, pixels, index, values)
        if method in names.OF_A_LAYER:
            return _enlarged(found, pixels)
        if method == "integrated_gradients":
            return tf.abs(tf.reduce_sum(found, axis=-1))  # what channels add is added
        return found if method == "occlusion" else tf.reduce_max(tf.abs(found), axis=-1)


def _enlarged(maps: tf.Tensor, pixels: tf.Tensor) -> tf.Tensor:
    return tf.image.resize(maps[..., None], tf.shape(pixels)[1:3])[..., 0]
