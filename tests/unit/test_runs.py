"""A run is trained once, read without TensorFlow, refused when damaged, and keyed by what decides its result."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib import atomic, config, custody, runs, splits
from lib.training import measure, train
from lib.training.configuration import Configuration, Phase

SCORES = {"loss", "accuracy", "auc", "precision", "recall", "f1"}


@pytest.fixture(scope="module")
def built(prepared, data_folder, configuration, tmp_path_factory):
    """Root of a book that has one finished run; never changed."""
    root = shutil.copytree(prepared, tmp_path_factory.mktemp("built") / "cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(config.DATA_VARIABLE, str(data_folder))
        runs.get(configuration(), config.Context("test", "elpv", "cpu", root, root / "output"))
    return root


@pytest.fixture
def context(built, book, tmp_path):
    """A copy of it that a test may change."""
    root = shutil.copytree(built, tmp_path / "cpu")
    return config.Context("test", "elpv", "cpu", root, root / "output")


@pytest.fixture
def no_training(monkeypatch):
    monkeypatch.setattr(train, "train", lambda *_: pytest.fail("trained again"))


def test_finished_run_is_read_not_trained(context, no_training, configuration):
    first, again = (runs.get(configuration(), context) for _ in range(2))
    assert first.key == again.key and first.folder == again.folder == context.root / "runs" / first.key
    assert first.configuration == configuration()


def test_another_configuration_is_trained(context, configuration):
    other = runs.get(configuration(phases=(Phase(epochs=0),)), context)
    assert other.key != runs.get(configuration(), context).key and other.history["epoch"].max() == 0


def test_finished_run_is_read_without_tensorflow(context, python, configuration):
    code = f"""
        import pathlib, sys
        from lib import config, runs
        from lib.training.configuration import Configuration
        root = pathlib.Path({str(context.root)!r})
        context = config.Context("test", "elpv", "cpu", root, root / "output")
        run = runs.get(Configuration.model_validate_json({configuration().model_dump_json()!r}), context)
        assert len(run.predictions) and len(run.history) and len(run.dynamics)
        runs.predictions_by_seed([run], "validation")
        print(sorted({{"tensorflow", "keras"}} & set(sys.modules)))
    """
    assert python(code) == "[]\n"


def test_record_says_what_was_done(context, configuration):
    record = runs.get(configuration(), context).record
    assert {row["part"] for row in record["history"]} == {"train", "tuning", "validation"}
    assert len(record["history"]) == 6
    assert all(set(row) == SCORES | {"epoch", "part", "learning_rate"} for row in record["history"])
    assert record["parameters_total"] == record["parameters_trained"] == 3 * 9 * 4 + 4 + 4 * 9 * 4 + 4 + 4 + 1
    assert [row["learning_rate"] for row in record["history"]] == [None] * 3 + [0.01] * 3
    assert (record["best_epoch"], record["stopped_epoch"]) == (1, 1)
    last = {row["part"]: row for row in record["history"][3:]}
    assert record["scores"] == {"best": last, "last": last}
    assert record["layers_unfrozen"] == 3 and record["seed"] == configuration().seed and record["training_seconds"] > 0
    assert record["started"].endswith("+00:00") and record["device"]["cores"] >= 1 and record["versions"]["tensorflow"]
    assert Configuration.model_validate(record["configuration"]) == configuration()


def test_run_with_frozen_blocks_answers_from_what_is_stored_in_the_book(context, configuration):
    asked = configuration(phases=[Phase(epochs=1, unfrozen=0)], storing={})
    run, found = runs.get(asked, context), runs.get(asked.model_copy(update={"l2": 0.1}), context)
    (phase,) = run.record["phases"]
    assert phase["stored"]["bytes"] == len(run.predictions) * 4 * 4 and not phase["stored"]["found"]
    assert run.record["parameters_trained"] == phase["parameters_trained"] == 5 < run.record["parameters_total"]
    assert (run.record["layers_unfrozen"], phase["blocks_unfrozen"]) == (1, [])
    assert found.record["phases"][0]["stored"] == phase["stored"] | {"found": True}
    assert len(list((context.root / "activations").glob("*/activations.npy"))) == 3
    for name, part in runs.data_of(asked, context).parts().items():
        probability = measure.probabilities(measure.logits(run.model(), part))[:, 1]
        stored = run.predictions[run.predictions["part"] == name]["probability"]
        np.testing.assert_allclose(stored, probability, atol=1e-6)


def test_folder_holds_the_files_of_the_record_and_nothing_else(context, configuration):
    run = runs.get(configuration(), context)
    files = {path.name for path in run.folder.iterdir()}
    assert files == {*run.record["files"], "record.json"}
    assert files == {"predictions.parquet", "dynamics.npy", "model.weights.h5", "record.json"}


def test_predictions_are_of_every_development_image_and_of_no_test_image(context, configuration):
    predictions, development = runs.get(configuration(), context).predictions, custody.development(context)
    assert list(predictions.columns) == ["image", "part", "group", "label", "probability"]
    expected = development.set_index("image")[["part", "group", "label"]]
    pd.testing.assert_frame_equal(
        predictions.set_index("image")[["part", "group", "label"]].sort_index(),
        expected.sort_index(),
        check_dtype=False,
    )
    assert predictions["probability"].between(0, 1).all() and "test" in splits.PARTS


def test_rebuilt_network_predicts_the_same(context, configuration):
    run = runs.get(configuration(), context)
    part = runs.data_of(configuration(), context).validation
    probability = measure.probabilities(measure.logits(run.model(), part))[:, 1]
    stored = run.predictions[run.predictions["part"] == "validation"]["probability"]
    np.testing.assert_array_equal(stored.to_numpy(), probability)


def test_extreme_levels_are_the_lowest_and_the_highest(context, configuration):
    data, table = runs.data_of(configuration(levels="extreme"), context), custody.development(context)
    levels = table.set_index("image")["level"]
    for name, part in data.parts().items():
        assert len(part) and set(levels[part.names]) == {0.0, 1.0}
        assert set(part.names) == set(table["image"][(table["part"] == name) & table["level"].isin([0.0, 1.0])])


def test_keys_used_are_noted_for_the_chapter(context, no_training, configuration):
    path = context.output / "runs_used.json"
    path.unlink()
    key = runs.get(configuration(), context).key
    assert atomic.read_json(path) == [key]
    atomic.write_json(path, ["0"])
    runs.get(configuration(), context)
    assert atomic.read_json(path) == sorted(["0", key])


def damage(folder, how: str) -> None:
    name = how.split()[0]
    path = folder / name
    if how.endswith("missing"):
        path.unlink()
    elif how.endswith("truncated"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how.endswith("changed"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    else:
        path.write_text({"empty": "", "list": "[]", "other": '{"files": []}'}[how.split()[1]])


@pytest.mark.parametrize(
    "how",
    [f"{name} {how}" for name in runs.FILES for how in ("missing", "truncated", "changed")]
    + [f"record.json {how}" for how in ("missing", "truncated", "empty", "list", "other")],
)
def test_damaged_run_is_refused_with_its_file_named(context, tmp_path, how, configuration):
    run = shutil.copytree(runs.get(configuration(), context).folder, tmp_path / "run")
    damage(run, how)
    with pytest.raises(runs.DamagedRun, match=f"^run run: {how.split()[0]} (is|cannot)"):
        runs.Run(run)


def test_damaged_run_is_moved_aside_and_trained_again_with_equal_results(context, capfd, configuration):
    run = runs.get(configuration(), context)
    before = run.record
    damage(run.folder, "predictions.parquet changed")
    again = runs.get(configuration(), context)
    message = capfd.readouterr().err
    assert (
        f"run {run.key}: predictions.parquet is changed; it is kept as damaged-{run.key} and trained again" in message
    )
    after = again.record
    for record in (before, after):
        del record["training_seconds"], record["started"], record["phases"][0]["seconds"]
        record["files"] = {name: hash for name, hash in record["files"].items() if name != "model.weights.h5"}
    assert after == before and (run.folder.parent / f"damaged-{run.key}" / "dynamics.npy").exists()


def test_stacked_predictions_are_of_the_same_images(context, configuration):
    first, second = runs.get(configuration(), context), runs.get(configuration(seed=8), context)
    stacked = runs.predictions_by_seed([first, second], "validation")
    rows = second.predictions[second.predictions["part"] == "validation"]
    assert stacked.probabilities.shape == (2, len(rows)) and stacked.images.tolist() == rows["image"].tolist()
    np.testing.assert_array_equal(stacked.probabilities[1], rows["probability"])
    some = [stacked.images[2], "nobody", stacked.images[0]]
    np.testing.assert_array_equal(stacked.aligned(some)[:, [0, 2]], stacked.probabilities[:, [2, 0]])
    assert np.isnan(stacked.aligned(some)[:, 1]).all()
    extreme = runs.get(configuration(levels="extreme", phases=(Phase(epochs=0),)), context)
    with pytest.raises(ValueError, match="predict other images"):
        runs.predictions_by_seed([first, extreme], "validation")


def test_predictions_of_several_classes_have_a_column_each():
    table = pd.DataFrame({"image": ["a", "b", "c"], "part": "validation", "group": ["g", "g", "h"], "label": [0, 1, 2]})
    many = table.assign(**{f"probability_{index}": np.full(3, index / 66) for index in range(12)})
    assert runs.probabilities(many).shape == (3, 12) and (runs.probabilities(many)[0] * 66).round().tolist() == [
        *range(12)
    ]
    assert runs.probabilities(table.assign(probability=[0.1, 0.2, 0.3])).tolist() == [0.1, 0.2, 0.3]
    stacked = runs.predictions_by_seed([SimpleNamespace(predictions=many)] * 2, "validation")
    assert stacked.probabilities.shape == (2, 3, 12)
    aligned = stacked.aligned(np.array(["c", "nobody"]))
    np.testing.assert_array_equal(aligned[:, 0], stacked.probabilities[:, 2])
    assert aligned.shape == (2, 2, 12) and np.isnan(aligned[:, 1]).all() and np.isfinite(stacked.probabilities).all()


KEYS = """
    import dataclasses, json, pathlib, numpy as np
    from lib import runs
    from lib.training.configuration import Configuration
    from lib.training.data import Data, Part
    names = np.array(["a", "b"])
    part = Part(np.zeros((2, 8, 8, 1), np.uint8), np.arange(2), names, names, np.array([0, 1]), names)
    data = Data(part, part, part, 2)
    base = {"dataset": "elpv", "recipe": [{"step": "grey"}, {"step": "resize"}], "image_size": 24, "seed": 7,
            "network": {"family": "simple"}, "phases": [{"epochs": 1}]}
    def key(data=data, **changes):
        return runs.run_key(Configuration.model_validate(base | changes), data)
    def of(**changes):
        return dataclasses.replace(data, validation=dataclasses.replace(part, **changes))
    keys = {"": key(), "again": key()}
    keys |= {f"configuration {name}": key(**{name: value}) for name, value in {
        "dataset": "other", "levels": "extreme", "recipe": [{"step": "resize"}], "image_size": 25, "seed": 8, "threads": 2,
        "network": {"family": "simple", "parameters": {"filters": [1, 2]}}, "head": {"bias": 0.6}, "batch_size": 16,
        "phases": [{"epochs": 2}]}.items()}
    keys["labels"] = key(of(labels=np.array([1, 1])))
    keys["pixels"] = key(of(sha256=np.array(["a", "c"])))
    keys["names"] = key(of(names=np.array(["a", "c"])))
    keys["groups"] = key(of(groups=np.array(["a", "c"])))
    def with_text(name, change, **changes):
        path = pathlib.Path(runs.__file__).parent / name
        source = path.read_text() if path.exists() else None
        path.write_text(change(source or ""))
        try:
            return key(**changes)
        finally:
            path.write_text(source) if source is not None else path.unlink()
    training = sorted(path.name for path in (pathlib.Path(runs.__file__).parent / "training").glob("[a-z]*.py"))
    for name in [*(f"training/{name}" for name in training),
                 "steps/resize.py", "steps/noise.py", "steps/__init__.py", "networks/simple.py", "plots/style.py", "runs.py"]:
        keys[f"code {name}"] = with_text(name, lambda source: source + "\\nADDED = 1\\n")
    keys["code networks/another.py"] = with_text("networks/another.py", lambda source: "MINIMUM_SIZE = 1")
    keys["step of the recipe"] = with_text("steps/resize.py", lambda source: source.replace("INTER_CUBIC", "INTER_LINEAR"))
    keys["another step"] = with_text("steps/contrast.py", lambda source: source.replace("PositiveInt = 8", "PositiveInt = 9"))
    keys["what runs all steps"] = with_text("steps/recipe.py", lambda source: source + "\\nADDED = 1\\n")
    frozen = {"phases": [{"epochs": 1, "unfrozen": 0}], "storing": {}}
    keys |= {f"stored by {engine}": key(**frozen, engine=engine) for engine in ("keras", "onnx")}
    added = lambda source: source + "\\nADDED = 1\\n"
    keys |= {f"code onnx.py for {engine}": with_text("onnx.py", added, **frozen, engine=engine) for engine in ("keras", "onnx")}
    keys["code onnx.py"] = with_text("onnx.py", added)
    keys["docstring"] = with_text("training/train.py", lambda source: source.replace('\"\"\"Train', '\"\"\"We train'))
    keys["comment"] = with_text("steps/resize.py", lambda source: source + "\\n# a comment\\n")
    keys["afterwards"] = key()
    runs.machine.versions = lambda: {"tensorflow": "2.99.0", "keras": "3.15.9", "numpy": "0"}
    keys["versions"] = key()
    runs.onnx.versions = lambda: ["99.9"]
    keys["versions and of onnx"] = key(**frozen, engine="onnx")
    print(json.dumps(keys))
