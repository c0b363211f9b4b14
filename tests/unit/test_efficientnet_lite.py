"""EfficientNet-Lite as published: sizes, blocks, and weights that name a cat."""

import cv2
import keras
import numpy as np
import pytest
from skimage import data

from lib import networks, steps, weights
from lib.training import determinism, model
from lib.training.configuration import Configuration, Network, Phase

EGYPTIAN_CAT = 285  # of ImageNet's classes
PRETRAINED = {"variant": "lite0", "weights": "imagenet"}
family = networks.family("efficientnet_lite")


@pytest.fixture(scope="module", autouse=True)
def as_in_training():
    """TensorFlow's threads can be set once in a process: as the tests of training want them."""
    determinism.fix(threads=1, seed=7)


def connected(size=32, **parameters):
    inputs = keras.Input((size, size, 3))
    return keras.Model(inputs, family.build(inputs, family.Parameters(**parameters)))


@pytest.mark.parametrize(("variant", "published"), [("lite0", 4_652_008), ("lite1", 5_416_680), ("lite2", 6_092_072)])
def test_variants_have_the_published_number_of_parameters(variant, published):
    network = connected(variant=variant)
    trained = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    assert trained + family.TOP * family.CLASSES + family.CLASSES == published
    assert network.output_shape == (None, 1, 1, 1280)


def test_blocks_end_in_layers_that_follow_one_another():
    network = connected()
    names = [layer.name for layer in network.layers]
    blocks = family.blocks(family.Parameters())
    ends = [names.index(layer) for layer in blocks.values()]
    assert ends == sorted(ends) and ends[-1] == len(names) - 1
    stages = {
        "stem": "",
        "block1": "a",
        "block2": "ab",
        "block3": "ab",
        "block4": "abc",
        "block5": "abc",
        "block6": "abcd",
    }
    stages |= {"block7": "a", "top": ""}
    assert list(blocks) == [stage + letter for stage, letters in stages.items() for letter in letters or [""]]
    for block, first, last in zip(blocks, [0, *(end + 1 for end in ends)], ends, strict=False):
        own = [name for name in names[first : last + 1] if name.startswith(("stem", "block", "top"))]
        assert own and all(name.startswith(f"{block}_") for name in own), block


def test_values_are_centred_and_normalised_as_published():
    """Said apart from the cat, who is robust enough to survive other values."""
    network = connected()
    np.testing.assert_array_equal(
        network.get_layer("rescaling")(np.float32([127, 255, 0])), np.float32([0, 1, -127 / 128])
    )
    normalisations = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(normalisations) == 49 and {layer.epsilon for layer in normalisations} == {1e-3}


@pytest.mark.parametrize("variant", list(family.SCALES))
def test_a_cat_is_an_egyptian_cat(variant):
    """The whole chain: axes of the kernels, order of the statistics, range of values, padding."""
    size = family.SCALES[variant][-1]
    image = cv2.resize(data.chelsea(), (size, size), interpolation=cv2.INTER_AREA)
    logits = family.imagenet_classifier(size, family.Parameters(variant=variant))(image[np.newaxis].astype(np.float32))
    assert np.asarray(logits).argmax() == EGYPTIAN_CAT and keras.ops.softmax(logits)[0, EGYPTIAN_CAT] > 0.6


def test_training_starts_from_the_published_weights():
    network = Network(family="efficientnet_lite", parameters=PRETRAINED)
    recipe = (steps.Grey(), steps.Resize(), steps.RepeatChannels())
    run = Configuration(
        dataset="elpv", recipe=recipe, image_size=32, network=network, phases=(Phase(epochs=1),), seed=7
    )
    built = model.build(run, 1, np.array([0, 1]), 2)
    state = weights.read(weights.find(family.WEIGHTS["lite0"]))
    stem, depthwise = state["_conv_stem.weight"], state["_blocks.5._depthwise_conv.weight"]
    np.testing.assert_array_equal(built.get_layer("stem_convolution").kernel, stem.transpose(2, 3, 1, 0))
    kernel = built.get_layer("block4a_depthwise_convolution").kernel  # the same height and width: a cat survives a swap
    np.testing.assert_array_equal(np.asarray(kernel)[..., 0], depthwise[:, 0].transpose(1, 2, 0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("_blocks.3._bn1.running_var"), "weights of _blocks.3._bn1 are not all there"),
        (lambda state: state.update(extra=np.zeros(3, np.float32)), "1 tensors belong to no layer: extra"),
        (lambda state: state.update({"_bn0.bias": np.zeros(33, np.float32)}), "_bn0: float32 of \\(33,\\)"),
        (lambda state: state.update({"_bn0.bias": np.zeros(32, np.int64)}), "_bn0: int64"),
        (lambda state: state.update({"_bn0.bias": np.full(32, np.nan, np.float32)}), "_bn0"),
        (lambda state: state.update({"_conv_stem.weight": np.zeros((3, 32, 3, 3), np.float32)}), "_conv_stem"),
    ],
)
def test_weights_that_do_not_fit_are_refused(monkeypatch, change, message):
    state = weights.read(weights.find(family.WEIGHTS["lite0"]))
    change(state)
    monkeypatch.setattr(weights, "read", lambda _: state)
    with pytest.raises(weights.WeightsRefused, match=message):
        connected(**PRETRAINED)


def test_grey_enters_as_repeated_colour(tmp_path):
    """And a file of one's own is read as that of the package."""
    own = tmp_path / "own.pth"
    own.write_bytes(weights.find(family.WEIGHTS["lite0"]).read_bytes())
    grey = np.random.default_rng(7).uniform(0, 255, (1, 32, 32, 1)).astype(np.float32)
    inputs = keras.Input((32, 32, 1))
    found = keras.Model(inputs, family.build(inputs, family.Parameters(weights=own)))(grey)
    np.testing.assert_allclose(found, connected(**PRETRAINED)(grey.repeat(3, axis=-1)), atol=1e-5)
    with pytest.raises(ValueError, match="network lite0 takes images of 1 or 3 channels, not 2"):
        family.build(keras.Input((32, 32, 2)), family.Parameters())


def test_keys_follow_the_weights_only_where_they_are_used(monkeypatch, tmp_path):
    assert networks.pretrained("simple", {}) == networks.pretrained("efficientnet_lite", {"variant": "lite1"}) == []
    before = networks.pretrained("efficientnet_lite", PRETRAINED)
    assert before == networks.pretrained("efficientnet_lite", {"weights": "imagenet"}) and len(before) == 2
    other = tmp_path / "other.pth"
    other.write_bytes(b"other")
    monkeypatch.setattr(weights, "find", lambda package: other)
    assert networks.pretrained("efficientnet_lite", PRETRAINED) != before
    with pytest.raises(
        weights.WeightsRefused, match="nobody published weights of lite9; those of lite0, lite1, lite2 are"
    ):
        networks.pretrained("efficientnet_lite", {"variant": "lite9", "weights": "imagenet"})
