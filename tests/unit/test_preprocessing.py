"""Chapter 3 shows what recipes really give, and compares models on the very tensor that enters the network."""

import numpy as np
import pytest

from lib import classical, config, grids, preprocessing, recipes, steps
from lib.estimates import Estimate, Inapplicable
from lib.runs import Predictions
from lib.training.configuration import Configuration
from lib.training.data import Data, Part

SIZE = 24
PARAMETERS = {"DATASET": "elpv", "IMAGE_SIZE": SIZE, "EPOCHS": 20, "LEARNING_RATE": 0.01, "SEEDS": [1, 2], "THREADS": 1}


def part(images=24, channels=1, seed=7):
    """Stripes that run across (class 0) or down (class 1), with noise."""
    generator = np.random.default_rng(seed)
    labels = np.arange(images) % 2
    stripes = 90 * (np.arange(SIZE) // 4 % 2)
    pixels = np.stack([np.broadcast_to(stripes if label else stripes[:, None], (SIZE, SIZE)) for label in labels])
    noisy = pixels[..., None] + generator.integers(0, 60, (images, SIZE, SIZE, channels))
    names = np.array([f"image{number}" for number in range(images)])
    return Part(noisy.astype(np.uint8), np.arange(images), names, names, labels, names)


def configuration(recipe):
    fields = {"dataset": "elpv", "recipe": recipes.load(recipe), "image_size": SIZE, "network": {"family": "simple"}}
    return Configuration.model_validate(fields | {"phases": [{"epochs": 1}], "seed": 7})


def data(channels=1):
    return Data(part(channels=channels), part(8, channels, 8), part(16, channels, 9), 2)


def test_settings_differ_from_the_plain_one_by_their_recipe_alone():
    study = grids.family("preprocess", PARAMETERS | {"RECIPES": ["plain", "clahe", "z_score"]})
    assert {name: [run.seed for run in runs] for name, runs in study.items()} == dict.fromkeys(study, [1, 2])
    for name, found in study.items():
        assert found[0].recipe == recipes.load(name)
        assert found[0].model_copy(update={"recipe": ()}) == study["plain"][0].model_copy(update={"recipe": ()})
    assert grids.FAMILIES["preprocess"].parents(study) == {"clahe": "plain", "z_score": "plain"}


def test_what_standardises_and_does_more_is_compared_with_standardising_alone():
    parents = grids.FAMILIES["preprocess"].parents
    assert parents(dict.fromkeys(["plain", "normal", "z_score"], [])) == {"normal": "z_score", "z_score": "plain"}
    assert parents(dict.fromkeys(["plain", "normal"], [])) == {"normal": "plain"}


@pytest.mark.parametrize(
    ("names", "problem"), [(["clahe"], "put 'plain' first"), (["plain", "clae"], "nearest is 'clahe'")]
)
def test_recipes_that_cannot_be_compared_are_refused(names, problem):
    with pytest.raises(config.UserError, match=problem):
        grids.family("preprocess", PARAMETERS | {"RECIPES": names})


@pytest.mark.parametrize(("recipe", "channels"), [("plain", 1), ("synthesised", 3)])
def test_what_enters_is_what_is_cached_scaled_by_the_network(recipe, channels):
    found = preprocessing.entering(configuration(recipe), data(channels), part(channels=channels))
    assert found.shape == (24, SIZE, SIZE, channels) and found.dtype == np.float32
    np.testing.assert_allclose(found, part(channels=channels).pixels / 255, atol=1e-6)


def test_what_enters_has_been_through_the_steps_of_the_graph():
    found = preprocessing.entering(configuration("z_score"), data(), part())
    pixels = part().pixels.astype(float)
    mean, deviation = (getattr(pixels, name)((1, 2, 3), keepdims=True) for name in ("mean", "std"))
    np.testing.assert_allclose(found, (np.clip((pixels - mean) / deviation, -3, 3) + 3) / 6, atol=1e-4)


def test_cache_of_other_pixels_is_noticed():
    picture = np.random.default_rng(7).integers(0, 256, (40, 30), dtype=np.uint8)
    recipe, held = recipes.load("plain"), part()
    held.pixels[3] = steps.apply(recipe, picture, SIZE)
    preprocessing.check(recipe, held, 3, picture)
    held.pixels[3, 0, 0] ^= 1
    with pytest.raises(AssertionError, match="image3: the cache holds other pixels"):
        preprocessing.check(recipe, held, 3, picture)


def test_every_step_is_said_with_its_settings():
    table = preprocessing.described({name: recipes.load(name) for name in ("clahe_z_score", "synthesised")}, SIZE)
    cached, graph = table.loc["clahe_z_score"]
    assert cached == "grey · resize to 256 px · clahe (clip_limit 2) · resize to 24 px"
    assert graph == "z_score · rescale (to [0, 255])"
    assert "stack (as it is | clahe (clip_limit 2) | clahe (clip_limit 20, tiles 4))" in table.iloc[1, 0]
    half = preprocessing.described({name: recipes.load(name) for name in ("half_resolution", "padded")}, SIZE)
    assert half.iloc[0, 0] == "grey · resize to 256 px · resize to 12 px · resize to 24 px"
    assert "resize to 256 px, padded" in half.iloc[1, 0]


def test_every_different_step_is_timed_once():
    pictures = [np.zeros((30, 20), np.uint8)] * 2
    found = preprocessing.speeds({name: recipes.load(name) for name in ("plain", "clahe", "z_score")}, pictures, SIZE)
    inside = ["in the network: rescale (to [0, 255])", "in the network: z_score"]
    assert sorted(found) == ["clahe (clip_limit 2)", "grey", *inside, "resize to 24 px", "resize to 256 px"]
    assert list(found.values()) == sorted(found.values()) and min(found.values()) > [0]


@pytest.mark.parametrize(("channels", "drawn"), [(2, [80, 80, 0]), (3, [80, 80, 80]), (4, [80, 80, 80])])
def test_stacks_of_any_number_of_channels_can_be_drawn(channels, drawn):
    recipe = (steps.Stack(channels=[[]] * channels), steps.Resize())
    found = preprocessing.stages(recipe, np.full((9, 9), 80, np.uint8), SIZE)
    assert list(found) == ["decoded", "1 stack", "2 resize"] and found["decoded"].shape == (9, 9)
    np.testing.assert_array_equal(found["2 resize"], np.broadcast_to(drawn, (SIZE, SIZE, 3)))


def test_the_last_picture_is_what_entered_where_the_network_has_steps_of_its_own():
    entering = preprocessing.entering(configuration("z_score"), data(), part())
    first, second = preprocessing.pictured(entering, part(), ["image5", "image2"])
    np.testing.assert_allclose(first, 255 * entering[5, ..., 0], atol=0.51)
    assert first.shape == (SIZE, SIZE) and first.dtype == np.uint8 and not np.array_equal(first, second)
    given = (np.zeros((30, 20), np.uint8), SIZE, first)
    assert list(preprocessing.stages(recipes.load("z_score"), *given).values())[-1] is first
    assert (
        len(preprocessing.stages(recipes.load("plain"), *given))
        == len(preprocessing.stages(recipes.load("z_score"), *given)) - 1
    )


def test_histograms_are_shares_of_all_values():
    table = preprocessing.histograms({"half": np.array([0.0, 1.0]), "dark": np.zeros(5)})
    np.testing.assert_allclose(table.sum(), 1)
    assert table["half"].iloc[[0, -1]].tolist() == [0.5, 0.5] and table["dark"].iloc[0] == 1


@pytest.mark.parametrize("recipe", ["plain", "z_score"])
def test_the_classical_model_learns_from_train_and_ranks_validation(recipe):
    found = preprocessing.classical_scores(configuration(recipe), data())
    labels = data().validation.labels
    assert found.shape == (1, len(labels)) and found[0, labels == 1].min() > found[0, labels == 0].max()


def test_ranking_of_several_classes_is_a_row_that_sums_to_one():
    generator = np.random.default_rng(7)
    labels = np.arange(60) % 3
    features = generator.normal(size=(60, 4)) + 4 * labels[:, None]
    found = classical.ranked(classical.baseline(), features, labels, features)
    assert found.shape == (60, 3) and (found.argmax(axis=1) == labels).mean() > 0.9
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_differences_are_to_the_reference_and_paired():
    groups = np.array([f"group{number // 5}" for number in range(60)])
    labels = np.arange(60) % 2
    generator = np.random.default_rng(7)
    good, poor = (np.clip(labels * gap + generator.uniform(0, 0.5, (2, 60)), 0, 1) for gap in (0.5, 0.1))
    reference = Predictions(groups, groups, labels, poor)
    scores, above = {"good": good, "same": poor, "poor": poor}, {"good": "poor", "same": "poor"}
    found = preprocessing.differences(reference, scores, above)
    level = preprocessing.reached(reference, scores)
    assert level["good"].value - level["poor"].value == pytest.approx(found["good"].value)
    assert found["good"].value > 0.1 and found["same"].value == 0
    assert isinstance(preprocessing.compared(found, "good", "cpu"), Estimate)
    missing = preprocessing.compared(found, "otsu", "cpu")
    assert isinstance(missing, Inapplicable) and missing.reason == "profile cpu does not compare the recipe otsu"


def test_recipes_are_compared_where_there_are_three_classes():
    generator, labels = np.random.default_rng(7), np.arange(48) % 3
    good = np.eye(3)[labels][None] * 0.8 + 0.2 / 3
    blind = generator.dirichlet([1, 1, 1], (1, len(labels)))
    seen = Predictions(labels.astype(str), np.arange(48) // 6, labels, blind)
    assert preprocessing.differences(seen, {"better": good, "blind": blind}, {"better": "blind"})["better"].value > 0.2
