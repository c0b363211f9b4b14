"""A network opened up: its logits, whatever it ends in, and what leaves any layer on the way. It is never changed."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import keras
import tensorflow as tf

SATURATING = {"sigmoid", "softmax"}  # what turns logits into probabilities
PASSING = (keras.layers.Dropout, keras.layers.Flatten, keras.layers.Reshape, keras.layers.Identity)
RECTIFIERS = {"relu", "relu6", "leaky_relu", "silu", "swish", "gelu", "elu"}

Values = Sequence[tf.Tensor] | None  # in the place of a model's variables, in their order
Visit = Callable[[str, keras.Operation, tuple, tf.Tensor], tf.Tensor]


class Network:
    """A network as a function of images that gives logits and, on the way, what leaves one of its layers.

    Functional, Sequential or nested models of one input (batch, height, width, channels) and one output: one unit with or
    without a sigmoid, or a unit a class with or without a softmax. Layers of nested models are named `outer/inner`. Nothing is
    added to the model: its layers are called on images, never on symbols. Raises ValueError for any other model.
    """

    def __init__(self, model: keras.Model):
        self.graph = _functional(model)
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
        self.spatial = _spatial(self.graph)

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
        known = dict(_layers(self.graph))
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
            logits = _run(self.graph, images, visit)
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
        return [operation for _, operation in _layers(self.graph) if _functional(operation) is None]

    def substituted(self, values: Values) -> AbstractContextManager:
        """Inside, the model's variables read as these values, in their order; None: as they are."""
        if values is None:
            return nullcontext()
        return keras.StatelessScope(state_mapping=list(zip(self.model.variables, values, strict=True)))

    def backwards(self) -> Iterator[tuple[str, keras.Operation]]:
        """The operations before the logits with their names, the last one first, along first inputs, nested models entered."""
        before_logits = True
        for name, operation in _backwards(self.graph):
            alone = not hasattr(operation, "kernel") and activation(operation) in SATURATING
            before_logits = before_logits and (
                alone or isinstance(operation, PASSING) or _is_linear_activation(operation)
            )
            if not before_logits:
                yield name, operation


def activation(operation: keras.Operation) -> str:
    """Name of the activation that an operation ends in, `linear` where it has none."""
    if isinstance(operation, keras.layers.ReLU):
        return "relu"
    function = getattr(operation, "activation", None)
    if callable(function):
        return getattr(function, "__name__", "linear").lower()
    name = type(operation).__name__.lower()
    return name if name in SATURATING | RECTIFIERS else {"leakyrelu": "leaky_relu"}.get(name, "linear")


def _functional(model: keras.Operation) -> keras.Model | None:
    """The graph of a model's layers, shared with it; None where there is none."""
    if not isinstance(model, keras.Model):
        return None
    try:
        return keras.Model(model.inputs, model.outputs)
    except (AttributeError, ValueError, TypeError):
        return None


def _run(graph: keras.Model, images: tf.Tensor, visit: Visit, prefix: str = "") -> tf.Tensor:
    """What leaves a graph; `visit` sees every operation with its name, and may put something else in place of its output."""

    def call(operation: keras.Operation, *given: tf.Tensor, **named: object) -> tf.Tensor:
        name = prefix + operation.name
        if inner := _functional(operation):
            output = _run(inner, given[0], visit, f"{name}/")
        else:
            inference = {"training": False} if getattr(operation, "_call_has_training_arg", False) else {}
            output = operation(*given, **{**named, **inference})
        return visit(name, operation, given, output)

    output = graph._run_through_graph([images], call_fn=call)
    return output[0] if isinstance(output, list | tuple) else output


def _backwards(graph: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.Operation]]:
    """Every operation that is no input with its name, from the output on along first inputs; of nested models theirs."""
    tensor = graph.outputs[0]
    while True:
        operation, node, _ = tensor._keras_history
        inputs = operation._inbound_nodes[node].input_tensors
        if not inputs:
            return
        if inner := _functional(operation):
            yield from _backwards(inner, f"{prefix}{operation.name}/")
        else:
            yield prefix + operation.name, operation
        tensor = inputs[0]


def _layers(graph: keras.Model, prefix: str = "") -> list[tuple[str, keras.Operation]]:
    """Every operation with its name, those of nested models before the model that holds them, in the order of the graph."""
    found = []
    for operation in graph.operations:
        name = prefix + operation.name
        if inner := _functional(operation):
            found += _layers(inner, f"{name}/")
        if not isinstance(operation, keras.layers.InputLayer):
            found.append((name, operation))
    return found


def _spatial(graph: keras.Model) -> dict[str, tuple[int | None, int | None]]:
    """Layers that give (batch, height, width, channels), with height and width, in order."""
    found = {}
    for name, operation in _layers(graph):
        shape = getattr(operation.output, "shape", ())
        if len(shape) == 4:
            found[name] = tuple(shape[1:3])
    return found


def _end(graph: keras.Model, prefix: str = "") -> str | None:
    """The operation whose activation stands between logits and output; None where the output is logits.

    Raises ValueError for an activation that is no way from logits to probabilities.
    """
    tensor = graph.outputs[0]
    while True:
        operation, node, _ = tensor._keras_history
        if inner := _functional(operation):
            return _end(inner, f"{prefix}{operation.name}/")
        if not (isinstance(operation, PASSING) or _is_linear_activation(operation)):
            break
        tensor = operation._inbound_nodes[node].input_tensors[0]
    ends_in = activation(operation)
    if ends_in == "linear":
        return None
    alone = isinstance(operation, keras.layers.Activation | keras.layers.Softmax) or not hasattr(operation, "kernel")
    if ends_in not in SATURATING or not (alone or isinstance(operation, keras.layers.Dense)):
        raise ValueError(f"{graph.name} ends in {ends_in} of {operation.name}; expected logits, a sigmoid or a softmax")
    return prefix + operation.name


def _is_linear_activation(operation: keras.Operation) -> bool:
    return isinstance(operation, keras.layers.Activation) and activation(operation) == "linear"


def _before_activation(operation: keras.Operation, given: tuple, output: tf.Tensor) -> tf.Tensor:
    """What the last activation gets: the input of an activation by itself, the weighted sum of a dense layer."""
    if not isinstance(operation, keras.layers.Dense):
        return given[0]
    weighted = keras.ops.matmul(given[0], operation.kernel)
    return weighted + operation.bias if operation.use_bias else weighted


@tf.custom_gradient
def _only_positive(values: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    return tf.identity(values), lambda gradient: tf.nn.relu(gradient)
