"""Networks of `keras.applications`: the same numbers as Keras' own, cut where their blocks end, from files that fit alone.

Nothing is downloaded: where Keras would, it is given a file of random weights.
"""

import socket
from functools import cache

import h5py
import keras
import numpy as np
import onnxruntime
import pytest
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils import file_utils

from lib import networks, onnx, weights

family = networks.family("keras_applications")
VARIANTS = list(family.WEIGHTS)
MODULES = {
    "MobileNet": "mobilenet", "ResNet50": "resnet50", "VGG16": "vgg16", "DenseNet169": "densenet", "EfficientNetB0":
    "efficientnet", "EfficientNetV2B0": "efficientnet_v2", "InceptionV3": "inception_v3", "Xception": "xception",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


def connected(variant, **parameters) -> keras.Model:
    size = networks.minimum_size("keras_applications", {"variant": variant})
    inputs = keras.Input((size, size, 3), name="image")
    return keras.Model(inputs, family.build(inputs, family.Parameters(variant=variant, **parameters)))


@pytest.fixture(scope="module")
def published(folder):
    """`published(variant)`: Keras' own network as if its weights had been downloaded, a file of them, and what was asked for.

    No two weights are alike, those of normalisations neither.
    """

    @cache
    def make(variant):
        asked, draw = [], np.random.default_rng(7)
        size = networks.minimum_size("keras_applications", {"variant": variant})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(file_utils, "get_file", lambda name, origin, **_: asked.append((name, origin)))
            patch.setattr(keras.Model, "load_weights", lambda *_, **__: None)
            own = getattr(keras.applications, variant)(include_top=False, input_shape=(size, size, 3))
        for weight in own.weights:
            added = 0.01 * draw.uniform(size=weight.shape) if len(weight.shape) == 1 else 0
            # Keras draws MobileNet's depthwise kernels so small that nothing of an image would reach the end
            gain = np.sqrt(weight.shape[2]) if variant == "MobileNet" and tuple(weight.shape[3:]) == (1,) else 1
            weight.assign(gain * np.asarray(weight) * draw.uniform(0.9, 1.1, weight.shape) + added)
        if variant == "EfficientNetB0":  # as published: deviations in the place of variances
            normalisation = own.layers[2]
            normalisation.adapt_mean.assign(family.MEAN)
            normalisation.adapt_variance.assign(family.DEVIATION)
        for layer in own.layers:
            if isinstance(layer, keras.layers.Normalization):
                layer.finalize_state()
        path = folder / f"{variant}_notop.h5"
        with h5py.File(path, "w") as content:
            legacy_h5_format.save_weights_to_hdf5_group(content, own)
        return own, path, asked

    return make


@pytest.fixture(scope="module")
def network(published):
    """`network(variant)`: ours of that file."""
    return cache(lambda variant: connected(variant, weights=published(variant)[1]))


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_keras_own_network_with_its_own_preparation(variant, published, network):
    """The same file, asked for under the same address, gives the same features, to a hundredth of what tells images apart."""
    own, _, asked = published(variant)
    assert asked == [(family.WEIGHTS[variant].rpartition("/")[2], family.WEIGHTS[variant])]
    built = network(variant)
    images = np.random.default_rng(7).uniform(0, 255, (2, *built.input_shape[1:])).astype(np.float32)
    images[1] *= [0.2, 0.6, 1]
    prepared = getattr(keras.applications, MODULES[variant]).preprocess_input(images.copy())
    expected, found = (
        np.asarray(answer(given, training=False)) for answer, given in ((own, prepared), (built, images))
    )
    told_apart = np.abs(expected[0] - expected[1]).max()
    assert told_apart > 1e-4 * np.abs(expected).max() > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.01 * told_apart)


@pytest.mark.parametrize("variant", VARIANTS)
def test_blocks_end_in_cuts_and_the_last_is_the_features(variant, network, reads_past):
    built, ends = network(variant), family.blocks(family.Parameters(variant=variant))
    assert [end for end in ends.values() if reads_past(built, end)] == []
    names = [layer.name for layer in built.layers]
    places = [names.index(end) for end in ends.values()]
    assert places == sorted(set(places)) and built.layers[places[-1]].output is built.output


@pytest.mark.parametrize("variant", VARIANTS)
def test_names_do_not_depend_on_what_was_built_before(variant, network):
    keras.layers.Conv2D(1, 1), keras.layers.Add(), keras.layers.Activation("relu"), keras.layers.ZeroPadding2D()
    numbers = {}
    for layer in network(variant).layers:
        if named := family.AUTOMATIC.fullmatch(layer.name):
            numbers.setdefault(named["kind"], []).append(int(named["number"] or 0))
    assert {kind: sorted(found) for kind, found in numbers.items()} == {
        kind: list(range(len(found))) for kind, found in numbers.items()
    }
    assert not [layer for layer in network(variant).layers if isinstance(layer, keras.Model)]


