"""Every step keeps type, shape and range, whatever image comes, or says in one line what it cannot take."""

from typing import get_args

import keras
import numpy as np
import pytest
from pydantic import TypeAdapter

from lib import recipes, steps

KINDS = [
    kind for kind in get_args(get_args(steps.AnyStep)[0]) if kind is not steps.Mask
]  # it asks a network: test_masks.py
SETTINGS = {"stack": {"channels": [[], [{"step": "clahe"}]]}, "hide": {"which": "centre", "share": 0.5}}
ADAPTER = TypeAdapter(steps.Recipe)


def made(kind):
    """A step of a kind, with the settings that it cannot do without."""
    name = kind.model_fields["step"].default
    return kind.model_validate({"step": name, **SETTINGS.get(name, {})})


PIXEL_STEPS = [step for step in map(made, KINDS) if not step.in_graph]
GRAPH_STEPS = [step for step in map(made, KINDS) if step.in_graph]
named = {"ids": lambda step: step.step}


def images(shape):
    generator = np.random.default_rng(7)
    noise = generator.integers(0, 256, shape, dtype=np.uint8)
    return [np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8), noise, np.uint8(7 * (noise > 128))]


def test_every_step_is_one_of_the_two_kinds():
    assert len(PIXEL_STEPS) + len(GRAPH_STEPS) == len({step.step for step in map(made, KINDS)}) >= 16
    assert all(isinstance(step, steps.PixelStep) for step in PIXEL_STEPS)
    assert all(isinstance(step, steps.GraphStep) for step in GRAPH_STEPS)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 20_000), (3000, 1), (37, 53)])
@pytest.mark.parametrize("step", PIXEL_STEPS, **named)
def test_grey_images_of_any_shape_pass(step, shape):
    for image in images(shape):
        before = image.copy()
        found = step.apply(image, 16)
        assert found.dtype == np.uint8 and found.ndim in (2, 3) and 0 not in found.shape
        np.testing.assert_array_equal(image, before)
        np.testing.assert_array_equal(step.apply(image, 16), found)


@pytest.mark.parametrize("shape", [(1, 1, 3), (37, 53, 3)])
@pytest.mark.parametrize("step", PIXEL_STEPS, **named)
def test_colour_images_pass_or_grey_is_asked_for(step, shape):
    for image in images(shape):
        if step.step in ("otsu", "multi_otsu", "stack"):
            with pytest.raises(ValueError, match="`grey`"):
                step.apply(image, 16)
        else:
            found = step.apply(image, 16)
            assert found.dtype == np.uint8 and found.shape[2:] == (() if step.step == "grey" else (3,))


@pytest.mark.parametrize("step", PIXEL_STEPS, **named)
def test_images_of_two_channels_pass_or_are_refused_in_one_line(step):
    for image in images((12, 9, 2)):
        try:
            assert step.apply(image, 16).shape[2] == 2
        except ValueError as error:
            assert "channel" in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("step", GRAPH_STEPS, **named)
def test_steps_of_the_graph_stay_within_the_range_that_they_declare(step):
    inputs = keras.Input((12, 9, 1))
    model = keras.Model(inputs, step.connect(inputs))
    batch = np.stack(images((12, 9, 1)))
    together = np.asarray(model(batch))
    low, high = step.range_after(*steps.step.PIXELS)
    assert together.dtype == np.float32 and np.isfinite(together).all()
    assert low <= together.min() and together.max() <= high
    for image, expected in zip(batch, together, strict=True):  # each image by itself
        np.testing.assert_allclose(np.asarray(model(image[None]))[0], expected, atol=1e-5)


def values(step, image):
    """What a step of the graph gives for one image."""
    inputs = keras.Input(image.shape)
    return np.asarray(keras.Model(inputs, step.connect(inputs))(image[None]))[0]


def test_z_score_has_mean_zero_and_deviation_one_over_all_channels():
    image = np.random.default_rng(7).integers(90, 140, (20, 20, 3), dtype=np.uint8)
    found = values(steps.ZScore(), image)
    np.testing.assert_allclose([found.mean(), found.std()], [0, 1], atol=1e-4)
    np.testing.assert_allclose(found, (image - image.mean()) / image.std(), atol=1e-4)
    assert np.abs(values(steps.ZScore(clip=0.5), image)).max() == 0.5


def test_constant_images_become_zero():
    flat = np.full((8, 8, 1), 255, np.uint8)
    assert not values(steps.ZScore(), flat).any() and not values(steps.GlobalContrastNormalisation(), flat).any()


