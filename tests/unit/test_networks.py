"""Every file of the registry is a family that keeps the contract."""

import keras
import numpy as np
import pytest

from lib import atomic, networks, weights
from lib.networks._channels import three_channels


def test_families_are_the_files():
    assert "simple" in networks.families() and networks.families() == sorted(networks.families())
    assert all(networks.source(name).is_file() for name in networks.families())


@pytest.mark.parametrize("use", [networks.source, networks.family])
def test_unknown_network_says_which_exist(use):
    with pytest.raises(ValueError, match="network 'resnet9000' does not exist; it is one of: .*simple"):
        use("resnet9000")


@pytest.mark.parametrize("name", networks.families())
def test_family_keeps_the_contract(name):
    family = networks.family(name)
    low, high = family.INPUT_RANGE
    inputs = keras.Input((family.MINIMUM_SIZE, family.MINIMUM_SIZE, 3))
    features = family.build(inputs, family.Parameters())
    assert len(features.shape) == 4 and min(features.shape[1:]) >= 1
    images = np.random.default_rng(7).uniform(low, high, (2, *inputs.shape[1:])).astype(np.float32)
    assert np.isfinite(np.asarray(keras.Model(inputs, features)(images))).all()
    with pytest.raises(ValueError, match="no_such_setting"):
        family.Parameters(no_such_setting=1)


def test_simple_network_is_as_wide_as_asked():
    family = networks.family("simple")
    features = family.build(keras.Input((36, 36, 1)), family.Parameters(filters=(4, 6)))
    assert features.shape[1:] == (2, 2, 6)
    with pytest.raises(ValueError, match="filters"):
        family.Parameters(filters=(8, 0))


@pytest.mark.parametrize("name", networks.families())
def test_minimum_size_is_read_without_loading_the_network(name):
    assert networks.minimum_size(name) == networks.family(name).MINIMUM_SIZE


def test_some_variants_need_more_pixels():
    sizes = {
        variant: networks.minimum_size("keras_applications", {"variant": variant}) for variant in ("VGG16", "Xception")
    }
    assert sizes == {"VGG16": 32, "Xception": 71}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("xception", {"stem": (4, 6), "sizes": (8, 10, 12)}),
        ("efficientnet_lite", {"variant": "lite0"}),
        ("efficientnet_lite", {"variant": "lite2"}),
    ],
)
def test_blocks_end_in_cuts_and_the_last_is_the_features(name, parameters, reads_past):
    family, ends = networks.family(name), networks.blocks(name, parameters)
    inputs = keras.Input((32, 32, 3))
    built = keras.Model(inputs, family.build(inputs, family.Parameters(**parameters)))
    assert [end for end in ends.values() if reads_past(built, end)] == []
    names = [layer.name for layer in built.layers]
    places = [names.index(end) for end in ends.values()]
    assert places == sorted(set(places)) and built.layers[places[-1]].output is built.output
    within = "block_1_separable_2" if name == "xception" else "block2b_expand_convolution"
    assert reads_past(built, within)  # the residual leads around it


def test_a_network_without_blocks_has_none():
    assert networks.blocks("simple", {}) == {}


def test_grey_is_repeated_and_other_channels_are_refused():
    grey, colour = keras.Input((4, 4, 1)), keras.Input((4, 4, 3))
    assert three_channels(colour, "vgg16") is colour
    images = np.random.default_rng(7).uniform(0, 255, (2, 4, 4, 1)).astype(np.float32)
    found = keras.Model(grey, three_channels(grey, "vgg16"))(images)
    np.testing.assert_array_equal(found, images.repeat(3, axis=-1))
    with pytest.raises(ValueError, match="network vgg16 takes images of 1 or 3 channels, not 4"):
        three_channels(keras.Input((4, 4, 4)), "vgg16")


@pytest.mark.parametrize("name", ["efficientnet_lite", "keras_applications"])
def test_a_file_of_ones_own_decides_the_key(name, tmp_path):
    path = tmp_path / "own.weights.h5"
    with pytest.raises(
        weights.WeightsRefused, match="own.weights.h5 do not exist; give the path of a file, `imagenet`, or"
    ):
        networks.pretrained(name, {"weights": str(path)})
    path.write_bytes(b"first")
    assert networks.pretrained(name, {"weights": str(path)})[0] == atomic.sha256(b"first")
    path.write_bytes(b"second")
    assert networks.pretrained(name, {"weights": path})[0] == atomic.sha256(b"second")
    assert networks.pretrained(name, {"weights": None}) == []


def test_what_families_share_is_among_the_sources_of_each():
    shared = {path.stem for path in networks.sources("efficientnet_lite")} - {"efficientnet_lite"}
    assert shared == {path.stem for path in networks.sources("simple")} - {"simple"} == {"_channels"}
