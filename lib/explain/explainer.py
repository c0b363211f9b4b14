"""One network, explained: every method by name, batch by batch, on four graphs that are traced once."""

from collections.abc import Iterator
from functools import cached_property, partial

import cv2
import keras
import numpy as np
import tensorflow as tf
from scipy import special

from lib.explain import cam, gradients, head, names
from lib.explain.model import Network
from lib.explain.occlusion import occlusion

BATCH = 32  # images at a time
Values = list[np.ndarray] | None  # in the place of the model's variables, in their order; None: as they are


class Explainer:
    """Maps of what a network looks at, in the size of its images.

    model: as `lib.explain.model.Network` takes it; it is left as it is. layer: of the class activation maps; None: the last one
    that has several positions. batch: images that are computed together; memory grows with it, and with nothing else.
    Raises ValueError as `Network` and `Network.layer`.
    """

    def __init__(self, model: keras.Model, layer: str | None = None, batch: int = BATCH):
        self.network, self.batch = Network(model), batch
        self.layer = self.network.layer(layer) if layer or self.network.spatial else None
        self._graphs: dict[str, tf.types.experimental.ConcreteFunction] = {}

    @cached_property
    def refusals(self) -> dict[str, str]:
        """Methods that cannot explain this network or layer, with the reason."""
        if self.layer is None:
            reason = f"{self.network.model.name} has no layer with spatial axes; use gradients or occlusion"
            return dict.fromkeys([*names.OF_A_LAYER, "guided_grad_cam"], reason)
        try:
            head.check(self.network, self.layer)
        except ValueError as error:
            return {"cam": str(error)}
        return {}

    @property
    def methods(self) -> list[str]:
        """Names of the methods that can explain this network and layer."""
        return [name for name in names.METHODS if name not in self.refusals]

    def logits(self, images: np.ndarray, values: Values = None) -> np.ndarray:
        """(n, classes) float32, never through a sigmoid or softmax; images: (n, height, width, channels)."""
        self._check_images(images)
        batches = (images[first : first + self.batch] for first in range(0, len(images), self.batch))
        return np.concatenate([self._computed("logits", batch, None, values) for batch in batches])

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
        if not len(images):
            self._check(method, images, classes)
            return np.empty((0, *np.shape(images)[1:3]), np.float32)
        return np.concatenate(list(self.stream(method, images, classes, values)))

    def stream(
        self, method: str, images: np.ndarray, classes: np.ndarray | int | None = None, values: Values = None
    ) -> Iterator[np.ndarray]:
        """As `maps`, a batch at a time, so that memory does not grow with the number of images, which may be mapped from a
        file."""
        for first in range(0, len(images), self.batch):
            rows = slice(first, first + self.batch)
            index = classes if classes is None or np.ndim(classes) == 0 else classes[rows]
            yield self._map(method, images[rows], index, values)

    def raw(
        self, method: str, images: np.ndarray, classes: np.ndarray | int | None = None, values: Values = None,
        **options: object,
    ) -> np.ndarray:  # fmt: skip
        """What a method gives before it becomes a map, of all images at once: in the size of the layer, or a number a value.

        options: steps and baseline of `gradients.integrated`, share of `occlusion`. Arguments and errors as `maps`.
        """
        self._check(method, images, classes)
        pixels = np.asarray(images, np.float32)
        tensors = values if values is None else [tf.convert_to_tensor(value) for value in values]  # once for all calls
        compute = partial(self._computed, values=tensors)
        index = compute("logits", pixels, None).argmax(axis=1) if classes is None else classes
        index = np.broadcast_to(index, len(pixels)).astype(np.int32)
        if method == "cam":
            return cam.cam(compute("layer", pixels, index)[0], head.weights(self.network, self.layer, index, values))
        if method in names.OF_A_LAYER:
            return getattr(cam, method)(*compute("layer", pixels, index))
        if method == "integrated_gradients":
            return gradients.integrated(lambda between: compute("pixels", between, index), pixels, **options)
        if method == "occlusion":
            return occlusion(
                lambda covered: compute("logits", covered, None)[range(len(index)), index], pixels, **options
            )
        fine = compute("pixels" if method == "gradients" else "guided", pixels, index)
        if method == "guided_grad_cam":
            return fine * enlarged(cam.grad_cam(*compute("layer", pixels, index)), pixels.shape[1:3])[..., None]
        return fine

    def _map(self, method: str, images: np.ndarray, classes: np.ndarray | int | None, values: Values) -> np.ndarray:
        found = self.raw(method, images, classes, values)
        if method in names.OF_A_LAYER:
            return enlarged(found, images.shape[1:3])
        if method == "integrated_gradients":
            return np.abs(found.sum(axis=-1))  # what channels add is added
        return found if method == "occlusion" else np.abs(found).max(axis=-1)

    def _check(self, method: str, images: np.ndarray, classes: np.ndarray | int | None) -> None:
        if method not in names.METHODS:
            raise ValueError(f"method {method!r} does not exist; it is one of: {', '.join(names.METHODS)}")
        if method in self.refusals:
            raise ValueError(self.refusals[method])
        known = self.network.classes
        asked = np.ravel([] if classes is None else classes)
        if (wrong := asked[(asked < 0) | (asked >= known)]).size:
            raise ValueError(f"class {wrong[0]} does not exist; the network has {known}, from 0")
        self._check_images(images)

    def _check_images(self, images: np.ndarray) -> None:
        wanted, given = (None, *self.network.input_shape), np.shape(images)
        if len(given) != 4 or any(w not in (None, g) for w, g in zip(wanted, given, strict=True)):
            raise ValueError(f"images are of shape {given}; the network takes {wanted}")

    def _computed(
        self, what: str, images: np.ndarray, index: np.ndarray | None, values: Values
    ) -> np.ndarray | list[np.ndarray]:
        """What one of the graphs gives for a batch: logits; what leaves the layer, and its gradient; a gradient of pixels."""
        if what not in self._graphs:
            self._graphs[what] = self.network.traced(what, self.layer)
        variables = values if values is not None else [variable.value for variable in self.network.model.variables]
        given = [np.asarray(images, np.float32)] + ([] if index is None else [index])
        answer = self._graphs[what](*map(tf.constant, given), [tf.convert_to_tensor(value) for value in variables])
        return [each.numpy() for each in answer] if isinstance(answer, tuple | list) else answer.numpy()


def enlarged(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Maps in the size of their images, between positions as a straight line: (n, h, w) -> (n, height, width) float32."""
    return np.stack([cv2.resize(each, size[::-1], interpolation=cv2.INTER_LINEAR) for each in maps])
