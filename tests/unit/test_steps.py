"""Steps keep their promises on type, shape and range; recipes in a wrong order or of unknown steps are refused."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from lib import config, steps

RECIPE = (steps.Grey(), steps.Resize(), steps.RepeatChannels(count=3))


class Holder(BaseModel):
    recipe: steps.Recipe


shapes = st.tuples(st.integers(1, 400), st.integers(1, 400), st.sampled_from([(), (3,)])).map(lambda s: (*s[:2], *s[2]))


@given(shapes, st.integers(1, 64), st.integers(0, 255))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_result_is_a_uint8_square_with_channels(shape, size, value):
    image = np.full(shape, value, np.uint8)
    grey = steps.apply(RECIPE, image, size)
    colour = steps.apply((steps.Resize(),), image, size)
    assert grey.shape == (size, size, 1) and colour.shape == (size, size, 3 if len(shape) == 3 else 1)
    assert grey.dtype == colour.dtype == np.uint8
    assert abs(grey.astype(int) - value).max() <= 1 and abs(colour.astype(int) - value).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (1, 1, 3), (2, 3000, 3)])
def test_single_pixels_and_extreme_aspects_pass(shape):
    image = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
    assert steps.apply(RECIPE, image, 24).shape == (24, 24, 1)


def test_input_is_left_alone():
    image = np.random.default_rng(7).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    before = image.copy()
    steps.apply(RECIPE, image, 8)
    np.testing.assert_array_equal(image, before)


def test_grey_is_luminance():
    primaries = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    np.testing.assert_allclose(steps.Grey().apply(primaries, 16)[0], [76, 150, 29, 255], atol=1)


def test_shrinking_averages_areas():
    checkerboard = np.indices((48, 48)).sum(axis=0) % 2 * 200
    assert set(np.unique(steps.apply((steps.Resize(),), checkerboard.astype(np.uint8), 24))) == {100}


@pytest.mark.parametrize("turn", [np.asarray, np.transpose])
def test_each_axis_shrinks_or_grows_by_its_own_rule(turn):
    rows = turn(np.repeat(np.arange(3000) % 2 * 255, 20).reshape(3000, 20).astype(np.uint8))
    np.testing.assert_allclose(steps.Resize().apply(rows, 24), 127.5, atol=2)


@pytest.mark.parametrize(("shape", "rule"), [((90, 70), cv2.INTER_AREA), ((24, 70), cv2.INTER_AREA),
                                             ((9, 24), cv2.INTER_CUBIC), ((9, 7, 3), cv2.INTER_CUBIC)])  # fmt: skip
def test_axes_that_go_one_way_are_resized_at_once(shape, rule):
    image = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(steps.Resize().apply(image, 24), cv2.resize(image, (24, 24), interpolation=rule))


def test_size_already_right_changes_nothing():
    image = np.random.default_rng(7).integers(0, 256, (24, 24), dtype=np.uint8)
    np.testing.assert_array_equal(steps.apply(RECIPE, image, 24)[..., 0], image)


def test_recipe_that_does_not_resize_is_refused():
    with pytest.raises(ValueError, match=r"ends at 20 x 10 pixels, expected 24; add `resize`"):
        steps.apply((steps.Grey(),), np.zeros((10, 20), np.uint8), 24)


def test_wrong_order_is_refused():
    wrong = (steps.Grey(), steps.RepeatChannels(), steps.Resize())
    for use in (steps.cached_part, steps.graph_part, steps.final_range):
        with pytest.raises(ValueError, match="resize.*must stand before the steps of the graph"):
            use(wrong)


def test_parts_together_are_the_recipe():
    assert steps.cached_part(RECIPE) + steps.graph_part(RECIPE) == RECIPE
    assert [step.step for step in steps.graph_part(RECIPE)] == ["repeat_channels"]


def test_values_stay_grey_values_until_a_step_of_the_graph_changes_them():
    assert steps.final_range(()) == steps.final_range(RECIPE) == (0.0, 255.0)


def test_unknown_step_names_field_and_allowed_values():
    with pytest.raises(config.UserError) as caught:
        config.validated(Holder, {"recipe": [{"step": "grey"}, {"step": "sharpen"}]}, "params/datasets/mine.yml")
    message = str(caught.value)
    assert "\n" not in message and message.startswith("params/datasets/mine.yml: recipe.1")
    assert all(name in message for name in ("sharpen", "'grey'", "'resize'", "'repeat_channels'"))


@pytest.mark.parametrize(
    ("step", "named"),
    [
        ({"step": "repeat_channels", "count": 0}, "count"),
        ({"step": "resize", "sise": 64}, "sise.*nearest is .size"),
        ({"count": 3}, "step"),
    ],
)
def test_wrong_value_or_field_of_a_step_is_named(step, named):
    with pytest.raises(config.UserError, match=rf"mine: recipe\.0.*{named}"):
        config.validated(Holder, {"recipe": [step]}, "mine")


def test_steps_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        RECIPE[2].count = 1
