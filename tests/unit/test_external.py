"""A frozen model on another data set: refused before anything runs, or tried as it is, with nothing tuned."""

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from lib import book as command
from lib import cards, config, custody, external, graph, pixels, runs
from lib.custody.external import Outside, outside
from lib.estimates import Inapplicable
from lib.final import external as check
from lib.final import finalists, frozen
from tests.data import TREES
from tests.unit.conftest import elpv_like

CHAPTER = "11_image_size"


@pytest.fixture(autouse=True)
def nothing_asked_for_stays(monkeypatch):
    """What a test settles is for the processes that it would start, not for the next test."""
    monkeypatch.setenv(external.NAME_VARIABLE, "")
    monkeypatch.setenv(external.FOLDER_VARIABLE, "")


@pytest.fixture
def elsewhere(book, tmp_path, monkeypatch) -> Path:
    """A data set laid out as the book's, with other images; asked for as EXTERNAL_DATA."""
    folder = elpv_like["write"](tmp_path / "elsewhere", groups=6, seed=8)
    monkeypatch.setenv(external.NAME_VARIABLE, "elpv")
    monkeypatch.setenv(external.FOLDER_VARIABLE, str(folder))
    return folder


@pytest.fixture
def folders(elsewhere, tmp_path, monkeypatch) -> Path:
    """The same images in a folder for each class, whose names stand in the other order than the card's classes."""
    folder = tmp_path / "by_class"
    for line in (elsewhere / "data" / "labels.csv").read_text().splitlines():
        image, level, _ = line.split()
        place = folder / ("defective" if float(level) > 0.5 else "sound")
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(elsewhere / "data" / image, place)
    external.settle("", str(folder))
    return folder


def refusal(name: str, dataset: str = "elpv") -> str:
    with pytest.raises(config.UserError) as caught:
        external.card(name, dataset)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_other_classes_are_refused(elsewhere, planted, monkeypatch):
    monkeypatch.setenv(external.FOLDER_VARIABLE, str(planted("chest_xray").folder))
    said = refusal("chest_xray")
    assert said.startswith("EXTERNAL='chest_xray' has other classes (normal, pneumonia) than elpv (sound, defective)")


def test_images_of_the_book_itself_are_refused(elsewhere, data_folder, monkeypatch):
    monkeypatch.setenv(external.FOLDER_VARIABLE, str(data_folder))
    assert refusal("elpv").startswith("EXTERNAL='elpv' is the images of the book itself")


def test_mistakes_speak_of_external(elsewhere, monkeypatch):
    assert refusal("elvp").startswith("EXTERNAL='elvp' does not exist; EXTERNAL is one of: cats_and_dogs, ")
    monkeypatch.setenv(external.FOLDER_VARIABLE, "/no/such")
    assert refusal("elpv") == (
        "EXTERNAL_DATA='/no/such' is no folder; EXTERNAL_DATA is a folder that holds the images of the data set"
    )


@pytest.mark.parametrize(
    ("name", "folder", "line"),
    [
        ("chest_xray", "chest_xray", "EXTERNAL='chest_xray' has other classes"),
        ("chest_xray", "", "EXTERNAL_DATA is missing: name the folder"),
        ("elvp", "", "EXTERNAL='elvp' does not exist; EXTERNAL is one of: "),
        ("elpv", "", "EXTERNAL='elpv' is the images of the book itself"),
        ("", "/no/such", "EXTERNAL_DATA='/no/such' is no folder"),
        ("", "folder imbalanced", "EXTERNAL_DATA='{place}' has other classes (cats, dogs) than elpv"),
    ],
)
def test_make_book_refuses_in_one_line_before_anything_is_built(
    book, tmp_path, planted, monkeypatch, capsys, name, folder, line
):
    place = str(planted(folder).folder) if folder in TREES else folder
    options = ["--dataset=elpv", "--profile=smoke", "--no-serve", "--data="]
    monkeypatch.setattr(sys, "argv", ["book", *options, f"--external={name}", f"--external-data={place}"])
    monkeypatch.setattr(command.processes, "run", lambda line: pytest.fail("something was run"))
    book()
    shutil.rmtree(tmp_path / "build")
    assert command.main() == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith(line.format(place=place)) and said.err.count("\n") == 1, said.err
    assert not (tmp_path / "build").exists()


