"""The reduced Xception: as large as computed by hand, never below four pixels, everything in it used."""

import keras
import numpy as np
import pytest

from lib import networks, sanity
from lib.training import checks, determinism

NARROW = {"stem": (4, 6), "sizes": (8, 10, 12), "momentum": 0.9}
XCEPTION = networks.family("xception")


@pytest.fixture(autouse=True)
def as_in_training():
    determinism.fix(threads=1, seed=7)


def network(size: int = 16, channels: int = 1, **parameters) -> keras.Model:
    inputs = keras.Input((size, size, channels))
    features = XCEPTION.build(inputs, XCEPTION.Parameters(**parameters))
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    return keras.Model(inputs, keras.layers.Dense(1)(pooled))


def by_hand(channels: int, stem: tuple[int, int], sizes: tuple[int, ...]) -> int:
    """Kernels and biases of every convolution, four numbers a channel of every normalisation, and the head."""

    def convolution(kernel: int, before: int, after: int) -> int:
        return kernel**2 * before * after + after

    def separable(before: int, after: int) -> int:
        return 9 * before + before * after + after + 4 * after

    first, before = stem
    total = convolution(3, channels, first) + 4 * first + convolution(3, first, before) + 4 * before
    for size in sizes[:-1]:
        total += separable(before, size) + separable(size, size) + convolution(1, before, size)
        before = size
    return total + separable(before, sizes[-1]) + sizes[-1] + 1


@pytest.mark.parametrize(
    ("channels", "stem", "sizes"),
    [(3, (32, 64), (128, 256, 512, 728, 1024)), (1, (8, 16), (16, 32, 64, 128)), (1, NARROW["stem"], NARROW["sizes"])],
)
def test_parameters_are_as_many_as_computed_by_hand(channels, stem, sizes):
    assert network(16, channels, stem=stem, sizes=sizes).count_params() == by_hand(channels, stem, sizes)


def test_the_defaults_are_those_of_the_document():
    assert network(16, 3).count_params() == by_hand(3, (32, 64), (128, 256, 512, 728, 1024)) == 2_782_649


@pytest.mark.parametrize(
    ("size", "sides"),
    [
        (204, [51, 26, 13, 7, 7]),
        (32, [8, 4, 4, 4, 4]),
        (8, [4, 4, 4, 4, 4]),
        (10, [5, 5, 5, 5, 5]),
        (14, [4, 4, 4, 4, 4]),
    ],
)
def test_no_block_pools_below_four_pixels(size, sides):
    built = network(size, stem=(2, 2), sizes=(2, 2, 2, 2, 3))
    names = [f"block_{number}_add" for number in range(1, 5)] + ["final_activation_1"]
    assert [built.get_layer(name).output.shape[1] for name in names] == sides


def test_every_layer_lies_between_image_and_logits_and_learns():
    built = network(**NARROW)
    backbone = keras.Model(built.input, built.get_layer("final_activation_1").output)
    checks.connected(backbone, built)
    checks.reads_input(built)
    images = np.random.default_rng(7).integers(0, 256, (4, 16, 16, 1), np.uint8)
    checks.gradients(built, images, np.array([0, 1, 0, 1]))


def test_the_widest_network_answers_to_its_input():
    checks.reads_input(network(16, 3))


def test_the_residual_branch_carries_the_block():
    """Without its separable convolutions a block is its projection: what enters still arrives."""
    built = network(**NARROW)
    for number in (1, 2):
        layer = built.get_layer(f"block_1_normalisation_{number}")
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    pieces = keras.Model(
        built.input, [built.get_layer(name).output for name in ("block_1_add", "block_1_projection", "block_1_pooling")]
    )
    whole, projection, pooled = map(np.asarray, pieces(np.full((1, 16, 16, 1), 200, np.uint8)))
    assert not pooled.any() and projection.any() and np.array_equal(whole, projection)


def test_momentum_is_that_of_every_normalisation():
    found = {layer.momentum for layer in network(**NARROW).layers if isinstance(layer, keras.layers.BatchNormalization)}
    assert found == {0.9}
    assert XCEPTION.Parameters().momentum == 0.99


def test_the_first_filters_are_those_of_the_stem():
    built = network(**NARROW)
    kernel = built.get_layer("stem_convolution_1").kernel.numpy()
    assert np.array_equal(sanity.first_filters(built), kernel.sum(axis=2, keepdims=True))


def test_layers_are_named_in_order():
    names = [layer.name for layer in network(**NARROW).layers]
    places = [names.index(f"{part}_{kind}_1") for part, kind in (("stem", "convolution"), ("final", "separable"))]
    blocks = [names.index(f"block_{number}_add") for number in (1, 2)]
    assert places[0] < blocks[0] < blocks[1] < places[1]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"stem": (32,)}, "stem"),
        ({"stem": (32, 0)}, "stem"),
        ({"sizes": (128,)}, "sizes"),
        ({"sizes": ()}, "sizes"),
        ({"sizes": (128, -1)}, "sizes"),
        ({"momentum": 1.0}, "momentum"),
        ({"momentum": -0.1}, "momentum"),
        ({"width": 3}, "width"),
    ],
)
def test_what_cannot_be_built_is_refused_by_its_field(parameters, field):
    with pytest.raises(ValueError, match=field):
        XCEPTION.Parameters(**parameters)
