"""Methods held against what they must come to: theorems, networks small enough for a pencil, a peer."""

import keras
import numpy as np
import psutil
import pytest
from keras import layers
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus

from lib.explain import cam, head
from lib.explain.explainer import Explainer

IMAGES = np.random.default_rng(7).uniform(0, 1, (4, 16, 16, 3)).astype(np.float32)


def network(units: int = 3, hidden: bool = False, activation: str = "relu", pooling: bool = True) -> keras.Model:
    keras.utils.set_random_seed(5)
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(6, 3, padding="same", activation=activation)(inputs)
    x = layers.Conv2D(5, 3, strides=2, padding="same", name="convolution")(x)
    x = layers.Activation(activation, name="last")(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(x) if pooling else layers.Flatten()(x)
    x = layers.Dense(4, activation="relu")(x) if hidden else x
    return keras.Model(inputs, layers.Dense(units)(x))


@pytest.mark.parametrize("units", [1, 2, 3])
def test_cam_is_grad_cam_up_to_scale_where_one_linear_layer_follows_the_average(units):
    """The gradient of a logit with respect to each position is the class's weight over the number of positions."""
    explainer = Explainer(network(units))
    for index in range(max(2, units)):
        ours, theirs = (explainer.raw(method, IMAGES, index) for method in ("cam", "grad_cam"))
        np.testing.assert_allclose(ours / 64, theirs, rtol=1e-4, atol=1e-7)


def test_cam_is_the_sum_of_channels_weighted_by_the_kernel():
    model = network()
    features = keras.Model(model.input, model.get_layer("last").output)(IMAGES).numpy()
    expected = np.maximum(0, features @ model.layers[-1].kernel.numpy()[:, 2])
    np.testing.assert_allclose(Explainer(model).raw("cam", IMAGES, 2), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "layer", "said"),
    [
        (lambda: network(hidden=True), None, "ends in Dense on Dense"),
        (lambda: network(pooling=False), None, "ends in Dense on Activation"),
        (network, "convolution", "explains 'last', the layer that is averaged, not 'convolution'"),
    ],
)
def test_cam_refuses_other_heads_and_layers_and_says_what_to_use(model, layer, said):
    explainer = Explainer(model(), layer)
    assert "cam" not in explainer.methods
    with pytest.raises(ValueError, match=f"{said}.*Grad-CAM"):
        explainer.maps("cam", IMAGES)


def test_cam_of_a_hidden_layer_with_a_dropout_between_is_no_refusal():
    inputs = keras.Input((16, 16, 3))
    x = layers.Conv2D(3, 3, name="averaged")(inputs)
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
    assert head.found(Explainer(model).network)[0] == "averaged"


def test_cam_enters_heads_and_poolings_of_nested_models():
    flat = network()
    averaged = flat.get_layer("last").output
    head_alone = keras.Sequential([keras.Input(averaged.shape[1:]), layers.GlobalAveragePooling2D(), layers.Dense(3)])
    outer = keras.Model(flat.input, head_alone(averaged))
    pooled = keras.Model(flat.input, layers.GlobalAveragePooling2D()(averaged), name="pooled")
    images = keras.Input(flat.input_shape[1:])
    inner = keras.Model(images, layers.Dense(3)(pooled(images)))
    for model, layer in ((outer, "last"), (inner, "pooled/last")):
        model.layers[-1].set_weights(flat.layers[-1].get_weights())
        explainer = Explainer(model)
        assert explainer.layer == layer and head.found(explainer.network)[0] == layer
        np.testing.assert_allclose(
            explainer.raw("cam", IMAGES, 2), Explainer(flat).raw("cam", IMAGES, 2), rtol=1e-5, atol=1e-6
        )


def by_hand(images: np.ndarray, index: int, limit: float) -> np.ndarray:
    """One pixel: z = W x, a = min(max(z, 0), limit), y = V a; clipped at zero behind the rectifier only."""
    w, v = np.array([[1.0, -2.0], [3.0, 1.0]]), np.array([[2.0, -1.0], [-1.0, 4.0]])
    z = images.reshape(-1, 2) @ w
    behind = np.maximum(v[:, index], 0) * ((z > 0) & (z < limit))
    return behind @ w.T