def test_the_folder_becomes_absolute_and_data_stays_what_it_was(elsewhere, data_folder, monkeypatch):
    monkeypatch.chdir(elsewhere.parent)
    external.settle("elpv", elsewhere.name)
    assert os.environ[external.FOLDER_VARIABLE] == str(elsewhere) and external.asked() == "elpv"
    assert os.environ[config.DATA_VARIABLE] == str(data_folder)
    with external.images():
        assert config.data_folder() == [elsewhere]
    assert config.data_folder() == [data_folder]
    external.settle("", "")
    assert external.asked() == "" == os.environ[external.FOLDER_VARIABLE]


def test_only_a_chapter_with_the_parameter_is_told_and_depends_on_it(elsewhere, monkeypatch):
    assert external.PARAMETER not in external.parameters(CHAPTER, "elpv", "smoke")
    before = graph.chapter_fingerprint(CHAPTER, "elpv", "smoke")
    given = config.chapter_parameters(CHAPTER, "elpv", "smoke")
    with monkeypatch.context() as patch:
        patch.setenv(external.NAME_VARIABLE, "")
        assert graph.chapter_fingerprint(CHAPTER, "elpv", "smoke") == before
    monkeypatch.setattr(config, "chapter_parameters", lambda *names: given | {external.PARAMETER: ""})
    assert external.parameters(CHAPTER, "elpv", "smoke")[external.PARAMETER] == "elpv"
    asked = graph.chapter_fingerprint(CHAPTER, "elpv", "smoke")
    image = next((elsewhere / "data" / "images").iterdir())
    image.write_bytes(image.read_bytes() + b"0")
    changed = graph.chapter_fingerprint(CHAPTER, "elpv", "smoke")
    monkeypatch.setenv(external.NAME_VARIABLE, "")
    without = graph.chapter_fingerprint(CHAPTER, "elpv", "smoke")
    assert len({before, asked, changed, without}) == 4


def test_copies_and_pictures_of_the_book_are_left_out(elsewhere, data_folder, book):
    images = elsewhere / "data" / "images"
    first, second, third, *_ = sorted(images.iterdir())
    shutil.copy(first, second)
    own = custody.development(book())["path"].iloc[0]
    shutil.copy(data_folder / "data" / own, third)
    found = outside(book(), "elpv")
    assert list(found.steps.values()) == [48, 48, 47, 46]
    assert len(found.table) == 46 and f"images/{third.name}" not in set(found.table["image"])
    (elsewhere / "data" / "labels.csv").write_text(f"{own}  0.0  mono\n")
    shutil.copy(data_folder / "data" / own, elsewhere / "data" / own)
    with pytest.raises(config.UserError, match="no image that the book does not have"):
        outside(book(), "elpv")


def test_classes_go_by_their_names(folders, elsewhere, book):
    found = outside(book(), external.asked())
    assert found.card.classes == ["defective", "sound"]
    named = found.table["path"].str.startswith("defective/")
    assert found.table["label"].tolist() == named.astype(int).tolist() and 0 < named.sum() < len(named)


def test_smoke_takes_as_few_as_it_takes_of_the_book(elsewhere, book, monkeypatch):
    monkeypatch.setattr(config, "profile_settings", lambda profile: config.Profile(images=20))
    assert len(outside(book(), "elpv").table) == 20


def frozen_run(run: runs.Run, temperature: float = 1.0) -> frozen.Frozen:
    finalist = finalists.of_run("scratch", run, {"setting": "simple", "chapter": "05_simple_network"})
    return frozen.Frozen(finalist, temperature, "", Inapplicable("not asked"))


def test_predictions_are_those_of_the_model_and_leave_it_as_it_is(
    elsewhere, data_folder, book, configuration, monkeypatch
):
    """On images of the book, given as if they came from elsewhere, they are what the run itself predicted."""
    context = book()
    run = runs.get(configuration(), context)
    before = {path.name: path.read_bytes() for path in run.folder.iterdir()}
    rows = custody.development(context)
    rows = rows[rows["part"] == "validation"].reset_index(drop=True)
    there = Outside(cards.load("elpv"), rows, {})
    monkeypatch.setattr(check, "outside", lambda context, name: there)
    monkeypatch.setenv(external.FOLDER_VARIABLE, str(data_folder))
    own = runs.predictions_by_seed([run], "validation")
    for temperature in (1.0, 2.0):
        model = frozen_run(run, temperature)
        found = check.tried(model, "elpv", context, model.calibrated(own))
        for sides in found.scores.values():
            assert abs(sides[check.DROP].value) < 1e-6
    unlike = check.tried(frozen_run(run, 5.0), "elpv", context, own).scores["log_loss"][check.DROP]
    assert abs(unlike.value) > 1e-5  # the temperature is used
    assert {path.name: path.read_bytes() for path in run.folder.iterdir()} == before