@pytest.mark.parametrize("variant", VARIANTS)
def test_values_are_prepared_as_keras_prepares_them(variant):
    colours = np.random.default_rng(7).uniform(0, 255, (1, 4, 4, 3)).astype(np.float32)
    inputs = keras.Input(colours.shape[1:])
    found = keras.Model(inputs, keras.layers.Identity()(family.prepared(inputs, variant)))(colours)
    expected = getattr(keras.applications, MODULES[variant]).preprocess_input(colours.copy())
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_newer_files_of_keras_are_read(tmp_path):
    source = keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))
    source.save_weights(tmp_path / "own.weights.h5")
    built = connected("MobileNet", weights=tmp_path / "own.weights.h5")
    for name in ("conv1", "conv_pw_13_bn"):
        for found, expected in zip(built.get_layer(name).weights, source.get_layer(name).weights, strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("power", [0, 3])  # 0: from scratch; 3: saved from what is already divided once more
def test_only_imagenets_own_normalisation_is_divided_once_more(tmp_path, power):
    source = connected("EfficientNetB0")
    values = family.MEAN if power else np.zeros(3), family.DEVIATION**power
    for weight, value in zip(source.get_layer("normalization").weights, values, strict=False):
        weight.assign(value)
    keras.Model(source.get_layer("rescaling").output, source.output).save_weights(tmp_path / "own.weights.h5")
    found = connected("EfficientNetB0", weights=tmp_path / "own.weights.h5").get_layer("normalization")
    np.testing.assert_allclose(np.ravel(found.variance), values[1], rtol=1e-6)


def test_wrong_files_are_refused_in_one_line(published, tmp_path):
    (tmp_path / "text.h5").write_text("no weights")
    whole = keras.applications.MobileNet(weights=None, input_shape=(32, 32, 3), classes=2)
    whole.save_weights(tmp_path / "head.weights.h5")
    shuffled = tmp_path / "shuffled.weights.h5"
    own, *_ = published("VGG16")
    own.save_weights(shuffled)
    with h5py.File(shuffled, "r+") as content:
        content.move("layers/conv2d/vars/0", "layers/conv2d/vars/7")
    wrong = {
        "missing.h5": "do not exist",
        "text.h5": "no whole file of HDF5",
        "head.weights.h5": "of MobileNet without its head",
    }
    for name, message in wrong.items():
        with pytest.raises(weights.WeightsRefused, match=message) as caught:
            connected("MobileNet", weights=tmp_path / name)
        assert "\n" not in str(caught.value) and name in str(caught.value)
    with pytest.raises(weights.WeightsRefused, match="of VGG16 without its head: its 27 kernels are not the 13"):
        connected("VGG16", weights=published("MobileNet")[1])
    with pytest.raises(weights.WeightsRefused, match="does not hold the weights of VGG16 without its head: [^\n]+$"):
        connected("VGG16", weights=shuffled)


def test_what_cannot_be_downloaded_names_the_way_out(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))

    def unreachable(name, origin, **_):
        raise Exception(f"URL fetch failure on {origin}: None -- [Errno -2] Name or service not known")

    monkeypatch.setattr(keras.utils, "get_file", unreachable)
    with pytest.raises(weights.WeightsRefused) as caught:
        connected("MobileNet", weights="imagenet")
    address = family.WEIGHTS["MobileNet"]
    assert str(caught.value) == (
        f"{address.rpartition('/')[2]} cannot be downloaded: [Errno -2] Name or service not known; "
        f"fetch {address} elsewhere and give the file's path as weights"
    )
    assert list((tmp_path / "keras" / "models").iterdir()) == []


def test_downloaded_once_into_keras_own_folder(monkeypatch, tmp_path, published):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    asked, content = [], published("MobileNet")[1].read_bytes()

    def download(name, origin, cache_dir, cache_subdir):
        asked.append(origin)
        (path := tmp_path / "models" / cache_dir.rpartition("/")[2] / name).write_bytes(content)
        return str(path)

    monkeypatch.setattr(keras.utils, "get_file", download)
    first, again = (networks.pretrained("keras_applications", {"weights": "imagenet"}) for _ in range(2))
    assert asked == [family.WEIGHTS["MobileNet"]] and first == again
    assert first == networks.pretrained("keras_applications", {"weights": str(published("MobileNet")[1])})
    assert [path.name for path in (tmp_path / "models").iterdir()] == [asked[0].rpartition("/")[2]]


def test_a_page_in_the_place_of_weights_is_not_kept(monkeypatch, tmp_path, published):
    """A proxy may answer anything with status 200. What an earlier download left is fetched again."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    content, waits = [b"<html>", published("MobileNet")[1].read_bytes()], []
    (file := tmp_path / "models" / family.WEIGHTS["MobileNet"].rpartition("/")[2]).write_bytes(content[0])

    def download(name, origin, cache_dir, cache_subdir):
        waits.append(socket.getdefaulttimeout())
        (path := tmp_path / "models" / cache_dir.rpartition("/")[2] / name).write_bytes(content.pop(0))
        return str(path)

    monkeypatch.setattr(keras.utils, "get_file", download)
    with pytest.raises(weights.WeightsRefused, match="cannot be downloaded: what came is no HDF5 file[^\n]+; fetch"):
        networks.pretrained("keras_applications", {"weights": "imagenet"})
    networks.pretrained("keras_applications", {"weights": "imagenet"})
    assert file.read_bytes().startswith(weights.HDF5) and list((tmp_path / "models").iterdir()) == [file]
    assert waits == [weights.TIMEOUT] * 2 and socket.getdefaulttimeout() is None


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match="network VGG16 takes images of 1 or 3 channels, not 2"):
        family.build(keras.Input((32, 32, 2)), family.Parameters(variant="VGG16"))


def test_the_preparation_is_exported_as_it_is():
    """Channels that change places, and constants that Keras keeps as tensors."""
    inputs = keras.Input((4, 4, 3), name="image")
    built = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(family.prepared(inputs, "VGG16")))
    session = onnxruntime.InferenceSession(onnx.exported(built), providers=["CPUExecutionProvider"])
    images = np.random.default_rng(7).uniform(0, 255, (2, 4, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(session.run(None, {"image": images})[0], built(images), rtol=1e-5, atol=1e-4)
