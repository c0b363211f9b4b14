"""Parameters are held against the chapters before anything runs."""

import dataclasses
import math
import shutil

import keras
import pytest

from lib import combinations, config, graph, grids, steps, values


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
            "DEPTHS: [0.0, 1.0, 1.5, 2.0]",
            "DEPTHS: [0.0, 1.0, 19.0]",
            "10_depth: DEPTHS 19 is more than network efficientnet_lite0 has blocks; give 18 at most",
        ),
        (
            "BACKBONES: [efficientnet_lite0], HIDDEN",
            "BACKBONES: [lite], HIDDEN",
            "09_transfer: BACKBONE='lite' does not exist; BACKBONE is one of",
        ),
        (
            "DEPTHS: [0.0, 1.0, 1.5, 2.0]",
            "DEPTHS: [0.0, 0.5, 1.0]",
            "10_depth: DEPTHS 0.5 lets the same layers of network efficientnet_lite0 learn as 0; give depths that each",
        ),
        (
            "BACKBONES: [efficientnet_lite0], IMAGE_SIZE",
            "BACKBONES: [efficientnet_lite0=no.h5], IMAGE_SIZE",
            "weights no.h5 do not exist",
        ),
        ("ALL_TRAINED: none", "ALL_TRAINED: some", "09_transfer: ALL_TRAINED='some' does not exist"),
        ("SEEDS: [7, 8]", "SEEDS: []", "SEEDS is []; expected a list of int, not empty"),
        ("chapters:", "chapters: [", "not valid YAML"),
        ("  16_ablations", "  05_simple_network: {}\n  16_ablations", "the key '05_simple_network' stands there twice"),
        ("SHOWN: 6", "yes: 6", "line 16: not valid YAML (a key is read as True"),
        ("SWEEP_EPOCHS: 2", "SWEEP_EPOCHS: 3", "07_overfit: SWEEP_EPOCHS is 3; give fewer than EPOCHS"),
        ("MOMENTUM: 0.5", "MOMENTUM: 2.5", "07_overfit: MOMENTUM 2.5 is not possible: Input should be less than 1"),
        ("RECIPES: [plain, half_resolution,", "RECIPES: [plain, plain,", "03_preprocess: RECIPES is ['plain', 'plain'"),
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
    ("family", "change", "said"),
    [
        ("preprocess", {"MASK_EFFORT": "huge"}, "MASK_EFFORT is 'huge'; give one of full, quick"),
        ("preprocess", {"MASK_EFFORT": ""}, "MASK_EFFORT is ''; give one of full, quick"),
        (
            "preprocess",
            {"MASK_WEIGHTS": "no.weights.h5"},
            "mask: weights 'no.weights.h5' is not there; name a `.weights",
        ),
        (
            "preprocess",
            {"MASK_WEIGHTS": "README.md"},
            "mask: weights 'README.md' is no such file; name a `.weights.h5`",
        ),
        ("overfit", {"SWEEP_EPOCHS": 9}, "SWEEP_EPOCHS is 9; give fewer than EPOCHS"),
        ("overfit", {"OTHER_MOMENTUM": 0.5}, "OTHER_MOMENTUM is 0.5; give another one than MOMENTUM"),
        ("overfit", {"L2_CONSTANTS": [0.0]}, "L2_CONSTANTS is [0.0]; give numbers above 0"),
        ("overfit", {"RANGE": [1.0, 0.00001]}, "RANGE is [1.0, 1e-05]; give the lowest and the highest rate"),
        ("overfit", {"RANGE": [0.0, 1.0]}, "RANGE is [0.0, 1.0]; give the lowest and the highest rate"),
        ("overfit", {"RANGE": [0.1]}, "RANGE is [0.1]; give the lowest and the highest rate"),
        ("overfit", {"RANGE": [0.1, 0.2, 0.3]}, "RANGE is [0.1, 0.2, 0.3]; give the lowest"),
        ("overfit", {"RANGE_STEPS": 1}, "RANGE_STEPS is 1; give 10 or more"),
        ("overfit", {"STEM": [4]}, "STEM [4] is not possible: values are missing"),
        ("overfit", {"STEM": [4, 8, 16]}, "STEM [4, 8, 16] is not possible"),
        ("overfit", {"STEM": [0, 8]}, "STEM 0 is not possible"),
        ("overfit", {"SIZES": [8]}, "SIZES [8] is not possible"),
        ("overfit", {"SIZES": [-8, 16]}, "SIZES -8 is not possible"),
        ("overfit", {"OTHER_MOMENTUM": 1.0}, "OTHER_MOMENTUM 1 is not possible"),
        ("overfit", {"OTHER_RATES": [-1.0]}, "OTHER_RATES -1 is not possible"),
        ("regularise", {"SMALLER_BATCH": 32}, "SMALLER_BATCH is 32; give fewer images than the usual 32"),
        ("regularise", {"SMALLER_BATCH": 64}, "SMALLER_BATCH is 64; give fewer images than the usual 32"),
        ("regularise", {"SMALLER_SIZE": 24}, "SMALLER_SIZE is 24; give fewer pixels than IMAGE_SIZE"),
        ("regularise", {"SMALLER_SIZE": 99}, "SMALLER_SIZE is 99; give fewer pixels than IMAGE_SIZE"),
        ("regularise", {"SMALLER_SIZE": 2}, "SMALLER_SIZE 2 is too small for network xception"),
        ("regularise", {"LARGER_SIZES": [8, 16]}, "LARGER_SIZES is [8, 16]; give more or wider"),
        ("regularise", {"LARGER_SIZES": [4, 4]}, "LARGER_SIZES is [4, 4]; give more or wider"),
        ("regularise", {"TRAIN_SHARES": [1.0, 0.5]}, "TRAIN_SHARES is [1.0, 0.5]; give two or more"),
        ("regularise", {"TRAIN_SHARES": [0.5]}, "TRAIN_SHARES is [0.5]; give two or more"),
        ("regularise", {"DROPOUTS": [0.5]}, "DROPOUTS is [0.5]; give two or more numbers between"),
        ("regularise", {"DROPOUTS": [0.0, 0.9]}, "DROPOUTS is [0.0, 0.9]; give two or more"),
        ("regularise", {"BLOCK_DROPOUT": 1.5}, "BLOCK_DROPOUT 1.5 is not possible"),
        ("regularise", {"EPOCHS": 2}, "with patience 1 never acts within 2 epochs; give 3 epochs or more"),
        ("regularise", {"EPOCHS": 1}, "never acts within 1 epochs; give 2 epochs or more"),
        (
            "regularise",
            {"PATIENCE": 3},
            "never acts within 3 epochs; give 5 epochs or more, or a patience of 1 or less",
        ),
        ("transfer", {"RATE_BY_BLOCK": 1.5}, "RATE_BY_BLOCK is 1.5; give 1 at most"),
        ("transfer", {"BACKBONE": "efficientnet_lite1"}, "BACKBONE is 'efficientnet_lite1'; give one of BACKBONES"),
        (
            "transfer",
            {"BACKBONE": "efficientnet_lite0=own.pth"},
            "BACKBONE is 'efficientnet_lite0=own.pth'; give one of",
        ),
        (
            "transfer",
            {"BACKBONES": ["efficientnet_lite0=own.pth"]},
            "of BACKBONES whose weights can be had here, with the",
        ),
        (
            "depth",
            {"BACKBONES": ["efficientnet_lite0", "efficientnet_lite0=own.pth"]},
            "BACKBONES names efficientnet_lite0 more than once",
        ),
        ("transfer", {"BACKBONE": "lite"}, "BACKBONE='lite' does not exist; BACKBONE is one of"),
        ("transfer", {"HIDDEN": 4}, "HIDDEN is 4; give 3 at most"),
        ("transfer", {"EPOCHS": [4]}, "EPOCHS is [4]; give two: of the head that warms up, and of what follows"),
        ("transfer", {"OPTIMISERS": ["adam", "sdg"]}, "OPTIMISERS is ['adam', 'sdg']; give two: of the head"),
        ("depth", {"RATES": [0.1, 0.2, 0.3]}, "RATES is [0.1, 0.2, 0.3]; give two"),
        ("depth", {"PATIENCE": [2, 2]}, "PATIENCE is [2, 2]; give two numbers of epochs: until the rate falls"),
        ("image_size", {"DECAY": 1.0}, "DECAY is 1.0; give more than 1"),
        ("transfer", {"DEPTHS": [-1]}, "DEPTHS is [-1]; give numbers above 0"),
        ("image_size", {"SIZES": [32, 32]}, "SIZES is [32, 32]; give two or more sizes, from small to large"),
        ("image_size", {"SIZES": [48]}, "SIZES is [48]; give two or more sizes"),
        ("image_size", {"SIZES": [48, 32]}, "SIZES is [48, 32]; give two or more sizes, from small to large"),
        ("depth", {"DEPTHS": [0.0]}, "DEPTHS is [0.0]; give one depth above 0"),
        ("depth", {"DEPTHS": [1.0, 1.33, 1.5]}, "DEPTHS 1.5 lets the same layers"),
    ],
)
def test_what_a_family_cannot_compare_or_train_is_one_line_that_names_the_parameter(family, change, said):
    given = config.chapter_parameters(grids.FAMILIES[family].chapter, "elpv", "smoke")
    assert change.keys() <= given.keys()
    with pytest.raises(config.UserError) as error:
        combinations.check_family(family, given | change)
    assert said in str(error.value) and "\n" not in str(error.value) and "Value error" not in str(error.value)


