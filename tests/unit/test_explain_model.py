"""Networks opened up: logits of every head, layers by name, refusals in one line, and a model that stays as it was."""

import keras
import numpy as np
import pytest
from keras import layers

from lib import networks
from lib.explain.explainer import Explainer
from lib.explain.model import Network

IMAGES = np.random.default_rng(7).integers(0, 256, (3, 12, 12, 3)).astype(np.float32)


def body(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2D(4, 3, activation="relu", padding="same", name="first")(layers.Rescaling(1 / 255)(x))
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same", name="second")(layers.MaxPooling2D(2)(x)))
    return layers.Activation("silu", name="last")(x)


def functional(units: int, activation: str | None = None, alone: bool = False, seed: int = 7) -> keras.Model:
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((12, 12, 3))
    x = layers.Dropout(0.5)(layers.GlobalAveragePooling2D()(body(inputs)))
    x = layers.Dense(units, activation=None if alone else activation, bias_initializer="normal", name="head")(x)
    return keras.Model(inputs, layers.Activation(activation)(x) if alone and activation else x)


def sequential() -> keras.Model:
    keras.utils.set_random_seed(7)
    parts = [layers.Conv2D(4, 3, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(3), layers.Softmax()]
    return keras.Sequential([keras.Input((12, 12, 3)), *parts])


def nested() -> keras.Model:
    keras.utils.set_random_seed(7)
    inner, outer = keras.Input((12, 12, 3)), keras.Input((12, 12, 3))
    backbone = keras.Model(inner, body(inner), name="backbone")
    head = keras.Sequential([layers.GlobalAveragePooling2D(), layers.Dense(1, activation="sigmoid")], name="head")
    return keras.Model(outer, head(backbone(outer)))


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(
    ("units", "activation"), [(1, "sigmoid"), (2, "softmax"), (3, "softmax"), (1, None), (3, None)]
)
def test_every_head_gives_logits(units, activation, alone):
    model = functional(units, activation, alone)
    logits, outputs = Explainer(model).logits(IMAGES), model.predict(IMAGES, verbose=0)
    assert logits.shape == (3, max(2, units)) and logits.dtype == np.float32
    if units == 1:
        np.testing.assert_array_equal(logits[:, 0], -logits[:, 1])
        outputs = np.hstack([1 - outputs, outputs]) if activation else np.hstack([-outputs, outputs])
    if activation:
        np.testing.assert_allclose(Explainer(model).probabilities(IMAGES), outputs, atol=1e-6)
    else:
        np.testing.assert_allclose(logits, outputs, rtol=1e-5, atol=1e-6)


def test_logits_do_not_saturate():
    model = functional(1, "sigmoid")
    dense = model.get_layer("head")
    dense.bias.assign([300.0])
    assert (model.predict(IMAGES, verbose=0) == 1).all()
    explainer = Explainer(model)
    assert (np.abs(explainer.logits(IMAGES)[:, 1] - 300) < 10).all()
    assert (explainer.maps("gradients", IMAGES, 1).max(axis=(1, 2)) > 0).all()


@pytest.mark.parametrize("make", [sequential, nested], ids=["sequential", "nested"])
def test_other_ways_to_build_a_network(make):
    model = make()
    explainer, outputs = Explainer(model), model.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(explainer.probabilities(IMAGES)[:, -1], outputs[:, -1], atol=1e-6)
    for method in ("grad_cam", "guided_backpropagation"):
        maps = explainer.maps(method, IMAGES)
        assert maps.shape == (3, 12, 12) and np.isfinite(maps).all() and maps.any(), method


def test_layers_inside_a_nested_model_can_be_explained():
    model = nested()
    assert Network(model).layer() == "backbone"
    inside, flat = Explainer(model, "backbone/last"), Explainer(model)
    np.testing.assert_array_equal(inside.maps("grad_cam", IMAGES, 1), flat.maps("grad_cam", IMAGES, 1))
    earlier = Explainer(model, "backbone/first").maps("grad_cam", IMAGES, 1)
    assert np.abs(earlier - flat.maps("grad_cam", IMAGES, 1)).max() > 1e-6


def test_any_block_can_be_explained_and_the_last_is_found():
    model = functional(1)
    assert Explainer(model).layer == "last"
    assert Explainer(model, "first").raw("grad_cam", IMAGES, 1).shape == (3, 12, 12)
    assert Explainer(model).raw("grad_cam", IMAGES, 1).shape == (3, 6, 6)


def test_a_single_position_is_not_chosen_where_there_are_several():
    inputs = keras.Input((12, 12, 3))
    x = layers.GlobalAveragePooling2D(keepdims=True)(body(inputs))
    model = keras.Model(inputs, layers.Flatten()(layers.Conv2D(3, 1, name="scores")(x)))
    assert Network(model).layer() == "last" and Network(model).layer("scores") == "scores"


def unspatial() -> keras.Model:
    inputs = keras.Input((12, 12, 3))
    return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(inputs)))


