"""Exactly what a phase unfreezes learns, at the rate it is given; what is frozen stays as it is, its averages as well."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from lib import networks
from lib.training import freezing, initial, model, train
from lib.training.configuration import Control, Head, Network, Phase, Storing
from tests.unit.test_training import configuration, tiny

ENDS = {"stem": "stem_activation_2", "block_1": "block_1_add", "block_2": "block_2_add", "final": "final_activation_1"}
SMALL = Network(family="xception", parameters={"stem": [2, 4], "sizes": [4, 6, 8], "momentum": 0.5, "dropout": 0.3})
LAYERS = {
    "stem": ["stem_convolution_1", "stem_normalisation_1", "stem_convolution_2", "stem_normalisation_2"],
    "block_1": ["block_1_separable_1", "block_1_normalisation_1", "block_1_separable_2", "block_1_normalisation_2"],
    "block_2": ["block_2_separable_1", "block_2_normalisation_1", "block_2_separable_2", "block_2_normalisation_2"],
    "final": ["final_separable_1", "final_normalisation_1"],
}  # fmt: skip
STORED = {"phases": [{"epochs": 1, "unfrozen": 0}], "storing": {}}


@pytest.fixture(scope="module", autouse=True)
def blocks_of_the_small_network():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks.family("xception"), "blocks", lambda parameters: ENDS, raising=False)
        yield


def small(network: Network = SMALL, **changes) -> keras.Model:
    return initial.build(configuration(network=network, **changes), tiny())


def learning(network: keras.Model) -> set[str]:
    return {layer.name for layer in network.layers if layer.trainable_weights}


def test_layers_of_a_block_are_in_their_order_and_every_layer_is_in_one():
    found = freezing.by_block(small(), ENDS)
    names = {block: [layer.name for layer in layers] for block, layers in found.items()}
    for block in ("block_1", "block_2"):
        names[block].remove(f"{block}_projection")
    assert names == LAYERS


@pytest.mark.parametrize(
    ("unfrozen", "blocks", "cut"),
    [
        (0, [], "global_average"),
        (1, ["final"], "block_2_add"),
        (2, ["block_2", "final"], "block_1_add"),
        (4, ["stem", "block_1", "block_2", "final"], None),
        ("all", ["stem", "block_1", "block_2", "final"], None),
    ],
)
def test_whole_blocks_learn_from_the_end_and_the_head_always(unfrozen, blocks, cut):
    network = small(head=Head(hidden=(5,)))
    depth = freezing.apply(network, ENDS, Phase(epochs=1, unfrozen=unfrozen))
    expected = {layer.name for block in blocks for layer in freezing.by_block(network, ENDS)[block]}
    assert learning(network) == expected | {"hidden_1", "logits"}
    assert (list(depth.blocks), depth.cut, depth.layers) == (blocks, cut, len(expected) + 2)
    assert depth.parameters == sum(weight.numpy().size for weight in network.trainable_weights)
    freezing.apply(network, ENDS, Phase(epochs=1))
    assert len(learning(network)) == 18, "what was frozen is not unfrozen again"


@pytest.mark.parametrize(
    ("unfrozen", "last", "cut"),
    [
        (0.5, ["final_normalisation_1"], "block_2_add"),
        (0.1, ["final_normalisation_1"], "block_2_add"),  # one layer at the least
        (1.4, [*LAYERS["final"], "block_2_normalisation_2"], "block_1_add"),  # and the projection
        (3.3, None, None),  # nothing before the first block to cut at
    ],
)
def test_of_a_block_in_part_the_layers_nearest_to_the_output_learn(unfrozen, last, cut):
    network = small()
    depth = freezing.apply(network, ENDS, Phase(epochs=1, unfrozen=unfrozen))
    names = learning(network) - {"logits", "block_2_projection"}
    assert depth.cut == cut
    assert names == set(last) if last else {"stem_convolution_2", "stem_normalisation_2"} <= names
    assert "stem_convolution_1" not in names and "stem_normalisation_1" not in names


def test_a_share_of_a_block_takes_that_share_of_its_layers():
    for share, number in ((0.2, 1), (0.4, 2), (0.6, 3), (0.61, 4), (1, 5)):
        network = small()
        freezing.apply(network, ENDS, Phase(epochs=1, unfrozen=1 + share))
        assert len(learning(network)) == 3 + number, share


def test_a_network_without_blocks_is_one():
    network = initial.build(configuration(), tiny())
    for unfrozen, names in ((0, set()), (0.5, {"convolution_2"}), (1, {"convolution_1", "convolution_2"})):
        assert networks.blocks("simple", {}) == {}
        depth = freezing.apply(network, {}, Phase(epochs=1, unfrozen=unfrozen))
        assert learning(network) == names | {"logits"} and depth.blocks == (("backbone",) if names else ())
    with pytest.raises(
        ValueError, match="^unfrozen 2 is more than network simple has blocks: they are 1; give at most"
    ):
        initial.build(configuration(phases=[Phase(epochs=1, unfrozen=2)]), tiny())


def test_blocks_of_the_published_network_end_where_they_say():
    published = configuration(image_size=32, network=Network(family="efficientnet_lite"), recipe=configuration().recipe)
    network, ends = initial.build(published, tiny()), networks.blocks("efficientnet_lite", {})
    found = freezing.by_block(network, ends)
    backbone = [layer.name for layer in network.layers if layer.weights and layer.name != "logits"]
    assert [layer.name for layers in found.values() for layer in layers] == backbone and len(found) == len(ends) == 18
    assert all(layer.name.startswith(f"{block}_") for block, layers in found.items() for layer in layers)
    with pytest.raises(ValueError, match='than network efficientnet_lite has blocks: they are 18; give .* or "all"$'):
        initial.build(published.model_copy(update={"phases": (Phase(epochs=1, unfrozen=18.5),)}), tiny())


@pytest.mark.parametrize("still", [False, True])
def test_what_is_frozen_stays_bit_for_bit_and_so_do_its_averages(tmp_path, still):
    phase = Phase(epochs=2, optimiser="sgd", learning_rate=0.1, unfrozen=2, frozen_normalisation=still)
    settings = configuration(network=SMALL, phases=[phase])
    before = {weight.path: weight.numpy() for weight in initial.build(settings, tiny()).weights}
    network, _ = train.train(settings, tiny(), tmp_path)
    moved = {path for weight in network.weights if (before[path := weight.path] != weight.numpy()).any()}
    frozen = ("stem", "block_1", *(["block_2_normalisation", "final_normalisation"] if still else []))
    assert moved == {path for path in before if not path.startswith(frozen)}
    assert still or {path for path in moved if "moving" in path}


def test_frozen_blocks_answer_as_in_inference_while_the_rest_trains():
    network, images = small(augmentation=[{"kind": "flip"}]), tiny().train.pixels[:8].astype(np.float32)
    freezing.apply(network, ENDS, Phase(epochs=1, unfrozen=1))
    changing, frozen, after = freezing.parts(network, "block_2_add")
    np.testing.assert_allclose(freezing.Partly(changing, frozen, after)(images), network(images), atol=1e-6)
    assert (np.asarray(changing(images, training=True)) != images).any()
    expected = np.asarray(frozen(images, training=False))
    assert (np.asarray(frozen(images, training=True)) != expected).any()
    same, passed = keras.Model(network.input, network.input), keras.Model(after.input, after.input)
    np.testing.assert_allclose(freezing.Partly(same, frozen, passed)(images, training=True), expected, atol=1e-6)


def step(phase: Phase) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], freezing.Depth]:
    """One step on one batch: gradients, and how far each weight went."""
    network = small(network=SMALL.model_copy(update={"parameters": SMALL.parameters | {"dropout": 0}}))
    images, labels = tiny().train.pixels[::3].astype(np.float32), tiny().train.labels[::3].astype(np.float32)
    depth = freezing.apply(network, ENDS, phase)
    model.compile_for(network, phase, 2, shares=depth.shares)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, network(images, training=True)[:, 0]))
    gradients = tape.gradient(loss, [weight.value for weight in network.trainable_weights])
    before = {weight.path: weight.numpy() for weight in network.trainable_weights}
    network.train_on_batch(images, labels)
    moved = {weight.path: before[weight.path] - weight.numpy() for weight in network.trainable_weights}
    return dict(zip(before, map(np.asarray, gradients), strict=True)), moved, depth


SHARES = {"logits": 1, "final": 0.5, "block_2": 0.25}


def test_each_block_learns_with_its_share_of_the_rate_of_the_one_after_it():
    phase = Phase(epochs=1, optimiser="sgd", learning_rate=0.2, unfrozen=2, rate_by_block=0.5)
    gradients, moved, _ = step(phase)
    assert {path.split("_")[0].split("/")[0] for path in moved} == {"logits", "final", "block"}
    for path, went in moved.items():
        share = next(share for start, share in SHARES.items() if path.startswith(start))
        np.testing.assert_allclose(went, 0.2 * share * gradients[path], atol=1e-6, err_msg=path)


def test_the_first_step_of_adam_is_its_share_of_the_rate():
    phase = Phase(epochs=1, learning_rate=0.01, unfrozen=2, rate_by_block=0.5)
    gradients, moved, _ = step(phase)
    for path, went in moved.items():
        share = next(share for start, share in SHARES.items() if path.startswith(start))
        felt = np.abs(gradients[path]) > 1e-4
        np.testing.assert_allclose(np.abs(went[felt]), 0.01 * share, rtol=5e-2, err_msg=path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unfrozen": 0, "rate_by_block": 0.5}, "acts on blocks that learn, but unfrozen is 0"),
        ({"unfrozen": -1}, "greater than or equal to 0"),
        ({"unfrozen": "half"}, "'all'"),
        ({"rate_by_block": 0}, "greater than 0"),
    ],
)
def test_phases_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Phase(epochs=1, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine": "onnx"}, 'engine "onnx" computes what is stored alone; give storing, or engine "keras"'),
        ({"storing": Storing()}, "storing never acts: no phase freezes a block"),
        (STORED | {"mixing": {"kind": "mixup"}}, "mixing changes images at every step"),
        (STORED | {"control": Control(input_dropout=0.5)}, "input_dropout changes images at every step"),
        (STORED | {"storing": {"copies": 2}}, "2 copies of images that are not augmented are equal"),
    ],
)
def test_storing_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        configuration(**changes)


@pytest.mark.parametrize(
    ("width", "expected"),
    [(1280, 32), (32, 4), (35, 4), (36, 8), (512, 16), (1024, 32), (1664, 32), (2048, 32), (2304, 64), (4, 2), (1, 1)],
)
def test_square_root_of_a_width_is_the_nearest_power_of_two_the_larger_one_in_the_middle(width, expected):
    powers = 2 ** np.arange(8)
    nearest = powers[::-1][np.argmin(np.abs(powers - np.sqrt(width))[::-1])]
    assert model.widths(["square root"], width) == [expected] == [nearest]


def test_dense_layers_of_the_head_stand_between_features_and_logits():
    network = small(head=Head(hidden=("square root", 7, "square root"), dropout=0.2))
    names = [layer.name for layer in network.layers][-6:]
    assert names == ["global_average", "head_dropout", "hidden_1", "hidden_2", "hidden_3", "logits"]
    hidden = [network.get_layer(f"hidden_{number}") for number in (1, 2, 3)]
    assert [(layer.units, layer.activation.__name__) for layer in hidden] == [(2, "relu"), (7, "relu"), (2, "relu")]
