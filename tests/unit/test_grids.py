"""Families of runs are known from the parameters alone, complete, distinct and tied to a chapter that exists."""

import pytest

from lib import cards, config, grids

PARAMETERS = {
    "DATASET": "elpv",
    "IMAGE_SIZE": 24,
    "EPOCHS": 3,
    "LEARNING_RATE": 0.01,
    "SEEDS": [1, 2, 3],
    "THREADS": 1,
    "UNRELATED": "is left alone",
}


def test_simple_network_is_a_run_a_seed_for_extremes_and_for_all():
    study = grids.family("simple_network", PARAMETERS)
    assert {levels: [run.seed for run in runs] for levels, runs in study.items()} == {
        "extreme": [1, 2, 3],
        "all": [1, 2, 3],
    }
    for levels, runs in study.items():
        for run in runs:
            assert (run.levels, run.image_size, run.epochs, run.threads) == (levels, 24, 3, 1)
            assert (run.network.family, run.head.bias, run.phases[0].learning_rate) == ("simple", "prior", 0.01)
            assert run.recipe == cards.load("elpv").recipe


@pytest.mark.parametrize(
    ("names", "settings"),
    [
        ({}, ["all"]),
        ({0.0: "sound", 1.0: "defective"}, ["all"]),
        ({0.0: "sound", 0.5: "doubtful", 1.0: "defective"}, ["extreme", "all"]),
    ],
)
def test_extremes_are_asked_for_where_three_levels_are_graded(monkeypatch, names, settings):
    card = cards.load("elpv")
    card = card.model_copy(update={"labels": card.labels.model_copy(update={"names": names})})
    monkeypatch.setattr(cards, "load", lambda _: card)
    assert list(grids.family("simple_network", PARAMETERS)) == settings


def test_runs_of_one_setting_differ_by_their_seed_alone():
    runs = grids.family("simple_network", PARAMETERS)["all"]
    assert len({run.model_copy(update={"seed": 0}).model_dump_json() for run in runs}) == 1


def test_unknown_family_says_which_exist():
    with pytest.raises(ValueError, match="family 'complex' does not exist; it is one of: .*simple_network"):
        grids.family("complex", PARAMETERS)


def test_missing_parameter_is_named():
    with pytest.raises(KeyError, match="EPOCHS"):
        grids.family("simple_network", {name: value for name, value in PARAMETERS.items() if name != "EPOCHS"})


@pytest.mark.parametrize("profile", config.PROFILES)
@pytest.mark.parametrize("name", sorted(grids.FAMILIES))
def test_every_family_can_be_listed_in_every_profile(name, profile):
    family = grids.FAMILIES[name]
    assert family.chapter in config.chapters()
    study = grids.family(name, config.chapter_parameters(family.chapter, "elpv", profile))
    runs = [run.model_dump_json() for group in study.values() for run in group]
    assert runs and len(set(runs)) == len(runs)
    assert study == grids.family(name, config.chapter_parameters(family.chapter, "elpv", profile))
