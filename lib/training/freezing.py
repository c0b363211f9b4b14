"""Which layers learn in a phase, and the cut up to which none does."""

import math
from dataclasses import dataclass

import keras
from keras.layers import BatchNormalization, Layer

from lib import networks
from lib.training.configuration import Configuration, Phase
from lib.training.operations import InTraining

LAST = "global_average"  # of what can be frozen: its layer gives the features


@dataclass(frozen=True)
class Depth:
    """How much of a network learns in a phase."""

    blocks: tuple[str, ...]  # of the backbone, where a layer learns, in order
    layers: int  # that learn, those of the head among them
    parameters: int  # that learn
    cut: str | None  # the layer that everything passes, up to which nothing learns; None where there is none
    shares: dict[str, float]  # path of a weight of the backbone that learns -> its share of the rate


class Partly(keras.Model):
    """A network that is frozen up to a cut: what is frozen answers as in inference, in training as well."""

    def __init__(self, changing: keras.Model, frozen: keras.Model, learning: keras.Model):
        super().__init__(name="partly")
        self.changing, self.frozen, self.learning = changing, frozen, learning

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Of the images."""
        return self.changing.input_shape

    def call(self, images: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Images in [0, 255] -> logits."""
        answers = self.frozen(self.changing(images, training=training), training=False)
        return self.learning(answers, training=training)


def check(configuration: Configuration) -> None:
    """Raises ValueError where a phase asks for more blocks than the network has."""
    network = configuration.network
    depths = [phase.unfrozen for phase in configuration.phases if phase.unfrozen not in ("all", 0)]
    if depths and max(depths) > (most := len(networks.blocks(network.family, network.parameters)) or 1):
        raise ValueError(
            f"unfrozen {max(depths):g} is more than network {network.family} has blocks: they are {most}; "
            'give at most as many, or "all"'
        )


def apply(network: keras.Model, ends: dict[str, str], phase: Phase) -> Depth:
    """Let those layers learn that a phase unfreezes, and the head. The network must be compiled afterwards.

    network: as `model.build` makes it. ends: of `networks.blocks`. Of a block that is unfrozen in part, those of its layers with
    weights learn that are nearest to the output, their number rounded up. The head learns with the whole rate, the last
    block with `rate_by_block` of it, the one before with the square of that (Howard and Ruder 2018, arXiv:1801.06146).
    """
    found = by_block(network, ends)
    depth = len(found) if phase.unfrozen == "all" else phase.unfrozen
    shares: dict[Layer, float] = {}
    for place, layers in enumerate(reversed(found.values())):
        number = math.ceil(round(min(max(depth - place, 0), 1) * len(layers), 6))
        shares |= dict.fromkeys(layers[len(layers) - number :], phase.rate_by_block ** (place + 1))
    for layer in [layer for layers in found.values() for layer in layers]:
        normalises = phase.frozen_normalisation and isinstance(layer, BatchNormalization)
        layer.trainable = layer in shares and not normalises
    frozen = math.floor(len(found) - depth)
    return Depth(
        blocks=tuple(name for name, layers in found.items() if any(layer.trainable for layer in layers)),
        layers=sum(bool(layer.trainable_weights) for layer in network.layers),
        parameters=sum(math.prod(weight.shape) for weight in network.trainable_weights),
        cut=None if not frozen else LAST if frozen == len(found) else ends[list(found)[frozen - 1]],
        shares={weight.path: share for layer, share in shares.items() for weight in layer.trainable_weights},
    )


def by_block(network: keras.Model, ends: dict[str, str]) -> dict[str, list[Layer]]:
    """The layers with weights of each block, those nearest to the output last: block -> layers."""
    last = next(reversed(ends), "backbone")
    ends = ends | {last: LAST}  # what follows the last block belongs to it
    found, before = {}, set()
    for name, end in ends.items():
        up_to = {id(layer) for layer in _between(network.input, network, end).layers}
        found[name] = [layer for layer in network.layers if id(layer) in up_to - before and layer.weights]
        before = up_to
    return found


def parts(network: keras.Model, cut: str) -> tuple[keras.Model, keras.Model, keras.Model]:
    """What changes images in training alone, what is frozen up to the cut, what comes after it; layers are shared."""
    acting = [layer for layer in network.layers if isinstance(layer, InTraining) or layer.name == "input_dropout"]
    images = acting[-1].output if acting else network.input
    after = keras.Model(network.get_layer(cut).output, network.output)
    return keras.Model(network.input, images), _between(images, network, cut), after


def _between(start: keras.KerasTensor, network: keras.Model, end: str) -> keras.Model:
    return keras.Model(start, network.get_layer(end).output)