def test_what_no_rule_of_a_family_tells_is_told_by_the_lineage(monkeypatch):
    """Every setting differs from its parent by one thing, or nothing runs."""
    given = config.chapter_parameters("08_regularise", "elpv", "smoke") | {"SMALLER_BATCH": 32}
    monkeypatch.setitem(grids.FAMILIES, "regularise", dataclasses.replace(grids.FAMILIES["regularise"], rules={}))
    with pytest.raises(config.UserError, match="'smaller batch' differs from its parent 'as it is' by nothing"):
        combinations.check_family("regularise", given)


@pytest.mark.parametrize(
    ("name", "value", "default", "said"),
    [
        ("LEARNING_RATE", math.inf, 0.1, "finite"),
        ("LEARNING_RATE", math.nan, 0.1, "finite"),
        ("LEARNING_RATE", 1e9, 0.1, "10 at most"),
        ("THREADS", 9999, 1, "256 at most"),
        ("IMAGE_SIZE", 100_000, 32, "4096 at most"),
        ("SIZES", [8, 10**7], [8, 16], "4096 at most"),
        ("FOLDS", 101, 4, "100 at most"),
        ("PICTURES", 5000, 6, "100 at most"),
        ("SEED", 2**32, 7, f"{2**32 - 1} at most"),
        ("SEEDS", [7, 2**40], [7], f"{2**32 - 1} at most"),
        ("PATIENCE", [2, 2], [1, 2], None),
        ("EPOCHS", 10**400, 3, None),
        ("EPOCHS", True, 3, "expected int"),
        ("MASK_EFFORT", "", "quick", None),
        ("L2_CONSTANTS", [1], [0.01], None),
        ("L2_CONSTANTS", [True], [0.01], "a list of float"),
        ("OTHER_RATES", [1, 1.0], [0.01], "each value once"),
        ("SEEDS", [7, 7], [7], "each value once"),
        ("EPOCHS", [4, 4], [4, 3], None),
        ("LARGER_SIZES", [8, 8, 16], [8, 16], None),
    ],
)
def test_a_value_is_what_the_default_lets_expect(name, value, default, said):
    found = values.mismatch(name, value, default)
    assert found is None if said is None else said in found


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (
            (steps.Grey(), steps.Resize(), steps.ZScore()),
            r"the recipe ends in values of \[.*\], network efficientnet_lite takes",
        ),
        ((steps.Stack(channels=((steps.Grey(),), (steps.Grey(),))), steps.Resize()), "2 channels, .* takes 1 or 3"),
        (
            (steps.Colour(), steps.Otsu(), steps.Resize()),
            "the recipe cannot be applied: step 2, otsu: .*put `grey` before",
        ),
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
    with pytest.raises(
        config.UserError, match="BACKBONES, efficientnet_lite1: .*package efficientnet_lite1_py"
    ) as error:
        combinations.check(runs, given)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("profile", config.PROFILES)
def test_the_parameters_of_every_profile_pass(profile):
    graph.check_parameters("elpv", profile)