class Brightness:
    """A model that needs no training: the mean of the pixels that its recipe leaves at 18 pixels per side."""

    def of_images(self, context, images, read):
        cache = pixels.cached(context.root / "pixels", read, images, cards.load("elpv").recipe, 18)
        return np.asarray(cache.array).mean(axis=(1, 2, 3)) / 255


def test_colour_pictures_go_through_the_recipe_of_the_model(elsewhere, book):
    model = frozen.Frozen(Brightness(), 1.0, "", Inapplicable("not asked"))
    grey = check.tried(model, "elpv", book(), drawn(1, 2.0))
    for path in (elsewhere / "data" / "images").iterdir():
        cv2.imwrite(str(path), np.dstack([cv2.imread(str(path), 0)] * 3))
    colour = check.tried(model, "elpv", book(), drawn(1, 2.0))
    assert colour.scores["auc"][check.OTHER].value == grey.scores["auc"][check.OTHER].value < 0.5  # defects are dark
    assert colour.scores["auc"][check.OTHER].images == 48
    assert "48 images in 6 groups" in colour.told().text and "All its labels were read" in colour.told().text


def test_nothing_is_tried_where_nothing_was_asked_for(book):
    found = check.tried(None, "", book(), drawn(1, 2.0))
    assert found.record() is None and "make book EXTERNAL" in found.table().text
    assert isinstance(found.gain("auc"), Inapplicable) and found.told().text


def drawn(seed: int, signal: float, groups: int = 12) -> runs.Predictions:
    generator = np.random.default_rng(seed)
    labels = np.tile([0, 1], groups * 10)
    score = 1 / (1 + np.exp(-signal * (labels - 0.5) - generator.normal(size=len(labels))))
    names = np.array([f"{seed}-{number}" for number in range(len(labels))])
    return runs.Predictions(names, np.repeat(np.arange(groups), 20).astype(str), labels, score[None])


def test_drop_is_own_minus_other_with_an_interval():
    own, other = drawn(1, 3.0), drawn(2, 0.5)
    found = check.compared(own, other, threshold=0.5)
    assert {"auc", "sensitivity", "specificity", "brier"} <= set(found)
    for sides in found.values():
        drop = sides[check.DROP]
        assert drop.value == pytest.approx(sides[check.OWN].value - sides[check.OTHER].value)
    low, _ = found["auc"][check.DROP].interval()
    assert low > 0.05 and found["brier"][check.DROP].value < 0
    low, high = check.compared(own, drawn(3, 3.0), 0.5)["auc"][check.DROP].interval()
    assert low < 0 < high


def test_threshold_is_the_frozen_one():
    own, other = drawn(1, 2.0), drawn(2, 2.0)
    low, high = (check.compared(own, other, threshold)["sensitivity"] for threshold in (0.2, 0.8))
    assert low[check.OTHER].value > 0.9 > high[check.OTHER].value and low[check.OWN].value > high[check.OWN].value


def test_one_class_elsewhere_is_said_instead_of_a_number():
    other = drawn(2, 2.0)
    other = replace(other, labels=np.zeros_like(other.labels))
    found = check.compared(drawn(1, 2.0), other, 0.5)
    assert isinstance(found["auc"][check.DROP], Inapplicable)
    assert "auc needs images of label 1" in str(found["auc"][check.DROP])
    assert found["specificity"][check.DROP].half_width() > 0


def test_record_holds_what_the_pages_say(elsewhere, book):
    images = outside(book(), "elpv")
    found = check.Tried(images, check.compared(drawn(1, 2.0), drawn(2, 2.0), 0.5))
    said = found.record()
    assert json.loads(json.dumps(said)) == said and (said["images"], said["groups"]) == (48, 6)
    assert set(said["metrics"]["auc"]) == {check.OWN, check.OTHER, check.DROP}
    assert said["metrics"]["auc"][check.DROP]["level"] == 0.95
    assert found.gain("auc").value == -said["metrics"]["auc"][check.DROP]["value"]
    assert said["title"] in found.told().text and "auc" in str(found.table())