@pytest.mark.parametrize("limit", [np.inf, 6.0])
@pytest.mark.parametrize("index", [0, 1])
def test_guided_gradients_are_those_of_a_network_computed_by_hand(limit, index):
    images = np.array([[1.0, 0.5], [-1.0, 1.0], [2.0, 3.0], [0.2, -0.4]], np.float32).reshape(4, 1, 1, 2)
    inputs = keras.Input((1, 1, 2))
    x = layers.Conv2D(2, 1, use_bias=False, activation="relu" if limit == np.inf else "relu6")(inputs)
    model = keras.Model(inputs, layers.Dense(2, use_bias=False)(layers.Flatten()(x)))
    model.set_weights([np.array([[1.0, -2.0], [3.0, 1.0]]).reshape(1, 1, 2, 2), np.array([[2.0, -1.0], [-1.0, 4.0]])])
    found = Explainer(model).raw("guided_backpropagation", images, index).reshape(-1, 2)
    np.testing.assert_allclose(found, by_hand(images, index, limit), atol=1e-6)
    plain = Explainer(model).raw("gradients", images, index).reshape(-1, 2)
    assert np.abs(plain - found).max() > 0.5


def test_guided_is_plain_where_nothing_on_the_way_back_is_below_zero():
    model = network(1)
    model.set_weights([np.abs(weights) for weights in model.get_weights()])
    guided, plain = (Explainer(model).raw(method, IMAGES, 1) for method in ("guided_backpropagation", "gradients"))
    np.testing.assert_allclose(guided, plain, rtol=1e-5)


def test_the_slope_of_silu_stays_its_own():
    inputs = keras.Input((1, 1, 1))
    model = keras.Model(inputs, layers.Dense(2, use_bias=False)(layers.Flatten()(layers.Activation("silu")(inputs))))
    model.set_weights([np.array([[2.0, -3.0]])])
    x = np.array([-2.0, 0.5], np.float32)
    s = 1 / (1 + np.exp(-x))
    slope = s + x * s * (1 - s)
    pixels = x.reshape(2, 1, 1, 1)
    explainer = Explainer(model)
    np.testing.assert_allclose(explainer.raw("guided_backpropagation", pixels, 0).ravel(), 2 * slope, rtol=1e-5)
    np.testing.assert_allclose(explainer.raw("guided_backpropagation", pixels, 1).ravel(), 0, atol=1e-7)


def test_guided_grad_cam_is_the_product():
    explainer = Explainer(network(1, hidden=True))
    coarse, fine = explainer.maps("grad_cam", IMAGES, 1), explainer.raw("guided_backpropagation", IMAGES, 1)
    np.testing.assert_allclose(
        explainer.raw("guided_grad_cam", IMAGES, 1), coarse[..., None] * fine, rtol=1e-4, atol=1e-9
    )


@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_integrated_gradients_add_up_to_the_difference_of_logits(activation):
    model = network(2, hidden=True, activation=activation)
    explainer, black = Explainer(model), np.zeros_like(IMAGES)
    grey = np.broadcast_to(IMAGES.mean(axis=(1, 2), keepdims=True), IMAGES.shape).copy()
    for baseline, start in ((black, black), (None, grey)):
        found = explainer.raw("integrated_gradients", IMAGES, 1, steps=64, baseline=baseline)
        difference = (explainer.logits(IMAGES) - explainer.logits(start))[:, 1]
        np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), difference, rtol=2e-2, atol=2e-4)


