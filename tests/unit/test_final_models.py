"""Finalists from the trained run to the record: what is frozen, what is opened, what an edit of no decision leaves alone."""

import json

import numpy as np
import pandas as pd
import pytest

from lib import atomic, cards, config, custody, features, grids, runs
from lib.custody import opening
from lib.estimates import Inapplicable
from lib.final import comparison, errors, finalists, frozen, record, selection, slices
from lib.runs import Predictions
from lib.training.configuration import Control

FACTS = {"family": "regularise", "setting": "flips", "chapter": "08_regularise"}


@pytest.fixture(scope="module")
def tested(data_folder, tmp_path_factory, configuration):
    """Context of a tiny book, with one trained finalist and what it says of the test part."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(config.BUILD_VARIABLE, str(tmp_path_factory.mktemp("final")))
        patch.setenv(config.DATA_VARIABLE, str(data_folder))
        patch.delenv(config.OUTPUT_VARIABLE, raising=False)
        context = config.chapter("17_final_test", "elpv", "cpu")
        model = finalists.of_run("scratch", runs.get(configuration(), context), FACTS)
        said = model.of_images(context, opening.hidden(context), opening.pictures(context))
        yield context, model, said


def test_it_says_of_validation_what_it_said_when_it_was_trained(tested):
    context, model, said = tested
    finalists.check_same(model, context)
    assert said.shape == (len(opening.hidden(context)),) and ((said > 0) & (said < 1)).all()
    assert model.facts["run"] and model.facts["image_size"] == 18 and model.title == "simple, 18 px: flips of chapter 8"


def test_a_model_that_changed_since_is_refused(tested):
    context, model, _ = tested
    seen = model.known["validation"]
    moved = Predictions(seen.images, seen.groups, seen.labels, seen.probabilities + 0.01)
    other = finalists.Finalist(
        "scratch", "", "k", "d", model.recipe, model.image_size, {"validation": moved}, model.of_pixels
    )
    with pytest.raises(finalists.NotTheSameModel, match="scratch: a probability on validation moved by 0.01"):
        finalists.check_same(other, context)


def test_predictions_do_not_look_at_labels(tested, monkeypatch):
    context, model, said = tested
    hidden = opening.hidden(context).assign(label=1, level=1.0)
    assert (model.of_images(context, hidden, opening.pictures(context)) == said).all()


def known(labels, probability) -> Predictions:
    names = np.array([f"i{number}" for number in range(len(labels))])
    return Predictions(names, np.arange(len(labels)) // 4, np.asarray(labels), np.asarray(probability, float)[None])


def finalist(labels, probability, key="k1"):
    seen = known(labels, probability)
    return finalists.Finalist("a", "a model", "k", key, (), 8, {"tuning": seen, "validation": seen}, lambda *_: None)


def test_decisions_name_model_temperature_and_threshold_and_nothing_else():
    generator = np.random.default_rng(1)
    labels = np.arange(60) % 2
    each = frozen.freeze(finalist(labels, np.clip(labels * 0.3 + 0.7 * generator.random(60), 0, 1)), "sensitivity", 0.9)
    decided = frozen.decisions("a", {"a": each})
    assert decided == {"chosen": "a", "finalists": {"a": each.decision()}}
    assert set(each.decision()) == {"model", "temperature", "threshold"} and json.loads(json.dumps(decided)) == decided
    assert each.threshold == each.decision()["threshold"] == each.point.threshold
    assert len(frozen.table({"a": each})) == 1


def test_a_finalist_that_cannot_be_calibrated_says_why():
    each = frozen.freeze(finalist(np.zeros(20, int), np.linspace(0.1, 0.9, 20)), "sensitivity", 0.9)
    assert (each.temperature, each.reason, each.threshold) == (1.0, "all images are of one class", 0.5)
    assert each.decision() == {"model": "k1", "temperature": 1.0, "threshold": None}


def test_a_classical_finalist_is_keyed_by_features_data_and_settings_and_by_no_code(tested, monkeypatch):
    context, *_ = tested
    names = custody.development(context)["image"].to_numpy()
    matrix = np.random.default_rng(3).normal(size=(len(names), 5)).astype(np.float32)
    asked = features.Settings(recipe=cards.load("elpv").recipe, image_size=64, backbone="efficientnet_lite0")
    described = features.Features(matrix, names, {"key": "f1", "settings": asked.model_dump(mode="json")})
    model = finalists.of_model("classical", "support vector machine", described, context, 7)
    validation = model.known["validation"]
    assert ((validation.probabilities > 0) & (validation.probabilities < 1)).all() and not model.facts["run"]
    monkeypatch.setattr(atomic, "code_sha256", lambda _: "another code")
    again = finalists.of_model("classical", "support vector machine", described, context, 7)
    assert again.key == model.key and (again.known["validation"].probabilities == validation.probabilities).all()
    others = [finalists.of_model("classical", "random forest", described, context, seed).key for seed in (7, 8)]
    assert len({model.key, *others}) == 3
    with pytest.raises(config.UserError, match="CLASSICAL='svm' does not exist"):
        finalists.of_model("classical", "svm", described, context, 7)


def test_a_network_is_declared_by_configuration_and_weights_and_by_no_code(tested, configuration, monkeypatch):
    context, model, _ = tested
    before = atomic.code_sha256
    monkeypatch.setattr(atomic, "code_sha256", lambda text: before(text + "edited = True"))
    edited = finalists.of_run("scratch", runs.get(configuration(), context), FACTS)
    monkeypatch.undo()
    other = finalists.of_run("scratch", runs.get(configuration(seed=9), context), FACTS)
    assert edited.key != model.key and edited.declared == model.declared != other.declared


def test_the_whole_record(tested, monkeypatch):
    context, model, said = tested
    held = {"scratch": frozen.freeze(model, "sensitivity", 0.5)}
    opened = opening.open_labels(context, frozen.decisions("scratch", held))
    raw = {"scratch": frozen.labelled(opened.images, said)}
    seen = held["scratch"].calibrated(raw["scratch"])
    label, p, groups = seen.labels, seen.probabilities[0], seen.groups
    card = cards.load("elpv")
    sliced = slices.measured(label, p, groups, slices.kinds(opened.images, card.properties, card.level_names))
    compared = comparison.pairwise(label, {"scratch": p, "again": 1 - p}, groups)
    constraint = {"metric": "sensitivity", "at_least": 0.5}
    path = record.write(context, "scratch", constraint, held, opened, raw, sliced, compared)
    found = atomic.read_json(path)
    assert path.name == "final.json" and found["rehearsal"] is False and found["chosen"] == "scratch"
    assert found["parts"]["test"]["images"] == len(label) == sum(sum(row) for row in found["confusion"]["scratch"])
    assert found["finalists"]["scratch"]["key"] == model.key and found["openings"]["count"] == 1
    auc = found["metrics"]["test"]["scratch"]["auc"]
    assert auc["low"] <= auc["value"] <= auc["high"] and auc["groups"] == len(np.unique(groups))
    assert {each["by"] for each in found["slices"]} >= {"module type", "brightness", "label"}
    assert found["comparisons"][0]["difference"]["value"] == pytest.approx(2 * auc["value"] - 1)
    assert set(found["calibration"]["scratch"]["calibrated"]) == {"tuning", "validation", "test"}
    assert record.told(context, opened).text.startswith(
        "The ledger, custody/elpv.jsonl, counts 1 opening; this is entered"
    )
    again = opening.open_labels(context, frozen.decisions("scratch", held))
    assert again.again and "these very decisions, run again" in record.told(context, again).text
    assert record.openings_table(context)["reason"].tolist() == ["first opening"]
    assert json.loads(path.read_text()) == found


def test_the_surest_errors_come_first():
    images = pd.DataFrame({"image": list("abcdef"), "label": [0, 0, 0, 1, 1, 1]})
    found = errors.surest(images, np.array([0.9, 0.2, 0.6, 0.3, 0.8, 0.1]), ["sound", "defective"], most=1)
    assert found["image"].tolist() == ["f", "a"] and found["probability"].tolist() == pytest.approx([0.9, 0.9])
    assert found["decided"].tolist() == ["sound", "defective"]
    everything = errors.surest(images, np.array([0.9, 0.2, 0.6, 0.3, 0.8, 0.1]), ["sound", "defective"])
    assert len(everything) == 4 and everything["true"].tolist() == ["defective"] * 2 + ["sound"] * 2
    none = errors.surest(images, images["label"].to_numpy(float), ["sound", "defective"])
    assert errors.pictures(none, lambda name: b"") == ({}, [])


def test_finalists_are_settings_of_earlier_chapters_and_train_nothing_anew():
    given = config.chapter_parameters("17_final_test", "elpv", "smoke")
    study = grids.family("final_test", given)
    for name, pin in {"scratch": given["SCRATCH"], "transfer": given["TRANSFER"]}.items():
        chapter = grids.FAMILIES[pin[0]].chapter
        of_chapter = grids.family(pin[0], config.chapter_parameters(chapter, "elpv", "smoke"))
        assert study[name] == of_chapter[pin[1]][:1] and chapter < "17_final_test"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"SCRATCH": ["regularise", "flip"]}, "setting of regularise='flip' does not exist.*flips"),
        ({"TRANSFER": ["depths", "1 block"]}, "family of a finalist='depths' does not exist.*depth"),
        ({"TRANSFER": ["final_test", "scratch"]}, "family of a finalist='final_test' does not exist"),
        ({"SCRATCH": ["flips"]}, "SCRATCH is .'flips'.; give two names"),
    ],
)
def test_a_pin_that_does_not_exist_is_one_line(change, words):
    with pytest.raises(config.UserError, match=words) as caught:
        grids.family("final_test", config.chapter_parameters("17_final_test", "elpv", "smoke") | change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"CLASSICAL": "svm"}, "CLASSICAL='svm' does not exist; CLASSICAL is one of: dummy, .*support vector machine"),
        ({"CHOSEN": "the best"}, "CHOSEN is 'the best'; give classical, scratch or transfer"),
        ({"CONSTRAINED": "auc"}, "CONSTRAINED is 'auc'; give sensitivity, specificity or precision"),
        ({"AT_LEAST": 95.0}, "AT_LEAST is 95.0; give a fraction between 0 and 1"),
    ],
)
def test_parameters_that_cannot_be_are_one_line_before_anything_runs(change, words):
    with pytest.raises(config.UserError, match=words):
        grids.check("final_test", config.chapter_parameters("17_final_test", "elpv", "smoke") | change)


def test_what_is_no_candidate(configuration):
    assert selection.kind(configuration()) == "scratch"
    assert selection.kind(configuration(levels="extreme")) is None
    assert selection.kind(configuration(train_share=0.5)) is None
    assert selection.kind(configuration(control=Control(shuffled_labels=True))) is None
    pretrained = {"family": "efficientnet_lite", "parameters": {"variant": "lite0", "weights": "imagenet"}}
    assert selection.kind(configuration(network=pretrained)) == "transfer"


def test_the_pin_is_held_against_the_best_other_of_its_kind():
    labels, generator = np.arange(80) % 2, np.random.default_rng(2)
    good, poor = labels + generator.normal(0, 0.5, 80), labels + generator.normal(0, 3, 80)
    found = {name: known(labels, 1 / (1 + np.exp(-score))) for name, score in {"good": good, "poor": poor}.items()}
    assert selection.best(found) == "good"
    assert selection.supported("good", found).interval()[0] > 0 > selection.supported("poor", found).interval()[1]
    assert isinstance(selection.supported("absent", found), Inapplicable)
    assert "only candidate" in selection.supported("good", {"good": found["good"]}).reason
    twice = {"good": found["good"], "the same, of another chapter": found["good"]}
    assert "only candidate" in selection.supported("good", twice).reason
    table = selection.table({"scratch": found}, {"scratch": "poor"}, most=1)
    assert table["candidate"].tolist() == ["good", "poor"] and table["pinned"].tolist() == [False, True]
    assert table["seeds"].tolist() == [1, 1]
    said = selection.followed({"scratch": found}, {"scratch": "poor"})
    assert "scratch: poor stands at place 2 of 2" in said and "of good" in said
    assert selection.followed({"scratch": found}, {"scratch": "good"}).startswith("Every pin is the first")


def test_a_pin_of_several_seeds_is_compared_by_its_mean_not_by_its_luckiest_seed():
    labels, generator = np.arange(80) % 2, np.random.default_rng(2)
    scores = np.stack([labels + generator.normal(0, spread, 80) for spread in (0.3, 4, 4)])
    lone = known(labels, 1 / (1 + np.exp(-(labels + generator.normal(0, 1, 80)))))
    several = Predictions(lone.images, lone.groups, labels, 1 / (1 + np.exp(-scores)))
    found = {"lone": lone, "several": several}
    measured = selection.supported("several", found)
    assert (
        measured.value == pytest.approx(selection.mean_auc(several) - selection.mean_auc(lone)) and measured.value < 0
    )
    first = Predictions(lone.images, lone.groups, labels, several.probabilities[:1])
    assert selection.supported("several", {"lone": lone, "several": first}).value > 0
    assert measured.half_width() > selection.supported("several", {"lone": lone, "several": first}).half_width()
