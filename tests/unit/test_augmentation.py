"""Augmentation changes every image by itself, within its range, in training alone; a seed repeats it."""

from functools import partial

import keras
import numpy as np
import pytest

from lib.training import augmentation, determinism, operations
from lib.training.augmentation import Colour, Crop, Cutout, Flip, Noise, QuarterTurn, Rotation, Zoom

GENERATOR = np.random.default_rng(7)
KINDS = {
    "flip": Flip(),
    "quarter_turn": QuarterTurn(),
    "rotation": Rotation(),
    "zoom": Zoom(),
    "crop": Crop(),
    "colour": Colour(brightness=0.3, contrast=0.3, saturation=0.5),
    "cutout": Cutout(),
    "noise": Noise(),
}
RAMP = np.stack(np.meshgrid(np.linspace(0, 255, 32), np.linspace(255, 0, 32)), axis=-1).round().astype(np.uint8)
GREY, TINTED = RAMP[..., :1], np.concatenate([RAMP, RAMP[::-1, :, :1] // 2], axis=-1)

examples = partial(augmentation.examples, threads=1)


@pytest.fixture(autouse=True)
def fixed():
    determinism.fix(threads=1, seed=7)


def network(one: augmentation.Augmentation, image: np.ndarray, seed: int = 7) -> keras.Model:
    inputs = keras.Input(image.shape)
    return keras.Model(inputs, augmentation.connect([one], inputs, seed))


@pytest.mark.parametrize("image", [GREY, TINTED], ids=["grey", "colour"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_acts_in_training_alone_and_keeps_shape_type_and_range(kind, image):
    layers, batch = network(KINDS[kind], image), np.stack([image] * 16)
    for named in ({}, {"training": False}):
        np.testing.assert_array_equal(np.asarray(layers(batch, **named)), batch)
    changed = np.asarray(layers(batch, training=True))
    assert changed.shape == batch.shape and changed.dtype == np.float32 and changed.min() >= 0 and changed.max() <= 255
    assert len({one.tobytes() for one in changed}) > (
        1 if kind in ("flip", "quarter_turn") else 14
    )  # every image by itself
    assert (changed != np.asarray(layers(batch, training=True))).any()  # and anew in every step


@pytest.mark.parametrize("kind", KINDS)
def test_examples_repeat_with_their_seed(kind):
    first, again, other = (examples([KINDS[kind]], TINTED, 8, seed) for seed in (7, 7, 8))
    assert first.shape == (8, *TINTED.shape) and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert (first != other).any() and (first != TINTED).any()


def test_flips_are_mirror_images_in_the_directions_asked_for():
    whole = {image.tobytes() for image in examples([Flip()], TINTED, 64, 7)}
    assert whole == {image.tobytes() for image in (TINTED, TINTED[::-1], TINTED[:, ::-1], TINTED[::-1, ::-1])}
    across = {image.tobytes() for image in examples([Flip(vertical=False)], TINTED, 32, 7)}
    assert across == {TINTED.tobytes(), np.ascontiguousarray(TINTED[:, ::-1]).tobytes()}


def test_quarter_turns_are_exact_and_each_as_likely():
    turned = examples([QuarterTurn()], TINTED, 400, 7)
    every = [np.rot90(TINTED, turns) for turns in range(4)]
    found = [sum(np.array_equal(one, image) for one in turned) for image in every]
    assert sum(found) == 400 and min(found) > 70


def test_crops_are_windows_of_the_image_enlarged():
    """On a ramp, a window's brightness tells where it lies, and its slope how much it was enlarged."""
    ramp = np.repeat(np.linspace(0, 255, 33)[np.newaxis, :, np.newaxis], 33, axis=0).round().astype(np.uint8)
    crops = examples([Crop(share=0.25)], ramp, 200, 7).astype(float)
    slopes = (crops[:, 16, 24, 0] - crops[:, 16, 8, 0]) / (255 / 32) / 16
    np.testing.assert_allclose(slopes, 0.75, atol=0.02)
    middles = crops[:, 16, 16, 0] / (255 / 32)  # 16 where the window lies in the middle
    assert middles.min() == pytest.approx(16 - 33 / 8, abs=0.3) and middles.max() == pytest.approx(16 + 33 / 8, abs=0.3)
    whole = operations.Window(0.0, 7)(ramp[np.newaxis].astype(np.float32))
    np.testing.assert_allclose(np.asarray(whole)[0], ramp, atol=1e-3)


def test_rotation_and_zoom_keep_the_centre_and_stay_in_their_range():
    dot = np.zeros((33, 33, 1), np.uint8)
    dot[15:18, 15:18] = 255
    for one in (Rotation(turn=0.5), Zoom(share=0.3)):
        assert (examples([one], dot, 50, 7)[:, 16, 16, 0] > 200).all()
    areas = examples([Zoom(share=0.3)], dot, 200, 7).sum(axis=(1, 2, 3)) / dot.sum()
    assert 0.5 < areas.min() < 0.75 and 1.5 < areas.max() < 2.2  # 1 / 1.3^2 and 1 / 0.7^2
    bar = np.zeros((33, 33, 1), np.uint8)
    bar[:, 15:18] = 255
    turned = examples([Rotation(turn=0.05)], bar, 200, 7)
    angles = np.array([np.degrees(np.arctan2(image[4, :, 0].argmax() - 16, 12)) for image in turned])
    assert 10 < np.abs(angles).max() < 24 and angles.min() < -10 and angles.max() > 10  # 0.05 of a turn is 18 degrees


def test_colours_change_as_much_as_they_may():
    grey = np.full((8, 8, 1), 100, np.uint8)
    brighter = examples([Colour(brightness=0.2, contrast=0)], grey, 300, 7)[:, 0, 0, 0].astype(int) - 100
    assert -51 <= brighter.min() < -45 and 45 < brighter.max() <= 51
    two = np.full((8, 8, 1), 80, np.uint8)
    two[:4] = 120
    pictures = examples([Colour(brightness=0, contrast=0.4)], two, 300, 7).astype(int)
    contrast = (pictures[:, 0, 0, 0] - pictures[:, 7, 0, 0]) / 40
    assert (
        0.6 <= contrast.min() < 0.65 and 1.35 < contrast.max() <= 1.4 and (pictures.mean(axis=(1, 2, 3)) == 100).all()
    )
    tinted = np.full((8, 8, 3), [120, 100, 100], np.uint8)
    pictures = examples([Colour(brightness=0, contrast=0, saturation=0.5)], tinted, 300, 7).astype(int)
    assert 9 <= np.ptp(pictures[:, 0, 0], axis=1).min() < 12 and 28 < np.ptp(pictures[:, 0, 0], axis=1).max() <= 31


def test_cutout_is_a_whole_square_of_the_mean():
    image = GENERATOR.integers(0, 256, (20, 20, 1)).astype(np.uint8)
    cut = examples([Cutout(share=0.3)], image, 200, 7)
    mean = round(image.mean())
    corners = set()
    for one in cut:
        rows, columns, _ = np.nonzero(one != image)
        square = one[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert max(square.shape) <= 6 and (square == mean).all()
        corners.add((rows.min(), columns.min()))
    assert min(row for row, _ in corners) == 0 and max(row for row, _ in corners) >= 14 and len(corners) > 80


def test_noise_has_its_deviation():
    grey = np.full((64, 64, 1), 128, np.uint8)
    noise = examples([Noise(deviation=0.05)], grey, 4, 7).astype(float) - 128
    assert noise.std() == pytest.approx(0.05 * 255, rel=0.05) and abs(noise.mean()) < 0.5


def test_they_act_in_their_order_and_draw_apart():
    inputs = keras.Input(GREY.shape)
    model = keras.Model(inputs, augmentation.connect([Flip(), Noise(), Noise()], inputs, 7))
    names = [layer.name for layer in model.layers[1:]]
    assert names == ["augmentation_1_flip", "augmentation_2_noise", "augmentation_3_noise"]
    states = [int(variable.numpy()[0]) for variable in model.variables]
    assert len(set(states)) == len(states) == 4  # flips draw twice
