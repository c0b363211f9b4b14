"""What frozen layers answer is computed once; training on it is the training that computes it at every step."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from lib import networks, onnx
from lib.training import activations, feed, freezing, initial, train
from lib.training.configuration import Configuration, EarlyStopping, Head, Phase, Storing
from lib.training.data import Data
from tests.unit.test_freezing import ENDS, SMALL
from tests.unit.test_training import RECIPE, configuration, tiny

CUT = "block_2_add"
SIMPLE = {"one": "pooling_1", "two": "convolution_2"}
PHASES = (
    Phase(epochs=1, learning_rate=0.02),  # what is frozen afterwards is not what the seed gives
    Phase(epochs=4, learning_rate=0.05, unfrozen=0, early_stopping=EarlyStopping(patience=1)),
    Phase(epochs=2, optimiser="sgd", learning_rate=0.1, unfrozen=1, rate_by_block=0.5),
)
FROZEN = {"phases": PHASES[1:]}
POOR = {"storing": Storing(budget_gib=1e-6)}  # 1 KiB
FLIP = [{"kind": "flip"}]


@pytest.fixture(scope="module", autouse=True)
def blocks_of_the_small_network():
    with pytest.MonkeyPatch.context() as patch:
        for family, ends in {"xception": ENDS, "simple": SIMPLE}.items():
            patch.setattr(networks.family(family), "blocks", lambda parameters, ends=ends: ends, raising=False)
        yield


def asked(**changes) -> Configuration:
    """Three phases, with dropout in the head."""
    settings = {"phases": PHASES, "head": Head(hidden=(8,), dropout=0.2), "l2": 1e-3}
    return configuration(**settings | {"storing": Storing()} | changes)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """`trained(**changes)`: network, progress and folder of a run, each trained once."""
    known = {}

    def get(**changes) -> tuple[keras.Model, train.Progress, Path]:
        if (name := repr(changes)) not in known:
            folder = tmp_path_factory.mktemp("run")
            known[name] = (*train.train(asked(**changes), tiny(), folder), folder)
        return known[name]

    return get


@pytest.fixture(scope="module")
def network():
    """A network with its layers frozen, whose answers are about 1; tests may change what they restore."""
    built = initial.build(asked(network=SMALL), tiny())
    freezing.apply(built, ENDS, PHASES[2])
    for layer in built.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(2.5 * layer.gamma)
    return built


def store(network: keras.Model, folder: Path, cut: str = CUT, **changes) -> activations.Store:
    return activations.Store(asked(network=SMALL, **changes), freezing.parts(network, cut)[1], cut, folder)


def losses(progress: train.Progress) -> np.ndarray:
    return np.array([row["loss"] for row in progress.history])


def test_training_on_stored_answers_is_the_same_training(trained):
    """With batch normalisation and dropout in what is frozen, which answers as in inference."""
    deep = {"network": SMALL, "phases": (*PHASES[:2], PHASES[2].model_copy(update={"unfrozen": 1.4}))}
    (first, computed, _), (second, stored, _) = trained(**deep, **POOR), trained(**deep)
    np.testing.assert_allclose(losses(stored), losses(computed), atol=1e-5)
    assert np.ptp(losses(computed)) > 0.1 and stored.best_epoch == computed.best_epoch
    assert [phase["epochs"] for phase in stored.phases] == [phase["epochs"] for phase in computed.phases]
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    for name, outputs in computed.outputs.items():
        np.testing.assert_allclose(stored.outputs[name], outputs, atol=1e-4)
        np.testing.assert_allclose(first(tiny().parts()[name].pixels), outputs, atol=1e-4)


def test_log_of_each_phase_says_what_learnt_and_what_was_stored(trained):
    record = trained()[1].record()
    whole, head, blocks = record["phases"]
    assert [phase["blocks_unfrozen"] for phase in record["phases"]] == [["one", "two"], [], ["two"]]
    assert [phase["layers_unfrozen"] for phase in record["phases"]] == [4, 2, 3]
    assert head["parameters_trained"] == 8 * 8 + 8 + 8 + 1 == blocks["parameters_trained"] - 8 * 9 * 8 - 8
    assert whole["stored"] == {"why_not": "no block is frozen whole"}
    assert (head["stored"]["cut"], head["stored"]["bytes"]) == ("global_average", 90 * 8 * 4)
    assert (blocks["stored"]["cut"], blocks["stored"]["bytes"]) == ("pooling_1", 90 * 3 * 3 * 8 * 4)
    assert not head["stored"]["found"] and head["stored"]["seconds"] > 0
    assert record["parameters_trained"] == whole["parameters_trained"] and record["layers_unfrozen"] == 4
    assert record["training_seconds"] == pytest.approx(sum(phase["seconds"] for phase in record["phases"]), abs=0.02)


def test_what_does_not_fit_the_budget_is_computed_at_every_step_and_the_log_says_why(trained):
    _, head, blocks = (phase["stored"] for phase in trained(**POOR)[1].phases)
    assert head == {"why_not": "2.68e-06 GiB after global_average, more than the budget of 1e-06"}
    assert blocks == {"why_not": "2.41e-05 GiB after pooling_1, more than the budget of 1e-06"}
    assert not list(trained(**POOR)[2].rglob("*.npy"))
    np.testing.assert_allclose(losses(trained(**POOR)[1]), losses(trained()[1]), atol=1e-5)


def test_runs_share_what_comes_before_the_cut(trained, tmp_path):
    folder, others = trained(**FROZEN)[2] / "activations", {"head": Head(hidden=(9,), dropout=0.5), "batch_size": 10}
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.npy")}
    progress = train.train(asked(**FROZEN, **others), tiny(), tmp_path, folder)[1]
    assert [phase["stored"]["found"] for phase in progress.phases] == [True, True] and len(before) == 6
    assert progress.phases[0]["stored"]["seconds"] == trained(**FROZEN)[1].phases[0]["stored"]["seconds"]
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.npy")} == before


def test_onnx_runtime_answers_as_keras(network, tmp_path):
    data = tiny()
    for cut in (CUT, "global_average"):
        found = [store(network, tmp_path, cut, engine=engine).of(data).data for engine in ("keras", "onnx")]
        for name in data.parts():
            keras_answers, onnx_answers = (one.parts()[name].pixels for one in found)
            np.testing.assert_allclose(onnx_answers, keras_answers, atol=1e-4)
            assert keras_answers.filename != onnx_answers.filename and np.ptp(onnx_answers) > 0.1


def test_answers_are_those_of_the_frozen_layers_to_each_image(network, tmp_path):
    data = tiny()
    data = replace(data, train=data.train.chosen(np.arange(49, 10, -1)))
    found = store(network, tmp_path).of(data)
    expected = freezing.parts(network, CUT)[1](data.train.pixels[data.train.rows].astype(np.float32))
    np.testing.assert_allclose(found.data.train.pixels[found.data.train.rows], expected, atol=1e-6)
    assert found.data.train.pixels.dtype == np.float32 and (found.data.train.labels == data.train.labels).all()
    assert found.learnt is found.data.train and found.copies == 1


def test_augmented_copies_are_learnt_from_in_turn_and_never_measured(network, tmp_path):
    data, plain = tiny(), store(network, tmp_path).of(tiny())
    found = store(network, tmp_path, augmentation=FLIP, storing=Storing(copies=2)).of(data)
    again = store(network, tmp_path / "b", augmentation=FLIP, storing=Storing(copies=2)).of(data)
    assert found.copies == 2 and found.learnt.pixels.shape == (100, 5, 5, 6) and len(found.learnt) == 50
    np.testing.assert_array_equal(found.learnt.pixels, again.learnt.pixels)
    np.testing.assert_array_equal(found.data.train.pixels, plain.data.train.pixels)
    first, second = np.split(found.learnt.pixels, 2)
    assert (first != second).any() and (first != plain.data.train.pixels).any()
    sides = [[0, 0], [0, 1], [1, 0], [1, 1]]  # up and down, left and right
    frozen, images = freezing.parts(network, CUT)[1], data.train.pixels[:1].astype(np.float32)
    flipped = [np.asarray(frozen(np.flip(images, [axis + 1 for axis in (0, 1) if side[axis]])))[0] for side in sides]
    assert any(np.allclose(first[0], one, atol=1e-5) for one in flipped)
    for epoch, version in enumerate((first, second, first)):
        batches = feed.training_batches(found.learnt, 8, 7, epoch, epoch + 1, copies=2).as_numpy_iterator()
        seen = np.concatenate([answers for answers, _ in batches])
        np.testing.assert_array_equal(seen, version[feed.order(50, 7, epoch)])


def test_training_learns_from_another_copy_in_each_epoch(trained):
    changes = {"augmentation": FLIP, "phases": [Phase(epochs=2, learning_rate=0.05, unfrozen=1)]}
    one, three = (trained(**changes, storing=Storing(copies=copies))[1] for copies in (1, 3))
    assert three.phases[0]["stored"]["bytes"] == (90 + 3 * 50) * 3 * 3 * 8 * 4
    assert one.history[:6] == three.history[:6] and one.history[6:] != three.history[6:]


def keys(network: keras.Model, data: Data, cut: str = CUT, **changes) -> tuple[str, ...]:
    made = store(network, Path(), cut, **changes)
    return (made._key(data.train, 0), made._key(data.train, made.copies))


CHANGED = {
    "augmentation": {"augmentation": FLIP},
    "engine": {"engine": "onnx"},
    "threads": {"threads": 2},
    "recipe": {"recipe": (*RECIPE[:2],)},
    "cut": {"cut": "block_1_add"},
    "copies": {"augmentation": FLIP, "storing": Storing(copies=2)},
    "seed of copies": {"augmentation": FLIP, "seed": 8},
}
SAME = {
    "seed": {"seed": 8},
    "head": {"head": Head()},
    "phases": {"phases": PHASES[2:]},
    "labels": {"label_smoothing": 0.1},
    "budget": {"storing": Storing(budget_gib=1)},
}


def test_key_follows_what_decides_the_answers_and_nothing_else(network, monkeypatch):
    data, kernel = tiny(), network.get_layer("block_1_separable_1").weights[0]
    usual = keys(network, data)
    assert usual[0] == usual[1] and {keys(network, data, **changes) for changes in SAME.values()} == {usual}
    found = {name: keys(network, data, **changes)[1] for name, changes in CHANGED.items()}
    found["data"] = keys(network, replace(data, train=data.train.chosen(np.arange(49))))[1]
    found["pixels"] = keys(network, replace(data, train=replace(data.train, sha256=data.tuning.sha256)))[1]
    found["size"] = keys(initial.build(asked(network=SMALL, image_size=24), data), data)[1]
    before = kernel.numpy()
    kernel.assign(before + 1e-3)
    found["weights"] = keys(network, data)[1]
    kernel.assign(before)
    with monkeypatch.context() as patch:
        patch.setattr(onnx, "versions", lambda: ["99.9"])
        found["versions"] = keys(network, data, engine="onnx")[1]
        assert keys(network, data) == usual
    network.get_layer("logits").bias.assign([9.0])  # comes after the cut
    assert keys(network, data) == usual
    assert len({usual[1], *found.values()}) == len(found) + 1


def test_answers_that_cannot_be_read_are_computed_again(network, tmp_path):
    first = store(network, tmp_path).of(tiny())
    expected, path = np.array(first.data.tuning.pixels), Path(first.data.tuning.pixels.filename)
    path.write_bytes(path.read_bytes()[:1000])
    again = store(network, tmp_path).of(tiny())
    np.testing.assert_array_equal(again.data.tuning.pixels, expected)
    assert not again.record["found"] and store(network, tmp_path).of(tiny()).record["found"]


def test_a_full_disk_is_named_before_anything_is_computed(network, tmp_path, monkeypatch):
    monkeypatch.setattr(activations.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(ValueError, match=r"^2.79e-05 GiB of activations do not fit on the disk, .*; lower storing's"):
        store(network, tmp_path).of(tiny())
    assert not list(tmp_path.rglob("*.npy"))


@pytest.mark.parametrize("left", [5, 1])  # epochs: in the second phase, in the third
def test_stopped_run_goes_on_as_if_nothing_had_happened(trained, tmp_path, stopped, left):
    stopped_after = sum(phase["epochs"] for phase in trained()[1].phases) - left
    with stopped(stopped_after):
        train.train(asked(), tiny(), tmp_path)
    network, progress = train.train(asked(), tiny(), tmp_path)
    whole = trained()
    assert progress.history == whole[1].history and progress.dynamics == whole[1].dynamics
    for own, other in zip(network.variables, whole[0].variables, strict=True):
        np.testing.assert_array_equal(own.numpy(), other.numpy())
    assert [phase["epochs"] for phase in progress.phases] == [phase["epochs"] for phase in whole[1].phases]
