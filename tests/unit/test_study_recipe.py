"""The study of the recipe, with tiny parameters: it trains what is missing, says how far it is, and runs to its end."""

import json
import shutil

import pytest

from lib import atomic, chapters, config, custody, grids, studies

TINY = {
    "PROFILE": "cpu", "IMAGE_SIZE": 18, "SMALLER_SIZE": 16, "SIZES": [2, 4], "LARGER_SIZES": [2, 2, 4], "EPOCHS": 3,
    "LEARNING_RATE": 0.01, "BATCH_SIZE": 32, "SMALLER_BATCH": 16, "PATIENCE": 1, "MEASURED_IMAGES": 32, "SEEDS": [7],
    "THREADS": 1,
}  # fmt: skip


@pytest.fixture
def declared(book, prepared) -> config.Study:
    shutil.copytree(prepared, book("cpu").root, dirs_exist_ok=True)
    return config.Study(dataset="elpv", labels="development", family="recipe_full", parameters=TINY)


def test_the_study_trains_once_and_its_page_runs(declared, capsys, monkeypatch):
    study = grids.family("recipe_full", {"DATASET": "elpv", **TINY})
    monkeypatch.setattr(config, "study_settings", lambda name: declared)
    context = config.study("recipe_full", "elpv")
    assert list(studies.train(context, declared)) == [1]
    said = capsys.readouterr().out.splitlines()
    runs = len(study)
    assert said[0] == f"1 of {runs}: simple, seed 7" and said[-1].endswith(
        "about 0 minutes of training at most are left"
    )
    records = config.book_root("elpv", "cpu").glob("runs/*/record.json")
    before = {path: path.stat().st_mtime_ns for path in records}
    assert len(before) == runs
    studies.execute("recipe_full", declared.parameters)
    page = context.root / "chapters" / "study_recipe_full"
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(atomic.read_json(page / "runs_used.json")) == runs
    record = atomic.read_json(page / "record.json")
    assert record["labels"] == "of the development parts alone"
    verdicts = {each["id"]: each["estimate"]["seeds"] for each in atomic.read_json(page / "hypotheses.json")}
    assert verdicts == dict.fromkeys(("R1", "R2", "R3", "R4"), 1)
    assert chapters.incomplete(chapters.read(config.NOTEBOOKS / "study_recipe_full.py"))  # the script itself is not run


def test_a_study_that_trains_gets_no_label_of_the_test_part(book):
    book()
    context = config.Context(
        "recipe_full", "elpv", "studies", config.build_folder() / "elpv" / "studies", book().output
    )
    with pytest.raises(config.UserError, match="declared to see the development parts alone"):
        custody.yardstick_labels(context)


FEATURES = {"backbone": "a", "image_size": 8}


@pytest.mark.parametrize(
    "needs",
    [
        {"labels": "all"},
        {"labels": "all", "family": "recipe_full", "features": FEATURES},
        {"labels": "development", "features": FEATURES},
    ],
)
def test_a_study_needs_one_of_two_things(needs, tmp_path, monkeypatch, capsys):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yml").write_text(json.dumps({"dataset": "elpv", "parameters": {}, **needs}))
    monkeypatch.setattr(config, "PARAMETERS", tmp_path)
    assert studies.main("mine") == 2
    assert "either `features` or `family`" in capsys.readouterr().err


def test_the_published_rows_are_settings_of_the_study():
    published = config.literature("S3.39")
    study = grids.family("recipe_full", {"DATASET": "elpv", **TINY})
    assert set(published["accuracies"]) | set(published["step_milliseconds"]) <= set(study)
