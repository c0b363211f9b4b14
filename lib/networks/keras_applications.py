"""Published networks as `keras.applications` has them, without their heads: from scratch, or from ImageNet's weights.

Every variant prepares its values itself, as its own `preprocess_input` would. Sources: keras.io/api/applications and the
papers named there.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import h5py
import keras
import numpy as np
from keras import layers
from pydantic import BaseModel, ConfigDict, Field

from lib import networks
from lib import weights as weight_files
from lib.networks._channels import three_channels

INPUT_RANGE = (0.0, 255.0)  # preparing the values is part of every network
MINIMUM_SIZE = 32
MINIMUM_SIZES = {"Xception": 71, "InceptionV3": 75}  # of those that need more: their convolutions are not padded
WEIGHTS = {  # ImageNet's, without the head
    "MobileNet": "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/mobilenet_1_0_224_tf_no_top.h5",
    "ResNet50": "https://storage.googleapis.com/tensorflow/keras-applications/resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "VGG16": "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "DenseNet169": "https://storage.googleapis.com/tensorflow/keras-applications/densenet/densenet169_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "EfficientNetB0": "https://storage.googleapis.com/keras-applications/efficientnetb0_notop.h5",
    "EfficientNetV2B0": "https://storage.googleapis.com/tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b0_notop.h5",
    "InceptionV3": "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "Xception": "https://storage.googleapis.com/tensorflow/keras-applications/xception/xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
}
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # of ImageNet, of values in [0, 1]
BLUE_FIRST_MEAN = np.array([103.939, 116.779, 123.68])  # of ImageNet, in [0, 255]
AUTOMATIC = re.compile(  # names that Keras gives
    r"(?P<kind>activation|add|average_pooling2d|batch_normalization|concatenate|conv2d|max_pooling2d|normalization|rescaling|"
    r"zero_padding2d)(_(?P<number>\d+))?"
)
Variant = Literal[
    "MobileNet", "ResNet50", "VGG16", "DenseNet169", "EfficientNetB0", "EfficientNetV2B0", "InceptionV3", "Xception"
]


class Parameters(BaseModel):
    """Which variant, and what it starts from: weights of ImageNet, those of a file, or none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variant: Variant = "MobileNet"
    weights: Literal["imagenet"] | Path | None = (
        None  # a file: `.weights.h5` or `_notop.h5`, of the network without head
    )
    momentum: float | None = Field(None, ge=0, lt=1)  # of batch normalisation's averages; None: as Keras has it


@keras.saving.register_keras_serializable("lib")
class BlueFirst(layers.Layer):
    """Red and blue change places."""

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """images: (batch, height, width, 3) -> the same shape."""
        return keras.ops.flip(images, axis=-1)


def build(inputs: keras.KerasTensor, parameters: Parameters) -> keras.KerasTensor:
    """inputs: (batch, height, width, 1 or 3) in [0, 255] -> (batch, h, w, d), a 32nd of the size or a little less.

    Layers have the names that Keras gives them in a fresh process. Raises ValueError for another number of channels,
    `lib.weights.WeightsRefused` when the weights cannot be had or do not fit.
    """
    file = networks.weights_file("keras_applications", parameters.model_dump())
    x = prepared(three_channels(inputs, parameters.variant), parameters.variant)
    application = getattr(keras.applications, parameters.variant)
    features = application(include_top=False, weights=None, input_tensor=x).output
    network = keras.Model(x, features)  # its own layers alone, without what leads to x
    _rename(network)
    if parameters.momentum is not None:
        for layer in network.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.momentum = parameters.momentum
    if file:
        _load(network, file, parameters.variant)
    return features


def prepared(x: keras.KerasTensor, variant: str) -> keras.KerasTensor:
    """What the variant's `preprocess_input` makes of images: (batch, height, width, 3) in [0, 255] -> the same shape.

    The two EfficientNets do it in layers of their own.
    """
    if variant in ("MobileNet", "InceptionV3", "Xception"):
        return layers.Rescaling(1 / 127.5, offset=-1, name="prepared")(x)
    if variant == "DenseNet169":
        return layers.Normalization(mean=255 * MEAN, variance=(255 * DEVIATION) ** 2, name="prepared")(x)
    if variant in ("ResNet50", "VGG16"):
        x = BlueFirst(name="blue_first")(x)
        return layers.Normalization(mean=BLUE_FIRST_MEAN, variance=np.ones(3), name="prepared")(x)
    return x


def blocks(parameters: Parameters) -> dict[str, str]:
    """The blocks in order, each with the name of its last layer: where a later part freezes up to."""
    return ENDS[parameters.variant]()


