"""One thing at a time: which fields of two configurations differ, in words, and what breaks the rule."""

import pytest

from lib import lineage, steps
from lib.training.augmentation import Flip, Noise
from lib.training.configuration import Control, EarlyStopping, Head, Mixing, Network, Phase, Plateau

PHASE = {"epochs": 9, "learning_rate": 0.01}
XCEPTION = {"family": "xception", "parameters": {"stem": [4, 8], "sizes": [8, 16]}}


def phases(**changes) -> dict:
    return {"phases": (Phase(**PHASE | changes),)}


def network(**changes) -> dict:
    return {"network": Network(family="xception", parameters=XCEPTION["parameters"] | changes)}


@pytest.fixture
def parent(configuration):
    """`parent(**changes)`: a run of a reduced Xception, nine epochs."""
    return lambda **changes: configuration(**{**phases(), **network(), **changes})


CHANGES = {
    "seed": ({"seed": 99}, [], ""),
    "dropout": ({"head": Head(dropout=0.5)}, ["head.dropout"], "dropout 0 → 0.5"),
    "bias": ({"head": Head(bias=0.0)}, ["head.bias"], "bias prior → 0"),
    "hidden": ({"control": Control(hidden=0.99)}, ["control.hidden"], "hidden 0 → 0.99"),
    "shuffled": ({"control": Control(shuffled_labels=True)}, ["control.shuffled_labels"], "shuffled labels no → yes"),
    "size": ({"image_size": 24}, ["image_size"], "image size 18 → 24"),
    "augmentation": (
        {"augmentation": (Flip(), Noise(deviation=0.1))},
        ["augmentation"],
        "augmentation none → flip + noise (deviation 0.1)",
    ),
    "mixing": ({"mixing": Mixing(kind="mixup")}, ["mixing"], "mixing none → mixup"),
    "schedule": (
        phases(schedule=Plateau(patience=2)),
        ["phases.1.schedule"],
        "schedule none → plateau (patience 2)",
    ),
    "stopping": (
        phases(early_stopping=EarlyStopping()),
        ["phases.1.early_stopping"],
        "early stopping none → patience 5",
    ),
    "rate": (phases(learning_rate=0.1), ["phases.1.learning_rate"], "learning rate 0.01 → 0.1"),
    "two phases": (
        {"phases": (Phase(epochs=4), Phase(epochs=5))},
        ["phases.1.epochs", "phases.1.learning_rate", "phases.2"],
        None,
    ),
    "parameter": (network(dropout=0.3), ["network.parameters.dropout"], "dropout in the network as usual → 0.3"),
    "sizes": (network(sizes=[8, 8, 16]), ["network.parameters.sizes"], "sizes 8, 16 → 8, 8, 16"),
    "family": (
        {"network": Network(family="simple")},
        ["network"],
        "network xception (parameters stem 4, 8, sizes 8, 16) → simple",
    ),
    "two things": (
        {"l2": 0.001, "batch_size": 8},
        ["batch_size", "l2"],
        "batch size 16 → 8; l2 0 → 0.001",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "fields", "words"), CHANGES.values(), ids=CHANGES)
def test_changes_are_found_and_said(parent, change, fields, words):
    found = lineage.changes(parent(**change), parent())
    assert sorted(found) == sorted(fields)
    assert words is None or lineage.in_words(found) == words


def test_a_recipe_is_one_thing(parent):
    recipe = parent().recipe
    found = lineage.changes(parent(recipe=recipe[::-1]), parent())
    assert found == {"recipe": (recipe, recipe[::-1])} and " + " in lineage.in_words(found)


def test_of_recipes_only_the_difference_is_said(parent):
    first, *others = parent().recipe
    found = lineage.changes(parent(recipe=(first, steps.Median(window=5), *others)), parent())
    assert lineage.in_words(found) == "recipe none → median (window 5)"


def test_changes_turn_round(parent):
    there, back = lineage.changes(parent(l2=0.1), parent()), lineage.changes(parent(), parent(l2=0.1))
    assert there == {"l2": (0, 0.1)} and back == {"l2": (0.1, 0)}


def study(parent, **settings) -> dict:
    return {
        "root": [parent(seed=seed) for seed in (1, 2)],
        **{name: [parent(**change, seed=seed) for seed in (1, 2)] for name, change in settings.items()},
    }


def test_settings_are_described(parent):
    table = lineage.described(
        study(parent, L2={"l2": 0.1}, other={"batch_size": 4, "l2": 0.1}), {"L2": "root", "other": "L2"}
    )
    assert table.to_numpy().tolist() == [
        ["root", "", ""], ["L2", "root", "l2 0 → 0.1"], ["other", "L2", "batch size 16 → 4"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"l2": 0.1, "batch_size": 4}, "differs from its parent 'root' by batch_size, l2"),
        ({}, "differs from its parent 'root' by nothing"),
        (phases(epochs=10), "has other epochs than its parent 'root'"),
    ],
)
def test_a_planted_family_that_breaks_the_rule_is_told(parent, settings, told):
    with pytest.raises(lineage.NotOneChange, match=f"'planted' {told}"):
        lineage.changed(study(parent, planted=settings), {"planted": "root"})


def test_other_seeds_are_told(parent):
    planted = {**study(parent), "planted": [parent(l2=0.1, seed=seed) for seed in (1, 3)]}
    with pytest.raises(lineage.NotOneChange, match="other seeds"):
        lineage.changed(planted, {"planted": "root"})


def test_a_seed_that_changes_more_is_told(parent):
    planted = study(parent, planted={"l2": 0.1})
    planted["planted"][1] = parent(l2=0.2, seed=2)
    with pytest.raises(lineage.NotOneChange, match="'planted' differs"):
        lineage.changed(planted, {"planted": "root"})
