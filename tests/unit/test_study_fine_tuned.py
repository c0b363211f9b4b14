"""Fine-tuning on published splits, in tiny: what is divided, trained once, gone on with, decided, and shown."""

import contextlib
import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib import atomic, cards, chapters, config, custody, protocols, runs, studies, yardstick
from lib.grids import strategies
from lib.training.configuration import Network

TINY = {
    "BACKBONE": "efficientnet_lite0", "IMAGE_SIZE": 18, "EPOCHS": 3, "LEARNING_RATE": 0.01, "BATCH_SIZE": 32,
    "MEASURED_IMAGES": 32, "TEST_SHARES": [0.2, 0.25], "TUNING_SHARE": 0.1, "SPLITS": 2, "SEED": 7, "REACH": 0.5, "THREADS": 1,
}  # fmt: skip
NAMES = ["80/20, random", "80/20, block", "75/25, random", "75/25, block"]
STOPPED = 3  # runs that are there when the study is stopped


@pytest.fixture(scope="module")
def patch(data_folder, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(config.BUILD_VARIABLE, str(tmp_path_factory.mktemp("build")))
        patch.setenv(config.DATA_VARIABLE, str(data_folder))
        patch.delenv(config.OUTPUT_VARIABLE, raising=False)
        declared = config.Study(dataset="elpv", labels="all", family="fine_tuned", parameters=TINY)
        patch.setattr(config, "study_settings", lambda name: declared)
        small = Network(family="simple", parameters={"filters": [4, 4]})
        patch.setattr(strategies, "usable", lambda entries: {entries[0]: small})
        yield patch


@pytest.fixture(scope="module")
def context(patch) -> config.Context:
    return config.study("elpv_224", "elpv")


@pytest.fixture(scope="module")
def images(context) -> pd.DataFrame:
    return custody.yardstick_labels(context)


@pytest.fixture(scope="module")
def divided(images) -> dict[str, np.ndarray]:
    return protocols.divided(images, cards.load("elpv"), TINY["TEST_SHARES"], TINY["TUNING_SHARE"], 2, 7)


@pytest.fixture(scope="module")
def trained(context, patch) -> dict:
    """The study, stopped after a few runs and started again: when each record was written, before and after; what it said."""
    declared, begun, on = config.study_settings("elpv_224"), [], runs.on

    def stopped(*arguments):
        if len(begun) == STOPPED:
            raise KeyboardInterrupt
        begun.append(arguments)
        return on(*arguments)

    patch.setattr(runs, "on", stopped)
    with pytest.raises(KeyboardInterrupt):
        list(studies.train(context, declared))
    patch.setattr(runs, "on", on)
    before = written(context)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        shown = list(studies.train(context, declared))
    return {"before": before, "after": written(context), "said": said.getvalue().splitlines(), "shown": shown}


@pytest.fixture(scope="module")
def page(trained, context) -> SimpleNamespace:
    """Everything that the code of the notebook leaves behind, cell by cell in this process."""
    left: dict = {}
    for cell in chapters.read(config.NOTEBOOKS / "study_elpv_224.py").cells:
        if cell.cell_type == "code":
            exec(cell.source, left)
            if "parameters" in cell.metadata.get("tags", []):
                assert set(TINY) <= set(left)
                left |= TINY
    return SimpleNamespace(**left)


def written(context: config.Context) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in context.root.glob("runs/*/record.json")}


def test_every_image_has_one_part_and_the_published_share_is_tested(divided, images):
    assert list(divided) == NAMES
    for name, share in zip(NAMES, (0.2, 0.2, 0.25, 0.25), strict=True):
        parts = divided[name]
        assert parts.shape == (2, len(images)) and set(parts.ravel()) == {"train", "tuning", "validation"}
        assert np.allclose((parts == "validation").mean(axis=1), share, atol=0.01 if "random" in name else 0.07)
        assert (parts[0] != parts[1]).any()


def test_no_block_is_divided_where_blocks_are_held_out(divided, images):
    for name, parts in divided.items():
        most = max(pd.Series(split).groupby(images["group"]).nunique().max() for split in parts)
        assert (most == 1) == ("block" in name)


def test_random_splits_are_those_of_the_other_study(divided, images):
    strata = (images["module_type"] + images["level"].astype(str)).to_numpy()
    tested = yardstick.random_splits(strata, 0.2, 2, 7)
    assert ((divided[NAMES[0]] == "validation") == tested).all()