def _mobilenet() -> dict[str, str]:
    return {"stem": "conv1_relu"} | {f"block{number}": f"conv_pw_{number}_relu" for number in range(1, 14)}


def _resnet() -> dict[str, str]:
    names = [f"conv{stage}_block{n}" for stage, count in enumerate((3, 4, 6, 3), start=2) for n in range(1, count + 1)]
    return {"stem": "pool1_pool"} | {name: f"{name}_out" for name in names}


def _vgg() -> dict[str, str]:
    return {f"block{number}": f"block{number}_pool" for number in range(1, 6)}


def _densenet() -> dict[str, str]:
    dense = {f"conv{number}": f"pool{number}_pool" for number in (2, 3, 4)}  # each with the transition after it
    return {"stem": "pool1"} | dense | {"conv5": "relu"}


def _efficientnet(repeats: tuple[int, ...], first: str) -> dict[str, str]:
    """A stage's first block changes the number of filters, so nothing leads around it."""
    ends = {"stem": "stem_activation"}
    for stage, count in enumerate(repeats, start=1):
        for letter in "abcdefgh"[:count]:
            last = "add" if letter > "a" else "project_bn" if stage > 1 else first
            ends[f"block{stage}{letter}"] = f"block{stage}{letter}_{last}"
    return ends | {"top": "top_activation"}


def _inception() -> dict[str, str]:
    return {"stem": "max_pooling2d_1"} | {f"mixed{number}": f"mixed{number}" for number in range(11)}


def _xception() -> dict[str, str]:
    adds = ["add", *(f"add_{number}" for number in range(1, 12))]
    middle = {f"block{number}": add for number, add in enumerate(adds, start=2)}
    return {"block1": "block1_conv2_act"} | middle | {"block14": "block14_sepconv2_act"}


ENDS: dict[str, Callable[[], dict[str, str]]] = {
    "MobileNet": _mobilenet,
    "ResNet50": _resnet,
    "VGG16": _vgg,
    "DenseNet169": _densenet,
    "EfficientNetB0": lambda: _efficientnet((1, 2, 2, 3, 3, 4, 1), "project_bn"),
    "EfficientNetV2B0": lambda: _efficientnet((1, 2, 2, 3, 5, 8), "project_activation"),
    "InceptionV3": _inception,
    "Xception": _xception,
}


def _rename(network: keras.Model) -> None:
    """Keras counts layers without a name through a whole process; here each kind is counted from this network's first."""
    counted: dict[str, dict[int, layers.Layer]] = {}
    for layer in network.layers:
        if automatic := AUTOMATIC.fullmatch(layer.name):
            counted.setdefault(automatic["kind"], {})[int(automatic["number"] or 0)] = layer
    for kind, numbered in counted.items():
        for count, number in enumerate(sorted(numbered)):
            numbered[number].name = f"{kind}_{count}" if count else kind


def _load(network: keras.Model, file: Path, variant: str) -> None:
    """Raises WeightsRefused for a file that is none, or of another network."""
    refused = f"{file} does not hold the weights of {variant} without its head"
    try:
        with h5py.File(file) as content:
            held = _kernels(content)
    except OSError:
        raise weight_files.WeightsRefused(
            f"{file} is no whole file of HDF5's format; give another, or remove it"
        ) from None
    wanted = sorted(tuple(weight.shape) for weight in network.weights if len(weight.shape) > 1)
    if held != wanted:
        raise weight_files.WeightsRefused(
            f"{refused}: its {len(held)} kernels are not the {len(wanted)} of that network"
        )
    try:
        network.load_weights(file)
    except (ValueError, KeyError, OSError) as error:
        raise weight_files.WeightsRefused(f"{refused}: {str(error).splitlines()[0]:.120}") from None
    if variant == "EfficientNetB0":
        _divide_once_more(network.get_layer("normalization"))


def _divide_once_more(normalisation: layers.Normalization) -> None:
    """EfficientNetB0 was trained on values divided by the root of their deviation, too: TensorFlow's issue 49930.

    ImageNet's files hold deviations in the place of variances. Other values are somebody's own, and stay as they are.
    """
    held = np.array([normalisation.adapt_mean, normalisation.adapt_variance])
    if not np.allclose(held, [MEAN, DEVIATION], atol=1e-4):
        return
    normalisation.adapt_variance.assign(normalisation.adapt_variance * DEVIATION)
    normalisation.finalize_state()


def _kernels(content: h5py.File) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    content.visititems(lambda _, item: shapes.append(item.shape) if isinstance(item, h5py.Dataset) else None)
    return sorted(shape for shape in shapes if len(shape) > 1)