"""
EQUAL = {
    "again",
    "another step",
    "code steps/noise.py",
    "code steps/__init__.py",
    "code plots/style.py",
    "code runs.py",
    "code networks/another.py",
    "code onnx.py",
    "docstring",
    "comment",
    "afterwards",
}


def test_key_follows_what_decides_the_result_and_nothing_else(checkout, python):
    keys = json.loads(python(KEYS, folder=checkout))
    key = keys.pop("")
    assert keys.pop("code onnx.py for keras") == keys["stored by keras"]
    assert {name for name in keys if keys[name] == key} == EQUAL
    different = [keys[name] for name in keys if name not in EQUAL]
    assert len(set(different)) == len(different) > 20


def test_runs_that_learned_from_other_numbers_of_images_are_stacked_where_they_predict_the_same():
    rows = {"image": ["a", "b"], "part": "validation", "group": "g", "label": [0, 1], "probability": [0.2, 0.7]}
    tables = [pd.DataFrame(rows, index=[first, first + 1]) for first in (5, 8)]
    found = runs.predictions_by_seed([SimpleNamespace(predictions=table) for table in tables], "validation")
    assert found.probabilities.tolist() == [[0.2, 0.7]] * 2
    tables[1]["image"] = ["a", "c"]
    with pytest.raises(ValueError, match="predict other images"):
        runs.predictions_by_seed([SimpleNamespace(predictions=table) for table in tables], "validation")
