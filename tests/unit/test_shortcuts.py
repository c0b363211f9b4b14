"""A shortcut that was planted is found by every part of the battery that can see it; where there is none, none is found."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib import (
    cards,
    config,
    custody,
    hypotheses,
    intervals,
    lineage,
    preprocessing,
    recipes,
    runs,
    shortcuts,
    statistics,
    steps,
)
from lib.estimates import Estimate, Inapplicable
from lib.explain.explainer import Explainer
from lib.explain.localisation import area, energy_inside
from lib.grids import shortcuts as family
from lib.grids.study import children_of
from lib.training.data import Data, Part
from tests.data import folder_variants

CLAIM = hypotheses.Hypothesis("H1.1", "It tells nothing", "AUC above chance", "equivalent", shortcuts.MARGIN)
GROUPS, EACH = 40, 6


def battery(dataset, **changes):
    usual = {
        "shortcut_size": 40, "shortcut_thumbnail": 10, "shortcut_epochs": 30, "shortcut_rate": 0.005, "shortcut_seeds": [7],
        "hide_most": 0.6, "hide_centre": 0.5, "threads": 1,
    }  # fmt: skip
    return family.shortcut_battery(dataset, **usual | changes)


def verdict(found):
    return CLAIM.verdict(*found.interval())


@pytest.fixture(scope="module", params=[True, False], ids=["marked", "clean"])
def book(request, tmp_path_factory):
    """Whether a mark goes with the label, and a chapter on such a tree."""
    folder = tmp_path_factory.mktemp("marked")
    folder_variants.write_marked(folder / "animals", marked=request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(config.BUILD_VARIABLE, str(folder / "build"))
        patch.setenv(config.DATA_VARIABLE, str(folder / "animals"))
        patch.delenv(config.OUTPUT_VARIABLE, raising=False)
        yield request.param, config.chapter("15_explain", config.own_dataset()[0], "cpu")


def test_a_mark_in_the_corner_is_found_where_it_is_seen_and_only_there(book):
    marked, context = book
    study = battery(context.dataset)
    study["border hidden"] = [
        each.model_copy(update={"recipe": family.hiding(cards.load(context.dataset).recipe, kept)})
        for kept in [steps.Hide(which="border", share=0.5)]
        for each in study[family.WHOLE]
    ]
    asked = [family.WHOLE, family.BORDER, family.AROUND, family.THUMBNAIL] if marked else [family.BORDER]
    for name in asked:
        found = shortcuts.above_chance([runs.get(each, context) for each in study[name]])
        assert (verdict(found) == "refuted") == marked, f"{name}: {found}"
    if marked:
        hidden = shortcuts.above_chance([runs.get(each, context) for each in study["border hidden"]])
        assert verdict(hidden) != "refuted" and hidden.value < 0.25


def test_the_maps_point_at_the_mark(book):
    """Evidence for the marked class lies in its corner, by each of its images, well above the share of the area."""
    marked, context = book
    (whole,) = battery(context.dataset)[family.WHOLE]
    part = runs.data_of(whole, context).validation
    dogs = part.pixels[part.rows[part.labels == 1]]
    corner = np.zeros((len(dogs), 40, 40), bool)
    corner[:, -10:, -10:] = True  # the mark with the pixels around it that its edge reaches
    maps = Explainer(runs.get(whole, context).model()).maps("grad_cam", dogs, classes=1)
    times = intervals.estimate(statistics.ratio(energy_inside(maps, corner), area(corner)), np.arange(len(dogs)))
    assert (times.interval()[0] > 2) == marked, times


def test_the_small_model_finds_it_too(book):
    marked, context = book
    study = battery(context.dataset)
    for name in (family.BORDER, family.THUMBNAIL):
        found = shortcuts.by_small_model(runs.data_of(study[name][0], context))
        assert (verdict(found) == "refuted") == marked, f"{name}: {found}"


def test_settings_differ_from_whole_images_by_the_recipe_alone():
    study = battery("elpv", shortcut_seeds=[1, 2])
    assert list(study) == [family.WHOLE, *family.NOT_ENOUGH]
    changes = lineage.changed(study, children_of(family.WHOLE)(study))
    assert {name: list(change) for name, change in changes.items()} == dict.fromkeys(family.NOT_ENOUGH, ["recipe"])
    assert lineage.in_words(changes[family.BORDER]) == "recipe none → hide (which centre, share 0.6)"


CROPPING = [name for name in recipes.names() if any(step.step == "crop" for step in recipes.load(name))]


@pytest.mark.parametrize("name", [name for name in recipes.names() if name not in CROPPING])
def test_nothing_hidden_comes_through_any_recipe_that_does_not_crop(name):
    hide = steps.Hide(which="centre", share=0.6)
    recipe, generator = family.hiding(recipes.load(name), hide), np.random.default_rng(7)
    first, second = (generator.integers(0, 256, (50, 40), dtype=np.uint8) for _ in range(2))
    other = np.where(hide.hidden(50, 40), second, first)
    np.testing.assert_array_equal(steps.apply(recipe, first, 24), steps.apply(recipe, other, 24))


@pytest.mark.parametrize("name", CROPPING)
def test_it_is_hidden_after_what_is_cropped(name):
    recipe = family.hiding(recipes.load(name), steps.Hide(which="centre", share=0.5))
    assert [step.step for step in recipe][:4] == ["grey", "crop", "hide", "resize"]


def test_pictures_are_what_each_setting_leaves():
    study = battery("elpv")
    picture = np.random.default_rng(7).integers(0, 256, (60, 60), dtype=np.uint8)
    found = shortcuts.pictures(study, [picture])
    assert {name: images[0].shape for name, images in found.items()} == dict.fromkeys(study, (40, 40))
    plain = preprocessing.results({"": study[family.WHOLE][0].recipe}, [picture], 40)[""][0]
    np.testing.assert_array_equal(found[family.WHOLE][0], plain)
    assert np.ptp(found[family.BORDER][0][12:28, 12:28]) == 0 < np.ptp(plain[12:28, 12:28])
    assert found[family.THUMBNAIL][0].astype(int).std() < plain.astype(int).std()


@pytest.mark.parametrize(
    ("parameter", "value", "fits"),
    [("HIDE_CENTRE", 0.5, True), ("HIDE_CENTRE", 0.9, False), ("HIDE_CENTRE", 0.0, False), ("HIDE_MOST", 1.0, False),
     ("SHORTCUT_THUMBNAIL", 16, True), ("SHORTCUT_THUMBNAIL", 32, False), ("SHORTCUT_THUMBNAIL", 0, False)],
)  # fmt: skip
def test_settings_that_cannot_be_compared_break_a_rule(parameter, value, fits):
    _, holds = family.RULES[parameter]
    assert holds(value, {"HIDE_MOST": 0.9, "SHORTCUT_SIZE": 32}) == fits


def rows(images=GROUPS * EACH, **columns):
    """A development table in which nothing tells label or kind."""
    generator = np.random.default_rng(3)
    table = pd.DataFrame({
        "image": [f"image{row}" for row in range(images)], "path": [f"a/cell{row}.png" for row in range(images)],
        "group": np.arange(images) // EACH, "label": generator.integers(0, 2, images), "mode": "L", "format": "PNG",
        "bytes": generator.integers(2000, 5000, images), "width": 30, "height": 30,
        "kind": np.where(np.arange(images) // EACH % 2, "mono", "poly"),
    })  # fmt: skip
    return table.assign(**columns)


def card(properties=("kind",), folder=None):
    return SimpleNamespace(properties=list(properties), source=lambda _: folder)


def data(table, brighter):
    """Pictures of these rows in three parts, some of them brighter. brighter: (n,) of grey values."""
    noise = np.random.default_rng(5).integers(0, 200, (len(table), 16, 16, 1))
    pixels = (noise + np.asarray(brighter)[:, None, None, None]).astype(np.uint8)
    columns = (table[name].to_numpy() for name in ("image", "group", "label", "image"))
    names, groups, labels, hashes = columns
    whole = Part(pixels, np.arange(len(table)), names, groups, labels, hashes)
    order = np.random.default_rng(1).permutation(len(table))  # parts are in another order than the manifest
    return Data(*(whole.chosen(np.sort(some)) for some in np.array_split(order, 3)), classes=2)


def test_a_source_that_shows_is_named_and_one_that_does_not_is_not():
    table = rows()
    said = shortcuts.source(card(), table)
    assert said.name == "kind" and set(said) == {"mono", "poly"}
    assert verdict(shortcuts.naming(said, table, data(table, 30 * (said == "mono")))) == "refuted"
    assert verdict(shortcuts.naming(said, table, data(table, 0 * (said == "mono")))) != "refuted"


def test_grey_pictures_among_colours_are_described_alike(monkeypatch):
    monkeypatch.setattr(shortcuts, "BATCH", 8)
    table, generator = rows(), np.random.default_rng(2)
    pixels = generator.integers(0, 256, (len(table), 30, 30, 3), dtype=np.uint8)
    pixels[:40] = pixels[:40, ..., :1]
    names = table["image"].to_numpy()
    whole = Part(pixels, np.arange(len(table)), names, table["group"].to_numpy(), table["label"].to_numpy(), names)
    parts = (whole.chosen(some) for some in np.array_split(np.arange(len(table)), 3))
    found = shortcuts.by_small_model(Data(*parts, classes=2))
    assert isinstance(found, Estimate) and verdict(found) != "refuted"


def test_brightness_alone_is_measured_and_said():
    table = rows()
    seen = data(table, 30 * table["label"])
    bright, picture = shortcuts.by_brightness(seen), shortcuts.by_small_model(seen)
    assert verdict(bright) == "refuted" and bright.seeds == 1
    said = shortcuts.in_words({"border only": picture}, bright)
    assert "finds a way around the content" in said and str(bright) in said
    nothing = shortcuts.by_brightness(data(table, 0 * table["label"]))
    assert "was not shown to find" in shortcuts.in_words({"border only": nothing}, nothing)
    assert "could not be asked: no." in shortcuts.in_words({"border only": Inapplicable("no")}, bright)


def test_the_folder_is_the_source_where_no_property_is_named():
    table = rows()
    assert shortcuts.source(card([], table["kind"]), table).name == "folder"


def test_sources_of_a_few_images_count_as_one():
    table = rows(kind=["mono"] * 200 + [f"rare {row}" for row in range(40)])
    assert shortcuts.source(card(), table).value_counts().to_dict() == {"mono": 200, "other": 40}


@pytest.mark.parametrize(
    ("of", "table", "reason"),
    [
        (card([]), rows(), "the card names no property, and folders are the classes: nothing tells sources apart"),
        (card(), rows(kind="mono"), "all images are of one source, as far as kind says"),
        (card([], pd.Series("a", rows().index)), rows(), "all images are of one source, as far as folder says"),
    ],
)  # fmt: skip
def test_a_card_with_one_source_is_not_applicable(of, table, reason):
    said = shortcuts.source(of, table)
    assert said == Inapplicable(reason) == shortcuts.naming(said, table, data(table, np.zeros(len(table))))


def test_a_source_within_a_single_group_cannot_be_asked_for():
    table = rows(kind=["rare"] * 12 + ["usual"] * 228, group=[0] * 12 + list(np.arange(228) // EACH + 1))
    found = shortcuts.naming(shortcuts.source(card(), table), table, data(table, np.zeros(len(table))))
    assert isinstance(found, Inapplicable) and "lies in 1 folds only" in found.reason


def test_what_files_tell_is_found():
    table = rows()
    assert verdict(shortcuts.by_file(card(), table.assign(bytes=table["bytes"] + 3000 * table["label"]))) == "refuted"
    nothing = shortcuts.by_file(card([]), table.assign(brightness=50.0 * table["label"]))  # of the picture
    assert verdict(nothing) != "refuted" and abs(nothing.value) < 0.1


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (rows(label=1), "of one class"),
        (rows(bytes=2000, kind="mono"), "no property of the file varies"),
        (rows(label=None), "not all images have labels"),
        (rows(group=0), "for 5 folds"),
    ],
    ids=["one class", "constant properties", "no labels", "one group"],
)
def test_what_files_cannot_be_asked_is_not_applicable(table, reason):
    found = shortcuts.by_file(card(), table)
    assert isinstance(found, Inapplicable) and reason in found.reason and "\n" not in found.reason


@pytest.mark.parametrize("part", ["one class", "one group"])
def test_networks_cannot_be_judged_on_one_class_or_group(part):
    table = rows(60)
    label, group = (1, table["group"]) if part == "one class" else (table["label"], 0)
    seen = table.assign(part="validation", label=label, group=group, probability=0.5)
    found = shortcuts.above_chance([SimpleNamespace(predictions=seen)])
    assert isinstance(found, Inapplicable) and "\n" not in found.reason


def test_constant_scores_are_chance_exactly():
    seen = rows(60).assign(part="validation", probability=0.5)
    found = shortcuts.above_chance([SimpleNamespace(predictions=seen)])
    assert isinstance(found, Estimate) and found.value == 0 and verdict(found) == "confirmed"


def test_data_are_those_of_the_book(book):
    _, context = book
    whole = runs.data_of(battery(context.dataset)[family.WHOLE][0], context)
    names = np.concatenate([part.names for part in whole.parts().values()])
    assert sorted(names) == sorted(custody.development(context)["image"])
