"""What each step makes of small images whose result is known."""

import cv2
import numpy as np
import pytest
from scipy import stats

from lib import steps

RNG = np.random.default_rng(7)
NOISE = RNG.integers(0, 256, (40, 30), dtype=np.uint8)


def test_padding_keeps_the_shape_of_things():
    image = np.full((20, 40), 200, np.uint8)
    padded = steps.Resize(padding=True).apply(image, 8)
    np.testing.assert_array_equal(padded, np.repeat([0, 200, 0], [2, 4, 2])[:, None] * np.ones((1, 8)))
    assert (steps.Resize().apply(image, 8) == 200).all()


def test_padding_of_a_line_keeps_a_pixel():
    line = steps.Resize(padding=True).apply(np.full((1, 5000, 3), 9, np.uint8), 16)
    assert line.shape == (16, 16, 3) and (line.any(axis=2).sum(axis=0) == 1).all()


def test_resize_takes_its_own_size_and_a_share():
    assert steps.Resize(size=12).apply(NOISE, 99).shape == (12, 12)
    assert steps.Resize(share=0.5).apply(NOISE, 24).shape == (12, 12)
    assert steps.Resize(share=0.01).apply(NOISE, 24).shape == (1, 1)


def test_clahe_is_that_of_opencv_and_raises_local_contrast():
    image = np.uint8(100 + NOISE // 16)
    found = steps.Clahe(clip_limit=2, tiles=4).apply(image, 16)
    np.testing.assert_array_equal(found, cv2.createCLAHE(2, (4, 4)).apply(image))
    assert found.std() > 2 * image.std()
    assert steps.Clahe(clip_limit=40).apply(image, 16).std() > found.std()


def test_clahe_of_colours_changes_lightness_more_than_hue():
    image = np.uint8(np.stack([60 + NOISE // 8, 40 + NOISE // 16, 30 + NOISE // 16], axis=2))
    before, after = (
        cv2.cvtColor(each, cv2.COLOR_RGB2LAB).astype(float) for each in (image, steps.Clahe().apply(image, 16))
    )
    assert after[..., 0].std() > 1.5 * before[..., 0].std()
    assert np.abs(after - before)[..., 1:].mean() < 2


def test_min_max_stretches_between_percentiles():
    image = np.array([[0, 50, 100, 150, 255]], np.uint8)
    np.testing.assert_array_equal(steps.MinMax(low=25, high=75).apply(image, 16), [[0, 0, 128, 255, 255]])
    np.testing.assert_array_equal(steps.MinMax(low=0, high=100).apply(image, 16), image)
    np.testing.assert_array_equal(steps.MinMax().apply(np.full((3, 3), 7, np.uint8), 16), np.full((3, 3), 7))


def test_power_brings_skewed_intensities_near_a_normal_distribution():
    skewed = np.uint8(np.clip(RNG.lognormal(3, 0.6, (80, 80)), 0, 255))
    found = steps.Power().apply(skewed, 16)
    assert abs(stats.skew(found, axis=None)) < 0.1 < 1 < stats.skew(skewed, axis=None)
    assert abs(found.mean() - 127.5) < 2 and abs(found.std() - 127.5 / 3) < 2
    order = np.argsort(skewed, axis=None, kind="stable")
    assert (np.diff(found.ravel()[order].astype(int)) >= 0).all()


def test_power_takes_the_exponent_of_scipy():
    image = np.uint8(np.clip(RNG.gamma(3, 20, (64, 64)), 0, 255))
    changed, _ = stats.boxcox(image.ravel() + 1.0)
    expected = 127.5 + 127.5 * (changed - changed.mean()) / (3 * changed.std())
    difference = np.abs(steps.Power().apply(image, 16).ravel() - np.clip(expected, 0, 255))
    assert difference.mean() < 1 and difference.max() < 4  # exponents are a fortieth apart at most


@pytest.mark.parametrize("share", [1 / 6400, 0.01, 0.5, 0.99, 6399 / 6400])
def test_power_survives_two_intensities(share):
    image = np.zeros(6400, np.uint8)
    image[: round(share * 6400)] = 255
    found = steps.Power().apply(image.reshape(80, 80), 16)
    assert found.dtype == np.uint8 and found[0, 0] > found[-1, -1]


def test_otsu_separates_two_populations():
    image = np.where(NOISE > 128, 180, 60).astype(np.uint8) + NOISE % 10
    np.testing.assert_array_equal(steps.Otsu().apply(image, 16), np.where(NOISE > 128, 255, 0))


def test_otsu_of_one_intensity_is_black():
    assert not steps.Otsu().apply(np.full((4, 4), 255, np.uint8), 16).any()


def test_multi_otsu_separates_three_populations():
    image = np.choose(NOISE // 86, [20, 110, 220]).astype(np.uint8) + NOISE % 10
    found = steps.MultiOtsu(classes=3).apply(image, 16)
    np.testing.assert_array_equal(found, np.choose(NOISE // 86, [0, 128, 255]))


@pytest.mark.parametrize(("values", "expected"), [([5], [0]), ([5, 9], [0, 128]), ([5, 9, 200], [0, 128, 255])])
def test_multi_otsu_of_few_intensities_keeps_them_apart(values, expected):
    np.testing.assert_array_equal(steps.MultiOtsu().apply(np.array([values], np.uint8), 16), [expected])


def test_median_removes_a_single_pixel_and_keeps_an_edge():
    image = np.repeat([[10, 10, 10, 200, 200, 200]], 6, axis=0).astype(np.uint8)
    spoilt = image.copy()
    spoilt[2, 1] = 255
    np.testing.assert_array_equal(steps.Median().apply(spoilt, 16), image)
    np.testing.assert_array_equal(steps.Median().apply(np.dstack([spoilt] * 5), 16), np.dstack([image] * 5))


def test_non_local_means_removes_noise_and_keeps_an_edge():
    clean = np.repeat([[60] * 16 + [180] * 16], 32, axis=0)
    noisy = np.uint8(np.clip(clean + RNG.normal(0, 8, clean.shape), 0, 255))
    found = steps.NonLocalMeans(strength=10).apply(noisy, 16).astype(float)
    assert np.abs(found - clean).mean() < 0.5 * np.abs(noisy - clean.astype(float)).mean()


def test_crop_finds_the_largest_bright_thing():
    image = np.full((60, 80), 10, np.uint8)
    image[20:50, 30:70], image[2:8, 2:8] = 200, 255
    np.testing.assert_array_equal(steps.Crop().apply(image, 16), np.full((30, 40), 200))
    assert steps.Crop(margin=0.1).apply(image, 16).shape == (36, 48)


def test_crop_leaves_an_image_with_a_speck_whole():
    image = np.zeros((60, 80), np.uint8)
    image[10:13, 10:13] = 255
    np.testing.assert_array_equal(steps.Crop().apply(image, 16), image)


def test_breast_is_found_and_label_text_removed():
    yy, xx = np.mgrid[:200, :160]
    distance = np.hypot(yy - 100, xx) / 80
    image = np.uint8(np.clip(180 * (1.2 - distance), 0, 180) * (distance < 1) + 4)
    cv2.putText(image, "R MLO", (95, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    region = steps.Crop(region="breast").found(image)
    truth = distance < 1
    assert (region & truth).sum() / (region | truth).sum() > 0.85
    cropped = steps.Crop(region="breast").apply(image, 16)
    assert cropped.max() < 240 and cropped.shape[1] <= 82 and (image == 255).any()


def test_disc_is_found_with_the_dark_spots_inside():
    yy, xx = np.mgrid[:120, :200]
    disc = np.hypot(yy - 60, xx - 100) < 50
    image = (disc[..., None] * np.array([160, 80, 30])).astype(np.uint8)
    image[50:60, 90:100] = 0
    region = steps.Crop(region="disc").found(image)
    np.testing.assert_array_equal(region, disc)
    assert steps.Crop(region="disc").apply(image, 16).shape == (99, 99, 3)


def test_stack_holds_each_enhancement_as_a_channel():
    stack = steps.Stack(channels=[[], [steps.Clahe()], [steps.Median(), steps.Clahe(clip_limit=20)]])
    found = stack.apply(NOISE, 16)
    assert found.shape == (40, 30, 3)
    np.testing.assert_array_equal(found[..., 0], NOISE)
    np.testing.assert_array_equal(found[..., 1], steps.Clahe().apply(NOISE, 16))
    np.testing.assert_array_equal(found[..., 2], steps.Clahe(clip_limit=20).apply(steps.Median().apply(NOISE, 16), 16))


def test_stack_of_other_sizes_or_of_colours_is_refused():
    with pytest.raises(ValueError, match="images of 30 x 40, 8 x 8 pixels; let `resize` follow"):
        steps.Stack(channels=[[], [steps.Resize()]]).apply(NOISE, 8)
    with pytest.raises(ValueError, match="list 1 gives 3 channels, expected one; begin with `grey`"):
        steps.Stack(channels=[[], []]).apply(np.dstack([NOISE] * 3), 8)


def test_hide_puts_one_value_in_place_of_the_centre_or_of_all_around_it():
    image = np.arange(1, 101, dtype=np.uint8).reshape(10, 10)
    centre = steps.Hide(which="centre", share=0.6, fill=0).apply(image, 16)
    assert (centre[2:8, 2:8] == 0).all() and (centre == 0).sum() == 36
    border = steps.Hide(which="border", share=0.6, fill=0).apply(image, 16)
    np.testing.assert_array_equal(border[2:8, 2:8], image[2:8, 2:8])
    np.testing.assert_array_equal(np.uint8(centre + border), image)  # each keeps what the other hides


@pytest.mark.parametrize("which", ["centre", "border"])
def test_nothing_of_what_is_hidden_shows_through(which):
    step = steps.Hide(which=which, share=0.5)
    other = np.where(step.hidden(40, 30), np.uint8(255) - NOISE, NOISE)
    assert (other != NOISE).mean() > 0.2
    np.testing.assert_array_equal(step.apply(other, 16), step.apply(NOISE, 16))


def test_hidden_colours_become_the_mean_of_each_channel_that_is_left():
    image = np.dstack([np.full((8, 8), value, np.uint8) for value in (10, 20, 30)])
    image[2:6, 2:6] = 255
    found = steps.Hide(which="centre", share=0.5).apply(image, 16)
    np.testing.assert_array_equal(found, np.broadcast_to(np.uint8([10, 20, 30]), (8, 8, 3)))


def test_where_hiding_leaves_nothing_it_is_black():
    line = np.full((1, 40), 200, np.uint8)
    assert not steps.Hide(which="border", share=0.4).apply(line, 16).any()


@pytest.mark.parametrize(
    "setting",
    [
        {"which": "corner"},
        {"share": 0},
        {"share": 1},
        {"share": float("nan")},
        {"fill": 256},
        {"fill": "black"},
        {"fill": 0.5},
    ],
    ids=str,
)
def test_settings_that_hide_nothing_known_are_refused(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        steps.Hide(**{"which": "centre", "share": 0.5} | setting)


STRIPES = np.repeat([[0, 255]], 8, axis=0).astype(np.uint8)


@pytest.mark.parametrize(
    ("step", "image"),
    [
        (steps.Grey(), NOISE),
        (steps.Colour(), NOISE),
        (steps.Resize(), NOISE),
        (steps.Resize(padding=True), NOISE),
        (steps.Otsu(), NOISE),
        (steps.MultiOtsu(), NOISE),
        (steps.MinMax(low=0, high=100), NOISE),
        (steps.Median(), STRIPES),
        (steps.Hide(which="border", share=0.5, fill=0), NOISE),
        (steps.Crop(region="disc"), np.pad(np.full((20, 20), 90, np.uint8), 9)),
    ],
    ids=lambda value: getattr(value, "step", ""),
)
def test_twice_is_once(step, image):
    once = step.apply(image, 16)
    np.testing.assert_array_equal(step.apply(once, 16), once)
