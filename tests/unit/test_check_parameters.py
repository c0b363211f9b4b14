"""Parameters are held against the chapters before anything runs."""

import shutil

import keras
import pytest

from lib import combinations, config, graph, grids, steps


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("EPOCHS: 2", "BOGUS: 2", "BOGUS is no parameter"),
        ("EPOCHS: 2, ", "", "EPOCHS is missing"),
        ("EPOCHS: 2", "EPOCHS: -1", "EPOCHS is -1; expected a number above 0"),
        ("IMAGE_SIZE: 48", "IMAGE_SIZE: big", "IMAGE_SIZE is 'big'; expected int"),
        (
            "IMAGE_SIZE: 48",
            "IMAGE_SIZE: 8",
            "05_simple_network: IMAGE_SIZE 8 is too small for network simple: it needs 18 pixels a side or more",
        ),
        (
            "FEATURE_SIZE: 32",
            "FEATURE_SIZE: 31",
            "09_transfer: FEATURE_SIZE 31 is too small for network efficientnet_lite0: it needs 32 pixels a side or more",
        ),
        ("SIZES: [32, 48]", "SIZES: [31, 48]", "11_image_size: SIZES 31 is too small for network efficientnet_lite0"),
        (
            "DEPTHS: [0.0, 0.5, 1.0]",
            "DEPTHS: [0.0, 0.5, 19.0]",
            "10_depth: DEPTHS 19 is more than network efficientnet_lite0 has blocks; give 18 at most",
        ),
        (
            "BACKBONES: [efficientnet_lite0]",
            "BACKBONES: [lite]",
            "09_transfer: BACKBONE='lite' does not exist; BACKBONE is one of",
        ),
        ("BACKBONES: [efficientnet_lite0]", "BACKBONES: [efficientnet_lite0=no.h5]", "weights no.h5 do not exist"),
        ("ALL_TRAINED: none", "ALL_TRAINED: some", "09_transfer: ALL_TRAINED='some' does not exist"),
        ("SEEDS: [7, 8]", "SEEDS: []", "SEEDS is []; expected a list of int, not empty"),
        ("chapters:", "chapters: [", "not valid YAML"),
    ],
)
def test_a_wrong_parameter_is_one_line_that_names_it(tmp_path, monkeypatch, old, new, said):
    shutil.copytree(config.PARAMETERS, tmp_path / "params")
    file = tmp_path / "params" / "smoke.yml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    monkeypatch.setattr(config, "PARAMETERS", tmp_path / "params")
    with pytest.raises(config.UserError, match="^params/smoke.yml") as error:
        graph.check_parameters("elpv", "smoke")
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (
            (steps.Grey(), steps.Resize(), steps.ZScore()),
            r"the recipe ends in values of \[.*\], network efficientnet_lite takes",
        ),
        ((steps.Stack(channels=((steps.Grey(),), (steps.Grey(),))), steps.Resize()), "2 channels, .* takes 1 or 3"),
    ],
)
def test_a_recipe_that_a_network_does_not_take_is_refused(recipe, said):
    study = grids.family("depth", config.chapter_parameters("10_depth", "elpv", "smoke"))
    runs = [run.model_copy(update={"recipe": recipe}) for group in study.values() for run in group]
    with pytest.raises(config.UserError, match=said) as error:
        combinations.check(runs, {})
    assert "\n" not in str(error.value)


def test_weights_of_another_network_are_refused(tmp_path):
    """They are looked into before anything is trained."""
    file = tmp_path / "other.weights.h5"
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    other.save_weights(file)
    given = config.chapter_parameters("10_depth", "elpv", "smoke") | {"BACKBONES": [f"efficientnet_lite1={file}"]}
    runs = [run for group in grids.family("depth", given).values() for run in group]
    with pytest.raises(config.UserError, match="BACKBONES, efficientnet_lite1: ") as error:
        combinations.check(runs, given)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("profile", config.PROFILES)
def test_the_parameters_of_every_profile_pass(profile):
    graph.check_parameters("elpv", profile)
