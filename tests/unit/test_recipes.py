"""Named recipes are complete and usable, survive being stored, and a bad one says what is wrong with it in a line."""

import inspect

import numpy as np
import pytest
import yaml

from lib import config, networks, recipes, steps
from lib.training.configuration import Configuration

each_recipe = pytest.mark.parametrize("name", recipes.names())


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Puts a text in the place of params/recipes.yml."""
    monkeypatch.setattr(config, "PARAMETERS", tmp_path)
    return lambda text: (tmp_path / "recipes.yml").write_text(text)


@each_recipe
def test_named_recipes_give_what_networks_take(name):
    recipe = recipes.load(name)
    assert steps.final_range(recipe) == networks.input_range("simple")
    for shape in [(40, 30), (40, 30, 3), (1, 1)]:
        image = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
        found = steps.apply(recipe, image, 24)
        assert found.shape == (24, 24, 3 if name == "synthesised" else 1) and found.dtype == np.uint8


@each_recipe
def test_named_recipes_are_made_again_from_yaml_and_from_the_record_of_a_run(name):
    recipe = recipes.load(name)
    text = yaml.safe_dump(recipes.named(name).model_dump(mode="json"))
    assert recipes.Named.model_validate(yaml.safe_load(text)).steps == recipe
    run = {"dataset": "elpv", "image_size": 24, "network": {"family": "simple"}, "phases": [{"epochs": 1}], "seed": 7}
    record = Configuration.model_validate(run | {"recipe": recipe}).model_dump_json()
    assert Configuration.model_validate_json(record).recipe == recipe


def test_no_two_recipes_are_the_same():
    found = [recipes.load(name) for name in recipes.names()]
    assert len(set(found)) == len(found)


BAD = {
    "unknown step": ("[{step: clahee}]", r"steps\.0.*'clahee'.*'grey', .*nearest is 'clahe'"),
    "unknown field": ("[{step: clahe, clip_limt: 2}]", r"steps\.0\.clahe\.clip_limt.*nearest is 'clip_limit'"),
    "wrong type": ("[{step: clahe, clip_limit: much}]", r"steps\.0\.clahe\.clip_limit: .*number.*'much'"),
    "impossible size": ("[{step: resize, size: 0}]", r"steps\.0\.resize\.size: .*greater than or equal to 1.*0"),
    "size beyond all memory": (
        "[{step: resize, size: 99999}]",
        r"steps\.0\.resize\.size: .*less than or equal to 4096",
    ),
    "even window": ("[{step: median, window: 4}]", r"steps\.0\.median\.window: .*odd number such as 5"),
    "percentiles": ("[{step: min_max, low: 9, high: 1}]", r"steps\.0\.min_max: .*low 9 is not below high 1"),
    "region": ("[{step: crop, region: brest}]", r"steps\.0\.crop\.region: .*'brightest', 'breast' or 'disc'.*'brest'"),
    "range": ("[{step: rescale, to: [1, 0]}]", r"steps\.0\.rescale\.to: .*is no range"),
    "nested": ("[{step: stack, channels: [[], [{step: otsu, at: 3}]]}]", r"steps\.0\.stack\.channels\.1\.0\.otsu\.at"),
    "graph in a stack": ("[{step: stack, channels: [[], [{step: z_score}]]}]", r"\['z_score'\] belong to the network"),
    "stack of one": ("[{step: stack, channels: [[]]}]", r"lists of steps: 1; give two to 4"),
    "stack of seven": (
        f"[{{step: stack, channels: [{', '.join(7 * ['[]'])}]}}, {{step: resize}}]",
        r"lists of steps: 7; give two to 4",
    ),
    "no number": ("[{step: resize, share: .nan}]", r"steps\.0\.resize\.share: .*finite number"),
    "endless": ("[{step: clahe, clip_limit: .inf}]", r"steps\.0\.clahe\.clip_limit: .*finite number"),
    "yes for a size": ("[{step: resize, size: true}]", r"steps\.0\.resize\.size: .*valid integer"),
    "many channels": ("[{step: repeat_channels, count: 999999}]", r"count: .*less than or equal to 4"),
    "order": ("[{step: resize}, {step: z_score}, {step: clahe}]", r"steps: .*\['clahe'\].*must stand before"),
    "no resize": ("[{step: grey}]", r"steps: .*no step `resize`"),
    "nothing": ("[]", r"steps: .*no step `resize`"),
    "no list": ("grey", r"steps: expected a list, such as"),
    "no mapping": ("[{step: resize}, 5]", r"steps\.1: expected fields with their values, such as"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_recipe_names_file_step_field_and_what_is_allowed(file, case):
    text, problem = BAD[case]
    file(f"mine: {{why: a test, steps: {text}}}")
    with pytest.raises(config.UserError, match=rf"^params/recipes\.yml, recipe mine: .*{problem}") as caught:
        recipes.load("mine")
    assert "\n" not in str(caught.value)


ENDS = "add `resize`, without `size` and `share`, after all that"
USELESS = {
    "size of its own": ("[{step: resize, size: 256}]", f"ends at 256 x 256 pixels, expected 33; {ENDS}"),
    "share of the size": ("[{step: resize, share: 0.5}]", f"ends at 16 x 16 pixels, .*{ENDS}"),
    "crop after resize": ("[{step: resize}, {step: crop}]", ENDS),
    "resize in a stack": (
        "[{step: resize}, {step: stack, channels: [[{step: resize, size: 9}], [{step: resize, size: 9}]]}]",
        f"ends at 9 x 9 .*{ENDS}",
    ),
    "other range": (
        "[{step: resize}, {step: z_score}]",
        "ends in values from -3 to 3, networks take 0 to 255; end it with `rescale`",
    ),
    "no weights": (
        "[{step: mask, of: cell, weights: no.weights.h5}, {step: resize}]",
        "step 1, mask: .*is not there; name a",
    ),
    "twin": ("[{step: resize, size: 99}, {step: resize}]", "has the very steps of 'first'; change one"),
    "not even valid": ("[{step: clahee}]", "nearest is 'clahe'"),
}


@pytest.mark.parametrize("case", USELESS)
def test_a_recipe_that_cannot_work_is_found_although_nothing_names_it(file, case):
    text, problem = USELESS[case]
    file(
        f"first: {{why: a test, steps: [{{step: resize, size: 99}}, {{step: resize}}]}}\nmine: {{why: a test, steps: {text}}}"
    )
    with pytest.raises(config.UserError, match=rf"^params/recipes\.yml, recipe mine: .*{problem}") as caught:
        recipes.check()
    assert "\n" not in str(caught.value)


def test_weights_that_are_none_are_found_before_anything_runs(tmp_path, monkeypatch, file):
    monkeypatch.setenv(config.BUILD_VARIABLE, str(tmp_path / "build"))
    (tmp_path / "rubbish.weights.h5").write_bytes(b"rubbish")
    file(
        f"mine: {{why: a test, steps: [{{step: mask, of: cell, weights: {tmp_path}/rubbish.weights.h5}}, {{step: resize}}]}}"
    )
    with pytest.raises(config.UserError, match="recipe mine: .*mask: .*give weights that Keras saved") as caught:
        recipes.check()
    assert "\n" not in str(caught.value)


def test_masks_are_not_taught_by_the_check(monkeypatch, file):
    """Not within a stack either."""
    monkeypatch.setattr("lib.masks.get", lambda settings: pytest.fail("taught"))
    mask = "{step: mask, of: cell}"
    file(f"mine: {{why: a test, steps: [{mask}, {{step: stack, channels: [[{mask}], []]}}, {{step: resize}}]}}")
    recipes.check()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("plain: {why: a, steps: []}\nplain: {why: b, steps: []}", r"line 2: .*the key 'plain' stands there twice"),
        ("plain: {why: a, steps: []}\nyes: {why: b, steps: []}", r"line 2: .*a key is read as True, no text"),
        ("plain: {why: a, steps: [], why: b}", r"line 1: .*the key 'why' stands there twice"),
    ],
)
def test_a_key_is_a_text_that_stands_there_once(file, text, problem):
    file(text)
    with pytest.raises(config.UserError, match=rf"^params/recipes\.yml, {problem}"):
        recipes.names()


def test_keys_may_be_taken_over_from_another_place_and_levels_are_numbers(file):
    file("a: &a {why: first, 'steps': []}\nb: {<<: *a, why: second}\nc: {0.0: sound, 1.0: defective}")
    found = config.read_yaml(config.PARAMETERS / "recipes.yml")
    assert found["b"] == {"why": "second", "steps": []} and found["c"] == {0.0: "sound", 1.0: "defective"}


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(config.UserError, match=r"'clae' does not exist.*plain, .*nearest is 'clahe'"):
        recipes.load("clae")


def test_an_empty_file_is_refused(file):
    file("")
    with pytest.raises(config.UserError, match="expected a name"):
        recipes.names()


def fingerprint_with(monkeypatch, module, recipe):
    """The fingerprint of a recipe, were the code of a module another."""
    path, read = inspect.getfile(module), steps.step.Path.read_text
    monkeypatch.setattr(
        steps.step.Path, "read_text", lambda self: read(self) + ("\nADDED = 1" if str(self) == path else "")
    )
    found = steps.fingerprint(recipe)
    monkeypatch.undo()
    return found


def test_a_recipe_depends_on_its_own_steps_and_on_nested_ones(monkeypatch):
    recipe = recipes.load("synthesised")
    before = steps.fingerprint(recipe)
    for module in (steps.resize, steps.contrast, steps.stack, steps.recipe, steps.step):
        assert fingerprint_with(monkeypatch, module, recipe) != before, module.__name__
    for module in (steps, steps.noise, steps.thresholds, steps.scaling, steps.timing):
        assert fingerprint_with(monkeypatch, module, recipe) == before, module.__name__