def test_global_contrast_normalisation_leaves_weak_images_weak():
    weak, strong = (np.random.default_rng(7).normal(128, spread, (32, 32, 1)).astype(np.float32) for spread in (1, 40))
    assert values(steps.GlobalContrastNormalisation(), weak).std() < 0.2
    assert values(steps.GlobalContrastNormalisation(), strong).std() > 0.95
    expected = (strong - strong.mean()) / np.sqrt(100 + strong.var())
    np.testing.assert_allclose(values(steps.GlobalContrastNormalisation(clip=9), strong), expected, atol=1e-4)


def test_rescale_maps_the_range_so_far_onto_another():
    recipe = (steps.ZScore(clip=2), steps.Rescale(to=(0, 255)))
    inputs = keras.Input((4, 4, 1))
    image = np.zeros((1, 4, 4, 1), np.uint8)
    image[0, 0, 0] = 255
    found = np.asarray(keras.Model(inputs, steps.connect(recipe, inputs))(image))[0, ..., 0]
    assert found[0, 0] == 255  # cut off at two deviations
    np.testing.assert_allclose(found[1:], 127.5 * (1 - 1 / np.sqrt(15) / 2), rtol=1e-4)
    assert steps.final_range(recipe) == (0, 255) and steps.final_range(recipe[:1]) == (-2, 2)


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (np.zeros((4, 4), np.uint16), "uint16 of shape"),
        (np.zeros((4, 4), np.float32), "float32 of shape"),
        (np.zeros((0, 4), np.uint8), r"shape \(0, 4\)"),
        (np.zeros(4, np.uint8), r"shape \(4,\)"),
    ],
)
def test_what_is_no_decoded_image_is_refused(image, problem):
    with pytest.raises(ValueError, match=rf"uint8, this is.*{problem}"):
        steps.apply((steps.Resize(),), image, 4)


NO_IMAGES = {
    "nothing": None,
    "list": [[1, 2], [3, 4]],
    "uint16": np.zeros((4, 4), np.uint16),
    "not a number": np.full((4, 4), np.nan, np.float32),
    "one channel": np.zeros((60, 80, 1), np.uint8),
    "empty": np.zeros((0, 4), np.uint8),
    "one axis": np.zeros(4, np.uint8),
}


@pytest.mark.parametrize("name", NO_IMAGES)
@pytest.mark.parametrize("step", PIXEL_STEPS, **named)
def test_no_step_takes_what_is_no_decoded_image(step, name):
    with pytest.raises(ValueError, match="uint8, this is .*; (decode it|give image)") as caught:
        step.apply(NO_IMAGES[name], 16)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [0, -4, "32", 1.5, None])
@pytest.mark.parametrize("step", PIXEL_STEPS, **named)
def test_no_step_takes_a_size_that_is_none(step, size):
    with pytest.raises(ValueError, match=f"size is {size!r}; expected a whole number of pixels, 1 or more"):
        step.apply(np.zeros((4, 4), np.uint8), size)


@pytest.mark.parametrize("step", [steps.Grey(), steps.Colour(), steps.Clahe(), steps.NonLocalMeans()], **named)
def test_transparent_images_are_refused_with_advice(step):
    with pytest.raises(
        ValueError, match="one or three channels, this has 4; leave out what is no colour, such as alpha"
    ):
        step.apply(np.zeros((4, 4, 4), np.uint8), 16)


def test_the_step_that_cannot_take_an_image_is_named():
    with pytest.raises(ValueError, match="^step 2, otsu: takes images of one channel, this has 3"):
        steps.apply((steps.Resize(), steps.Otsu()), np.zeros((4, 4, 3), np.uint8), 4)


@pytest.mark.parametrize("step", [*PIXEL_STEPS, *GRAPH_STEPS], **named)
def test_steps_are_made_again_from_what_is_stored(step):
    recipe = (step,)
    assert ADAPTER.validate_json(ADAPTER.dump_json(recipe)) == recipe
    assert ADAPTER.validate_python(ADAPTER.dump_python(recipe, mode="json")) == recipe
    assert hash(recipe) == hash(ADAPTER.validate_json(ADAPTER.dump_json(recipe)))


def test_stages_are_the_image_after_each_step():
    recipe = (*recipes.load("synthesised"), steps.RepeatChannels())
    image = np.random.default_rng(7).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    found = steps.stages(recipe, image, 16)
    assert list(found) == ["decoded", "1 grey", "2 resize", "3 stack", "4 resize"]
    assert [made.shape for made in found.values()] == [(30, 20, 3), (30, 20), (256, 256), (256, 256, 3), (16, 16, 3)]
    np.testing.assert_array_equal(found["4 resize"], steps.apply(recipe, image, 16))


def test_speed_is_that_of_every_uint8_step():
    found = steps.images_per_second(recipes.load("clahe_z_score"), [np.zeros((30, 20), np.uint8)] * 3, 16)
    assert list(found) == ["1 grey", "2 resize", "3 clahe", "4 resize"] and min(found.values()) > 0