def test_occlusion_marks_the_only_place_that_matters():
    inputs = keras.Input((16, 16, 1))
    mask = np.zeros((16, 16, 1), np.float32)
    mask[3:6, 10:13] = 1
    sums = layers.Flatten()(layers.Multiply()([inputs, keras.ops.convert_to_tensor(mask[None])]))
    weights = np.ones((256, 1), np.float32)
    model = keras.Model(inputs, layers.Dense(1, kernel_initializer=keras.initializers.Constant(weights))(sums))
    images = np.zeros((2, 16, 16, 1), np.float32)
    images[:, 3:6, 10:13] = 100
    found = Explainer(model).maps("occlusion", images, 1)
    row, column = np.unravel_index(found[0].argmax(), (16, 16))
    assert 2 <= row <= 6 and 9 <= column <= 13 and found[0, 12:, :4].max() == 0
    assert (Explainer(model).maps("occlusion", images, 0) == 0).all()  # covering it only helps the other class


def test_grad_cam_plus_plus_by_hand():
    """One channel of two positions: gradients 1 and 2, features 3 and 0."""
    features, gradients = np.array([3.0, 0.0]).reshape(1, 1, 2, 1), np.array([1.0, 2.0]).reshape(1, 1, 2, 1)
    shares = np.array([1 / (2 + 3 * 1), 4 / (8 + 3 * 8)])
    weight = (shares / shares.sum() * [1, 2]).sum()
    np.testing.assert_allclose(cam.grad_cam_plus_plus(features, gradients).ravel(), [3 * weight, 0], rtol=1e-6)
    assert (cam.grad_cam_plus_plus(features, -gradients) == 0).all()
    assert (cam.grad_cam_plus_plus(features, 0 * gradients) == 0).all()


PEERS = {"grad_cam": Gradcam, "grad_cam_plus_plus": GradcamPlusPlus}


@pytest.mark.parametrize("method", PEERS)
def test_class_activation_maps_are_those_of_tf_keras_vis(method):
    model = network(3, hidden=True)
    theirs = PEERS[method](model)(
        lambda outputs: outputs[:, 1], IMAGES, penultimate_layer="last", seek_penultimate_conv_layer=False,
        expand_cam=False, normalize_cam=False,
    )  # fmt: skip
    maps = np.asarray(theirs), Explainer(model).raw(method, IMAGES, 1)
    theirs, ours = (each / each.max(axis=(1, 2), keepdims=True) for each in maps)
    assert np.abs(ours - theirs).max() < 1e-4


def test_batches_are_the_whole_and_each_image_is_explained_by_itself():
    explainer = Explainer(network(2), batch=3)
    classes = np.array([0, 1, 1, 0])
    for method in explainer.methods:
        maps = explainer.maps(method, IMAGES, classes)
        assert maps.shape == (4, 16, 16) and maps.dtype == np.float32 and (maps >= 0).all()
        alone = explainer.maps(method, IMAGES[3:], 0)
        np.testing.assert_allclose(maps[3], alone[0], rtol=1e-3, atol=1e-3 * max(1e-9, alone.max()))


def test_without_a_class_the_one_that_is_decided_for_is_explained():
    explainer = Explainer(network(3))
    decided = explainer.decided(IMAGES)
    np.testing.assert_array_equal(explainer.maps("grad_cam", IMAGES), explainer.maps("grad_cam", IMAGES, decided))


def test_memory_is_flat_over_ten_thousand_images(tmp_path):
    """What a stream of maps adds to the memory of this process after its first thousand images."""
    images = np.lib.format.open_memmap(tmp_path / "images.npy", "w+", np.uint8, (10_000, 32, 32, 3))
    inputs = keras.Input((32, 32, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, strides=4, activation="relu")(inputs))
    explainer = Explainer(keras.Model(inputs, layers.Dense(1)(x)), batch=250)

    def own_bytes() -> int:
        found = psutil.Process().memory_info()
        return found.rss - found.shared  # without the pages of the file

    held, number = [], 0
    for maps in explainer.stream("grad_cam", images, 1):
        number += len(maps)
        held.append(own_bytes())
    assert number == 10_000
    assert held[-1] - held[3] < 10_000_000, f"{held[-1] - held[3]:,} bytes more"  # all maps together take 40 million
