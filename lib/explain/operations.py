"""The operations of a graph of layers, those of nested models too: in order, backwards, and run on images."""

from collections.abc import Callable, Iterator

import keras
import tensorflow as tf

SATURATING = {"sigmoid", "softmax"}  # what turns logits into probabilities
PASSING = (keras.layers.Dropout, keras.layers.Flatten, keras.layers.Reshape, keras.layers.Identity)
RECTIFIERS = {"relu", "relu6", "leaky_relu", "silu", "swish", "gelu", "elu"}

Visit = Callable[[str, keras.Operation, tuple, tf.Tensor], tf.Tensor]


def activation(operation: keras.Operation) -> str:
    """Name of the activation that an operation ends in, `linear` where it has none."""
    if isinstance(operation, keras.layers.ReLU):
        return "relu"
    function = getattr(operation, "activation", None)
    if callable(function):
        return getattr(function, "__name__", "linear").lower()
    name = type(operation).__name__.lower()
    return name if name in SATURATING | RECTIFIERS else {"leakyrelu": "leaky_relu"}.get(name, "linear")


def functional(model: keras.Operation) -> keras.Model | None:
    """The graph of a model's layers, shared with it; None where there is none."""
    if not isinstance(model, keras.Model):
        return None
    try:
        return keras.Model(model.inputs, model.outputs)
    except (AttributeError, ValueError, TypeError):
        return None


def run(graph: keras.Model, images: tf.Tensor, visit: Visit, prefix: str = "") -> tf.Tensor:
    """What leaves a graph; `visit` sees every operation with its name, and may put something else in place of its output."""

    def call(operation: keras.Operation, *given: tf.Tensor, **named: object) -> tf.Tensor:
        name = prefix + operation.name
        if inner := functional(operation):
            output = run(inner, given[0], visit, f"{name}/")
        else:
            inference = {"training": False} if getattr(operation, "_call_has_training_arg", False) else {}
            output = operation(*given, **{**named, **inference})
        return visit(name, operation, given, output)

    output = graph._run_through_graph([images], call_fn=call)
    return output[0] if isinstance(output, list | tuple) else output


def backwards(graph: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.Operation]]:
    """Every operation that is no input with its name, from the output on along first inputs; of nested models theirs."""
    tensor = graph.outputs[0]
    while True:
        operation, node, _ = tensor._keras_history
        inputs = operation._inbound_nodes[node].input_tensors
        if not inputs:
            return
        if inner := functional(operation):
            yield from backwards(inner, f"{prefix}{operation.name}/")
        else:
            yield prefix + operation.name, operation
        tensor = inputs[0]


def layers(graph: keras.Model, prefix: str = "") -> list[tuple[str, keras.Operation]]:
    """Every operation with its name, those of nested models before the model that holds them, in the order of the graph."""
    found = []
    for operation in graph.operations:
        name = prefix + operation.name
        if inner := functional(operation):
            found += layers(inner, f"{name}/")
        if not isinstance(operation, keras.layers.InputLayer):
            found.append((name, operation))
    return found


def spatial(graph: keras.Model) -> dict[str, tuple[int | None, int | None]]:
    """Layers that give (batch, height, width, channels), with height and width, in order."""
    found = {}
    for name, operation in layers(graph):
        shape = getattr(operation.output, "shape", ())
        if len(shape) == 4:
            found[name] = tuple(shape[1:3])
    return found


def is_linear_activation(operation: keras.Operation) -> bool:
    """Whether an operation is an activation that changes nothing."""
    return isinstance(operation, keras.layers.Activation) and activation(operation) == "linear"
