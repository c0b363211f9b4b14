"""A network opened up: its logits, whatever it ends in, and what leaves any layer on the way. It is never changed."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import keras
import tensorflow as tf

from lib.explain import operations
from lib.explain.operations import PASSING, RECTIFIERS, SATURATING, activation

Values = Sequence[tf.Tensor] | None  # in the place of a model's variables, in their order


class Network:
    """A network as a function of images that gives logits and, on the way, what leaves one of its layers.

    Functional, Sequential or nested models of one input (batch, height, width, channels) and one output: one unit with or
    without a sigmoid, or a unit a class with or without a softmax. Layers of nested models are named `outer/inner`. Nothing is
    added to the model: its layers are called on images, never on symbols. Raises ValueError for any other model.
    """

    def __init__(self, model: keras.Model):
        self.graph = operations.functional(model)
        if self.graph is None:
            raise ValueError(f"{model.name} has no graph of layers; give a built Sequential or a functional model")
        shapes = [tensor.shape for tensor in (*self.graph.inputs, *self.graph.outputs)]
        if len(shapes) != 2 or len(shapes[0]) != 4 or len(shapes[1]) != 2:
            raise ValueError(
                f"{model.name} has inputs and outputs of shapes {shapes}; expected one (batch, height, width, channels) and "
                "one (batch, classes)"
            )
        self.model = model
        self.input_shape: tuple[int | None, ...] = tuple(shapes[0][1:])
        self.units = shapes[1][1]
        self.end = _end(self.graph)
        self.spatial = operations.spatial(self.graph)

    @property
    def classes(self) -> int:
        """How many classes there are to explain: two of a single unit."""
        return max(2, self.units)

    def layer(self, name: str | None = None) -> str:
        """The layer of that name; by default the last one that has several positions.

        Raises ValueError where there is none, or where it has no spatial axes.
        """
        if name is None:
            wide = [name for name, (height, width) in self.spatial.items() if height is None or height * width > 1]
            if not self.spatial:
                raise ValueError(
                    f"no layer of {self.model.name} has spatial axes; explain it by occlusion or gradients"
                )
            return (wide or list(self.spatial))[-1]
        if name in self.spatial:
            return name
        known = dict(operations.layers(self.graph))
        nearest = difflib.get_close_matches(name, list(self.spatial), n=1) or list(self.spatial)[-1:]
        why = "has no spatial axes" if name in known else "does not exist"
        raise ValueError(f"layer {name!r} of {self.model.name} {why}; such as {', '.join(map(repr, nearest))} do")

    def forward(
        self,
        images: tf.Tensor,
        layer: str | None = None,
        values: Values = None,
        guided: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Logits (n, classes) float32 in inference mode, and what leaves `layer`: (n, h, w, channels), or None.

        images: (n, height, width, channels) float32 as the model takes them. The logit of class 0 of a single unit is minus its
        logit. values: in the place of the model's variables, in their order. guided: on the way back only what is above zero
        passes the output of a rectifier.
        """
        seen: dict[str, tf.Tensor] = {}

        def visit(name: str, operation: keras.Operation, given: tuple, output: tf.Tensor) -> tf.Tensor:
            if name == self.end:
                output = _before_activation(operation, given, output)
            elif guided and activation(operation) in RECTIFIERS:
                output = _only_positive(output)
            seen[name] = output
            return output

        with self.substituted(values):
            logits = operations.run(self.graph, images, visit)
        logits = tf.reshape(tf.cast(logits, tf.float32), (-1, self.units))
        logits = tf.concat([-logits, logits], axis=1) if self.units == 1 else logits
        return logits, None if layer is None else seen[layer]

    def traced(self, what: str, layer: str | None) -> tf.types.experimental.ConcreteFunction:
        """One graph for batches of any length: images, class indices (n,) where a gradient is asked for, the variables' values.

        what: `logits`, (n, classes); `layer`: what leaves the layer, and the gradient of the logits of those classes with
        respect to it; `pixels`: that gradient with respect to the images; `guided`: the same, guided. All float32. XLA is slower
        on CPUs and stays off.
        """

        def logits(images: tf.Tensor, values: Values) -> tf.Tensor:
            return self.forward(images, values=values)[0]

        def gradient(images: tf.Tensor, index: tf.Tensor, values: Values) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(images)
                given, features = self.forward(images, layer if what == "layer" else None, values, what == "guided")
                score = tf.gather(given, index, batch_dims=1)
            if what != "layer":
                return tape.gradient(score, images)
            return tf.cast(features, tf.float32), tf.cast(tape.gradient(score, features), tf.float32)

        values = [tf.TensorSpec(variable.shape, variable.dtype) for variable in self.model.variables]
        images, index = tf.TensorSpec((None, *self.input_shape), tf.float32), tf.TensorSpec((None,), tf.int32)
        if what == "logits":
            return tf.function(logits, jit_compile=False).get_concrete_function(images, values)
        return tf.function(gradient, jit_compile=False).get_concrete_function(images, index, values)

    def parts(self) -> list[keras.Operation]:
        """Every operation in the order of the graph, those inside nested models too, but no model."""
        return [operation for _, operation in operations.layers(self.graph) if operations.functional(operation) is None]

    def substituted(self, values: Values) -> AbstractContextManager:
        """Inside, the model's variables read as these values, in their order; None: as they are."""
        if values is None:
            return nullcontext()
        return keras.StatelessScope(state_mapping=list(zip(self.model.variables, values, strict=True)))

    def backwards(self) -> Iterator[tuple[str, keras.Operation]]:
        """The operations before the logits with their names, the last one first, along first inputs, nested models entered."""
        before_logits = True
        for name, operation in operations.backwards(self.graph):
            alone = not hasattr(operation, "kernel") and activation(operation) in SATURATING
            before_logits = before_logits and (
                alone or isinstance(operation, PASSING) or operations.is_linear_activation(operation)
            )
            if not before_logits:
                yield name, operation


def _end(graph: keras.Model, prefix: str = "") -> str | None:
    """The operation whose activation stands between logits and output; None where the output is logits.

    Raises ValueError for an activation that is no way from logits to probabilities.
    """
    tensor = graph.outputs[0]
    while True:
        operation, node, _ = tensor._keras_history
        if inner := operations.functional(operation):
            return _end(inner, f"{prefix}{operation.name}/")
        if not (isinstance(operation, PASSING) or operations.is_linear_activation(operation)):
            break
        tensor = operation._inbound_nodes[node].input_tensors[0]
    ends_in = activation(operation)
    if ends_in == "linear":
        return None
    alone = isinstance(operation, keras.layers.Activation | keras.layers.Softmax) or not hasattr(operation, "kernel")
    if ends_in not in SATURATING or not (alone or isinstance(operation, keras.layers.Dense)):
        raise ValueError(f"{graph.name} ends in {ends_in} of {operation.name}; expected logits, a sigmoid or a softmax")
    return prefix + operation.name


def _before_activation(operation: keras.Operation, given: tuple, output: tf.Tensor) -> tf.Tensor:
    """What the last activation gets: the input of an activation by itself, the weighted sum of a dense layer."""
    if not isinstance(operation, keras.layers.Dense):
        return given[0]
    weighted = keras.ops.matmul(given[0], operation.kernel)
    return weighted + operation.bias if operation.use_bias else weighted


@tf.custom_gradient
def _only_positive(values: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    return tf.identity(values), lambda gradient: tf.nn.relu(gradient)