@pytest.mark.parametrize(
    ("tuning_share", "splits", "said"), [(0.01, 2, "128 images cannot be divided with 0.2"), (0.1, 1, "SPLITS is 1")]
)
def test_what_cannot_be_divided_is_refused_in_one_line(images, tuning_share, splits, said):
    with pytest.raises(config.UserError, match=said):
        protocols.divided(images, cards.load("elpv"), [0.2], tuning_share, splits, 7)


def test_images_too_small_are_refused_before_any_training(context, patch):
    declared = config.Study(dataset="elpv", labels="all", family="fine_tuned", parameters=TINY | {"IMAGE_SIZE": 1})
    before = written(context)
    with pytest.raises(config.UserError, match="IMAGE_SIZE 1 is too small"):
        list(studies.train(context, declared))
    assert written(context) == before


def test_a_study_that_was_stopped_goes_on(trained):
    before, after = trained["before"], trained["after"]
    assert len(before) == STOPPED and len(after) == len(NAMES) * TINY["SPLITS"]
    assert before.items() <= after.items()


def test_it_says_how_long_a_run_took_and_what_is_left(trained):
    said = trained["said"]
    assert said[0] == "1 of 8: 80/20, random, seed 7" and said[1].startswith("  trained in ")
    assert said[8] == "5 of 8: 80/20, random, seed 8"  # every kind has a split before one has two
    assert said[-1].endswith("about 0 minutes of training at most are left")


def test_it_is_shown_from_the_second_split_on_and_anew_after_each_that_was_trained(trained, context, monkeypatch):
    assert trained["shown"] == [2]
    seen, waiting = [], iter(range(100))

    def get(number: int, there: bool) -> SimpleNamespace:
        seen.append(number)
        started = "2000-01-01T00:00:00+00:00" if there else "2999-01-01T00:00:00+00:00"
        return SimpleNamespace(record={"training_seconds": 1.0, "started": started})

    def rounds(*_) -> list:
        there = (True, True, False, False, True)
        return [[("a", next(waiting), lambda each=each, n=n: get(n, each))] for n, each in enumerate(there)]

    monkeypatch.setattr(studies, "of_splits", rounds)
    declared = config.study_settings("elpv_224")
    assert list(studies.train(context, declared)) == [3, 4, 5] and seen == [0, 1, 2, 3, 4]
    assert studies.with_rounds(declared, 3) == TINY | {"SPLITS": 3}
    of_seeds = declared.model_copy(update={"parameters": {"SEEDS": [7, 8, 9]}})
    assert studies.with_rounds(of_seeds, 2) == {"SEEDS": [7, 8]}


def test_the_first_splits_are_the_same_however_many_there_are(divided, images):
    more = protocols.divided(images, cards.load("elpv"), TINY["TEST_SHARES"], TINY["TUNING_SHARE"], 3, 7)
    assert all((more[name][:2] == parts).all() for name, parts in divided.items())


def test_the_page_takes_the_same_runs_and_learns_from_no_tested_image(page, trained, context):
    assert written(context) == trained["after"]
    for name, finished in page.finished.items():
        for run, parts in zip(finished, page.kinds[name], strict=True):
            seen = run.predictions.set_index("image")["part"].loc[page.images["image"]]
            assert (seen.to_numpy() == parts).all()
            assert run.record["best_epoch"] == TINY["EPOCHS"]  # nothing was chosen


def test_accuracies_are_those_that_the_runs_measured(page):
    for name, finished in page.finished.items():
        measured = [run.record["scores"]["last"]["validation"]["accuracy"] for run in finished]
        assert page.found[name].accuracies() == pytest.approx(measured)
        best = [max(run.history.query("part == 'validation' and epoch > 0")["accuracy"]) for run in finished]
        assert protocols.picked(finished) == pytest.approx(best) and (page.added[name] >= 0).all()


def test_verdicts_compare_with_the_published_numbers(page, context):
    recorded = {each["id"]: each for each in atomic.read_json(context.output / "hypotheses.json")}
    assert {id: each["margin"] for id, each in recorded.items()} == {"F1": 0.874, "F2": 0.899, "F3": 0.884, "F4": 0}
    weights = yardstick.confidence(page.images["level"])
    weighted = page.found["75/25, random"].accuracies(weights=weights).mean()
    assert recorded["F3"]["estimate"]["value"] == pytest.approx(weighted)
    assert recorded["F1"]["estimate"]["seeds"] == TINY["SPLITS"]
    assert atomic.read_json(context.output / "labels_used.json")["images"] == len(page.images)
