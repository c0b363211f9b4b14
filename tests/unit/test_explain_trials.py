"""Trials of maps: each number can fall and rise, and a method that fails is called so."""

import keras
import numpy as np
import pytest
from keras import layers

from lib.estimates import Inapplicable
from lib.explain import controls, curves, examination, localisation, randomisation, similarity, trials
from lib.explain.explainer import Explainer

GENERATOR = np.random.default_rng(7)
IMAGES = GENERATOR.integers(0, 256, (6, 24, 24, 3)).astype(np.float32)
MAPS = GENERATOR.random((6, 24, 24)).astype(np.float32)


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    keras.utils.set_random_seed(3)
    inputs = keras.Input((24, 24, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    for number in (1, 2):
        x = layers.Conv2D(6, 3, padding="same", use_bias=number == 1, name=f"convolution_{number}")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Dense(4, activation="relu", name="hidden")(layers.GlobalAveragePooling2D()(x))
    return Explainer(keras.Model(inputs, layers.Dense(1, name="logits")(x)))


def test_rank_correlation_knows_the_order_alone():
    np.testing.assert_allclose(similarity.rank_correlation(MAPS, MAPS**3), 1)
    np.testing.assert_allclose(similarity.rank_correlation(MAPS, -MAPS), -1)
    other = GENERATOR.random((6, 24, 24))
    assert np.abs(similarity.rank_correlation(MAPS, other)).max() < 0.2
    from scipy.stats import spearmanr

    expected = spearmanr(MAPS[0].round(1).ravel(), other[0].ravel()).statistic
    np.testing.assert_allclose(similarity.rank_correlation(MAPS.round(1), other)[0], expected, rtol=1e-9)


def test_a_map_that_orders_nothing_cannot_lose_its_order():
    flat = np.zeros_like(MAPS)
    assert (
        np.isnan(similarity.rank_correlation(flat, MAPS)).all()
        and np.isnan(similarity.rank_correlation(flat, flat)).all()
    )
    assert (similarity.rank_correlation(MAPS, flat) == 0).all()
    assert np.isfinite(similarity.structure(flat, MAPS)).all()


def test_structural_similarity_ignores_scale_and_falls_with_noise():
    np.testing.assert_allclose(similarity.structure(MAPS, 5 * MAPS), 1, rtol=1e-5)
    assert similarity.structure(MAPS, GENERATOR.random(MAPS.shape)).max() < 0.5
    with pytest.raises(ValueError, match="7 a side or more"):
        similarity.structure(MAPS[:, :5], MAPS[:, :5])


def test_weights_are_drawn_anew_from_the_logits_down(explainer):
    network, names = explainer.network, [v.path for v in explainer.network.model.variables]
    before = [v.numpy() for v in network.model.variables]
    changed = {}
    for share in (0.25, 0.5, 1.0):
        values = randomisation.values(network, share, seed=1)
        moved = [not np.array_equal(new, old) for new, old in zip(values, before, strict=True)]
        changed[share] = {name for name, is_other in zip(names, moved, strict=True) if is_other}
    assert changed[0.25] == {"logits/kernel"} and changed[0.5] == {"logits/kernel", "hidden/kernel"}
    assert {"convolution_1/kernel", "convolution_2/kernel"} <= changed[1.0]
    assert randomisation.depths(network, [0, 0.25, 0.5, 1]) == {0: 0, 0.25: 1, 0.5: 2, 1: 4}
    assert all(np.array_equal(new, old) for new, old in zip(randomisation.values(network, 0, 1), before, strict=True))
    assert all(np.array_equal(v.numpy(), old) for v, old in zip(network.model.variables, before, strict=True))


def test_a_deeper_share_begins_with_the_smaller_one(explainer):
    few, many = (randomisation.values(explainer.network, share, seed=1) for share in (0.25, 1.0))
    np.testing.assert_array_equal(few[-2], many[-2])
    other = randomisation.values(explainer.network, 1.0, seed=2)
    assert not np.array_equal(many[0], other[0])
    assert all(new.shape == old.shape and new.dtype == old.dtype for new, old in zip(few, many, strict=True))
    np.testing.assert_allclose(np.sqrt((many[0] ** 2).mean()), np.sqrt((few[0] ** 2).mean()), rtol=0.3)
    with pytest.raises(ValueError, match="from 0 to 1"):
        randomisation.values(explainer.network, 1.5, seed=1)


def test_the_cascade_is_one_at_no_depth_and_falls(explainer):
    found = trials.cascade(explainer, ["grad_cam", "gradients"], IMAGES, np.ones(6, int), [0, 1], seeds=[1, 2])
    ranks = found["rank correlation"]
    assert set(found) == {"rank correlation", "structural similarity"} and set(ranks) == {
        "grad_cam",
        "gradients",
    }
    for method in ("grad_cam", "gradients"):
        np.testing.assert_allclose(ranks[method][0], 1)
        assert ranks[method].shape == (2, 2, 6) and ranks[method][1].mean() < 0.9
    assert not np.array_equal(*ranks["gradients"][1])  # another draw of the noise


def test_maps_of_one_network_are_their_own_likeness(explainer):
    found = trials.between(explainer, explainer, ["grad_cam"], IMAGES, np.ones(6, int))
    np.testing.assert_allclose(found["rank correlation"]["grad_cam"], 1)


@pytest.fixture(scope="module")
def corner() -> Explainer:
    """A network that sees only the upper left quarter: the logit is its brightness."""
    inputs = keras.Input((24, 24, 3))
    x = layers.Flatten()(layers.Cropping2D(((0, 12), (0, 12)))(inputs))
    weights = np.full((432, 1), 20 / 255 / 432, np.float32)
    dense = layers.Dense(
        1, kernel_initializer=keras.initializers.Constant(weights), bias_initializer=keras.initializers.Constant(-14)
    )
    return Explainer(keras.Model(inputs, dense(x)))


def test_insertion_and_deletion_reward_the_map_of_what_matters(corner):
    images = np.zeros((4, 24, 24, 3), np.float32)
    images[:, :12, :12] = 200
    right, wrong = np.zeros((4, 24, 24)), np.zeros((4, 24, 24))
    right[:, :12, :12], wrong[:, 12:, 12:] = 1, 1
    for baseline in curves.BASELINES:
        walked = trials.walks(corner, {"right": right, "wrong": wrong}, images, np.ones(4, int))
        gain = trials.gains(walked)[baseline]
        assert (gain["right"] > gain["wrong"] + 0.1).all(), baseline
    found = curves.curves(corner, images, np.ones(4, int), right, "mean", steps=4)
    whole, bare = (corner.probabilities(each)[:, 1] for each in (images, curves.replaced(images, "mean")))
    np.testing.assert_allclose(found["insertion"][:, [0, -1]], np.stack([bare, whole], axis=1), rtol=1e-6)
    np.testing.assert_allclose(found["deletion"][:, [0, -1]], np.stack([whole, bare], axis=1), rtol=1e-6)


def test_areas_and_baselines():
    np.testing.assert_allclose(curves.area(np.array([[0.0, 0.5, 1.0], [1.0, 1.0, 1.0]])), [0.5, 1.0])
    blurred = curves.replaced(IMAGES, "blur")
    assert blurred.shape == IMAGES.shape and blurred.std() < IMAGES.std() / 2
    assert curves.replaced(IMAGES[..., :1], "blur").shape == (6, 24, 24, 1)
    with pytest.raises(ValueError, match="baseline 'black' does not exist"):
        curves.replaced(IMAGES, "black")


def test_controls_know_the_image_at_most():
    found = controls.controls(IMAGES, seed=1)
    assert all(maps.shape == (6, 24, 24) and maps.dtype == np.float32 and (maps >= 0).all() for maps in found.values())
    assert found["centre"][0].argmax() in (11 * 24 + 11, 11 * 24 + 12, 12 * 24 + 11, 12 * 24 + 12)
    assert (controls.random(IMAGES, 1) == found["random"]).all() and (
        controls.random(IMAGES, 2) != found["random"]
    ).any()
    step = np.zeros((1, 24, 24, 1))
    step[:, :, 12:] = 255
    edges = controls.edges(step)
    assert edges[0, :, 11:13].min() > 0 and edges[0, :, :10].max() == 0


def test_pointing_game_and_energy():
    masks = np.zeros((3, 24, 24), bool)
    masks[:, 4:8, 4:8] = True
    hit, near, miss = (np.zeros((24, 24)) for _ in range(3))
    hit[5, 5], near[8, 5], miss[20, 20] = 1, 1, 1
    maps = np.stack([hit, near, miss])
    np.testing.assert_array_equal(localisation.pointing(maps, masks), [1, 1, 0])
    np.testing.assert_array_equal(localisation.pointing(maps, masks, tolerance=0), [1, 0, 0])
    np.testing.assert_array_equal(localisation.energy_inside(maps, masks), [1, 0, 0])
    flat = np.zeros((3, 24, 24))
    np.testing.assert_allclose(localisation.pointing(flat, masks, tolerance=0), localisation.area(masks))
    np.testing.assert_allclose(localisation.energy_inside(flat, masks), 16 / 576)
    half = hit + miss
    np.testing.assert_allclose(localisation.energy_inside(np.stack([half] * 3), masks), 0.5)


def test_frames_and_corners():
    frame, corners = localisation.border((2, 24, 24), 1 / 8), localisation.corner((2, 24, 24), 1 / 8)
    assert frame[0, 0].all() and not frame[0, 12, 12] and frame[0].sum() == 24 * 24 - 18 * 18
    assert corners[0].sum() == 36 and corners[0, 0, 0] and corners[0, -1, -1] and not corners[0, 0, 12]


def scores(value: float, spread: float = 0.05) -> np.ndarray:
    return np.clip(np.random.default_rng(1).normal(value, spread, 80), -1, 1)


def test_flags_say_what_failed_and_nothing_else():
    groups = np.repeat(np.arange(20), 4)
    randomised = examination.means(
        {"good": scores(0.1), "bad": scores(0.9), "unsure": scores(0.5, 0.3)}, groups, (-1, 1)
    )
    beside = {"centre": examination.means({"good": scores(0.3), "bad": scores(-0.3)}, groups, (-2, 2))}
    shuffled = examination.means({"good": scores(0.2), "bad": scores(0.8)}, groups, (-1, 1))
    flags = examination.flags(randomised, beside, shuffled, judged=True)
    assert "good" not in flags
    assert flags["bad"] == "hardly changes; hardly changes with the labels; worse than centre"
    assert flags["unsure"] == "not shown to change"
    assert set(examination.flags(randomised, beside, shuffled, judged=False).values()) == {"not judged (smoke)"}
    untried = examination.flags({"other": Inapplicable("all 4 images are of one group")}, {}, {}, True)
    assert untried == {"other": "not tried: all 4 images are of one group"}


def test_curves_by_share_of_pixels_are_means_of_images():
    rows = np.linspace(0.1, 0.9, 80)[:, None] * np.array([1.0, 0.5, 0.0])
    found = examination.by_pixels(
        {"grad_cam": {"deletion": rows}, "edges": {}}, "deletion", ["grad_cam"], np.arange(80) // 4
    )
    assert list(found) == ["Grad-CAM"] and list(found["Grad-CAM"]) == [0, 0.5, 1]
    assert [each.value for each in found["Grad-CAM"].values()] == pytest.approx([0.5, 0.25, 0.0])


def test_the_number_of_flags_tells_failing_from_not_passing():
    flags = {"grad_cam": "hardly changes", "occlusion": "not shown to beat random, edges"}
    said = examination.flagged(flags, ["grad_cam", "occlusion", "gradients"], True)
    assert said.startswith("2 of 3 methods have a flag. 1 of them failed") and "the other 1 it was only" in said


def test_blank_maps_are_left_out_and_where_all_are_blank_nothing_is_judged():
    groups, values = np.repeat(np.arange(20), 4), scores(0.2)
    some = np.where(np.arange(80) % 4 == 0, np.nan, values)
    found = examination.mean(np.stack([some, some]), groups, (-1, 1))
    assert found.images == 60 and found.value == pytest.approx(np.nanmean(some))
    blank = examination.mean(np.full(80, np.nan), groups, (-1, 1))
    assert isinstance(blank, Inapplicable)
    assert examination.flags({"occlusion": blank}, {}, {}, True) == {"occlusion": f"not tried: {blank.reason}"}


def test_draws_of_the_noise_widen_the_interval():
    groups = np.repeat(np.arange(20), 4)
    one, several = scores(0.2), np.stack([scores(0.2) + shift for shift in (-0.3, 0, 0.3)])
    narrow, wide = (examination.mean(values, groups, (-1, 1)) for values in (one, several))
    assert (narrow.seeds, wide.seeds) == (1, 3) and wide.half_width() > 5 * narrow.half_width()


def test_sentences_name_the_best_control_and_what_stays_alike():
    said = examination.foremost({"grad_cam": scores(0.1), "occlusion": scores(0.3), "edges": scores(0.6)}, "score")
    assert said.startswith("The largest mean score has a control that knows no network: edge detector (0.59")
    assert "Occlusion (0.29" in said and "Grad-CAM" not in said and examination.foremost({}, "score") == ""
    groups = np.repeat(np.arange(20), 4)
    similar = {"grad_cam": np.stack([scores(0.0)] * 2), "gradients": np.stack([scores(0.4)] * 2)}
    found = examination.still_alike(examination.by_share(similar, [0.5, 1.0], groups))
    assert "Gradients 0.39" in found and "Grad-CAM" not in found


def test_estimates_by_share_and_beyond_a_control():
    groups = np.repeat(np.arange(20), 4)
    by_share = examination.by_share({"grad_cam": np.stack([np.ones(80), scores(0.2)])}, [0, 1], groups)
    assert by_share["Grad-CAM"][0].value == 1 and abs(by_share["Grad-CAM"][1].value - 0.2) < 0.05
    difference = examination.beyond(
        {"grad_cam": scores(0.4), "centre": scores(0.1)}, "grad_cam", "centre", groups, (-1, 1)
    )
    assert abs(difference.value - 0.3) < 0.02 and difference.interval()[0] > 0.2
    assert isinstance(examination.mean(scores(0.4), np.zeros(80), (-1, 1)), Inapplicable)


def test_what_lies_on_defects_is_bounded_as_shares_are():
    groups = np.repeat(np.arange(4), 5)
    hit = np.where(np.arange(20) % 7 == 0, 1.0, 0.0)
    kinds = {"grad_cam": hit - 0.2, "centre": hit[::-1] - 0.2, "edges": np.ones(20) - 0.2}
    found = examination.on_defects({"pointing": kinds, "energy": kinds}, "grad_cam", groups)
    assert [each.bounds for each in found] == [(-1, 1)] * 4
    assert found[3].value < -0.5 and found[3].interval(0.9999)[0] >= -1