class OwnCode(keras.Model):
    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        return images


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda: Explainer(functional(1), "laast"), r"layer 'laast' .* does not exist; such as 'last'"),
        (lambda: Explainer(functional(1), "head"), r"layer 'head' .* has no spatial axes"),
        (lambda: Explainer(OwnCode(name="mine")), r"mine has no graph of layers"),
        (lambda: Explainer(functional(2, "relu")), r"ends in relu of head; expected logits, a sigmoid or a softmax"),
        (lambda: Explainer(keras.Sequential([keras.Input((4,)), layers.Dense(1)])), r"expected one \(batch, height"),
        (lambda: Explainer(functional(1)).maps("gradcam", IMAGES), r"method 'gradcam' does not exist"),
        (lambda: Explainer(functional(1)).maps("grad_cam", IMAGES, 2), r"class 2 does not exist; the network has 2"),
        (lambda: Explainer(functional(1)).maps("grad_cam", IMAGES, [-1, 1, 0]), r"class -1 does not exist"),
        (lambda: Explainer(functional(1)).maps("grad_cam", IMAGES[:, :5]), r"images are of shape \(3, 5, 12, 3\)"),
        (lambda: Explainer(unspatial()).maps("grad_cam", IMAGES, 1), r"no layer with spatial axes"),
    ],
)
def test_refusals_are_one_clear_line(refused, message):
    with pytest.raises(ValueError, match=message) as raised:
        refused()
    assert "\n" not in str(raised.value)


def test_of_no_image_there_is_no_map():
    explainer = Explainer(functional(1))
    assert explainer.maps("grad_cam", IMAGES[:0]).shape == (0, 12, 12)
    with pytest.raises(ValueError, match="method 'gradcam' does not exist"):
        explainer.maps("gradcam", IMAGES[:0])


def test_nothing_of_the_model_changes():
    """Weights, nodes, activations: predictions are equal bit for bit, after every method has been used."""
    model = functional(2, "softmax")
    before, weights = model.predict(IMAGES, verbose=0), model.get_weights()
    state = [(layer.name, len(layer._inbound_nodes), getattr(layer, "activation", None)) for layer in model.layers]
    explainer = Explainer(model)
    for method in explainer.methods:
        explainer.maps(method, IMAGES, 1, [variable.numpy() for variable in model.variables])
        explainer.maps(method, IMAGES)
    after = model.predict(IMAGES, verbose=0)
    assert before.tobytes() == after.tobytes()
    assert all(np.array_equal(old, new) for old, new in zip(weights, model.get_weights(), strict=True))
    assert state == [
        (layer.name, len(layer._inbound_nodes), getattr(layer, "activation", None)) for layer in model.layers
    ]


REGISTRY = [(family, {}) for family in networks.families() if family != "keras_applications"]
REGISTRY += [("keras_applications", {"variant": name}) for name in networks.family("keras_applications").ENDS]
COMPUTED = {
    "simple",
    "xception",
    "unet",
    "efficientnet_lite",
    "MobileNet",
    "EfficientNetB0",
}  # others take long to be traced; their layers are looked up


@pytest.mark.parametrize(("family", "parameters"), REGISTRY, ids=lambda value: str(value))
def test_every_network_of_the_registry_is_opened(family, parameters):
    module = networks.family(family)
    size = networks.minimum_size(family, parameters)
    inputs = keras.Input((size, size, 3))
    features = module.build(inputs, module.Parameters(**parameters))
    model = keras.Model(inputs, layers.Dense(1)(layers.GlobalAveragePooling2D()(features)))
    explainer = Explainer(model)
    averaged = next(layer for layer in model.layers if layer.output is features).name
    assert features.shape[1] == 1 or explainer.layer == averaged
    for name, end in networks.blocks(family, parameters).items():
        assert explainer.network.layer(end) == end, name
    if parameters.get("variant", family) in COMPUTED:
        images = np.random.default_rng(7).integers(0, 256, (2, size, size, 3))
        explainer = Explainer(model, averaged)
        for method in ("grad_cam", "guided_backpropagation"):
            maps = explainer.maps(method, images)
            assert maps.shape == (2, size, size) and np.isfinite(maps).all() and (maps >= 0).all(), method
