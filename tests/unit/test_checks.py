"""A network or a run that is not what it is said to be is stopped in one line; a right one passes."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

from lib import faults, networks, sanity
from lib.training import checkpoint, checks, controls, initial, model, train
from lib.training.checks import CheckFailed
from lib.training.configuration import Control
from lib.training.progress import Progress
from tests.unit.test_training import configuration, part, tiny


def network() -> keras.Model:
    return initial.build(configuration(), tiny())


@pytest.mark.parametrize("classes", [2, 3])
def test_every_mistake_is_stopped_in_one_line(classes):
    lines = faults.caught(configuration(), tiny(classes))["stopped with"]
    assert len(set(lines)) == len(lines) == 8 and not lines.str.contains("\n").any()
    assert lines.iloc[0] == "the result of backbone reaches no output: the head takes something else"


def test_a_mistake_that_nothing_stops_is_named(monkeypatch):
    monkeypatch.setattr(checks, "reads_input", lambda _: None)
    with pytest.raises(AssertionError, match="^no check stopped this: the image is multiplied by zero"):
        faults.caught(configuration(), tiny())


@pytest.mark.parametrize("classes", [2, 3])
def test_a_right_network_passes(classes):
    data = tiny(classes)
    network = initial.build(configuration(), data)
    images, labels = sanity.balanced_batch(data)
    checks.reads_input(network)
    checks.connected(initial.backbone(network), network)
    checks.fresh_weights(network, initial.build(configuration(), data))
    sizes = checks.gradients(network, images, labels)
    assert list(sizes.index) == ["input", *(weight.path for weight in network.trainable_weights)] and (sizes > 0).all()
    assert checks.independent_of_batch(network, images) < 1e-5
    history = pd.DataFrame([{"epoch": 0, "part": "train", "loss": initial.loss(configuration(), data)}])
    checks.begins_as_its_seed(history, initial.loss(configuration(), data))


def simple_with(monkeypatch, change) -> None:
    """The family `simple` with its build changed: change(build, inputs, parameters) -> features."""
    family = networks.family("simple")
    build = family.build
    monkeypatch.setattr(family, "build", lambda inputs, parameters: change(build, inputs, parameters))


def test_no_run_trains_a_network_that_ignores_its_input(monkeypatch, tmp_path):
    simple_with(monkeypatch, lambda build, inputs, parameters: build(0 * inputs, parameters))
    with pytest.raises(CheckFailed, match="ignores its input"):
        train.train(configuration(), tiny(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_run_trains_a_network_whose_features_are_dropped(monkeypatch):
    head = layers.GlobalAveragePooling2D.__call__
    raw = []

    def build(build, inputs, parameters):
        raw.append(inputs)
        return build(inputs, parameters)

    simple_with(monkeypatch, build)
    monkeypatch.setattr(layers.GlobalAveragePooling2D, "__call__", lambda self, _: head(self, raw[-1]))
    with pytest.raises(CheckFailed, match="^the result of rescaling, convolution_1, pooling_1 and 1 more reaches no"):
        model.build(configuration(), 1, tiny().train.labels, 2)


def test_no_run_goes_on_from_another(monkeypatch, tmp_path):
    kept = []

    def same_layers(build, inputs, parameters):
        kept.append(kept[0] if kept else keras.Sequential([layers.Conv2D(4, 3), layers.ReLU()]))
        return kept[0](inputs)

    simple_with(monkeypatch, same_layers)
    with pytest.raises(CheckFailed, match="^weights are shared with another network: .*; build every layer anew$"):
        train.train(configuration(), tiny(), tmp_path)


def test_no_run_takes_a_used_optimiser(monkeypatch, tmp_path):
    compile_for = model.compile_for

    def used(network, *arguments):
        compile_for(network, *arguments)
        network.optimizer.iterations.assign(3)

    monkeypatch.setattr(model, "compile_for", used)
    with pytest.raises(CheckFailed, match="^the optimiser has made 3 steps before this run"):
        train.train(configuration(), tiny(), tmp_path)


def test_a_seed_that_plays_no_part_is_noticed(monkeypatch):
    sanity.repeats(configuration(), tiny(), 8)
    with pytest.raises(AssertionError, match="the seed plays no part"):
        sanity.repeats(configuration(), tiny(), 7)


def test_a_record_that_begins_elsewhere_is_noticed():
    history = pd.DataFrame([{"epoch": 0, "part": "train", "loss": 0.7}])
    with pytest.raises(
        CheckFailed, match="begins at a loss of 0.7000, its seed gives 0.6990: it continues another run"
    ):
        checks.begins_as_its_seed(history, 0.699)
    with pytest.raises(CheckFailed):
        checks.begins_as_its_seed(history, np.nan)


def test_a_constant_of_the_data_does_not_look_like_reading():
    blind = keras.Sequential([keras.Input((20, 20, 1)), layers.Rescaling(0), layers.Flatten(), layers.Dense(1)])
    with pytest.raises(CheckFailed, match="ignores its input"):
        checks.reads_input(blind)


def test_filters_of_a_repeated_grey_image_act_as_one():
    built = network()
    np.testing.assert_allclose(
        sanity.first_filters(built)[:, :, 0], built.get_layer("convolution_1").kernel.numpy().sum(2)
    )
    assert sanity.first_filters(model.build(configuration(), 3, tiny().train.labels, 2)).shape == (3, 3, 3, 8)


def changed(**control) -> tuple:
    return controls.applied(configuration(batch_size=12, control=Control(**control)), tiny()), tiny()


def test_nothing_is_changed_without_a_control():
    data = tiny()
    assert controls.applied(configuration(), data) is data


def test_black_images_are_black_in_every_part_and_some_pixels_in_some():
    black, _ = changed(hidden=1)
    some, data = changed(hidden=0.5)
    for name, seen in some.parts().items():
        whole = data.parts()[name]
        kept = seen.pixels != 0
        assert 0.45 < kept.mean() < 0.55 and (seen.pixels[kept] == whole.pixels[whole.rows][kept]).all()
        assert not black.parts()[name].pixels.any() and len(seen) == len(whole)
        assert not set(seen.sha256) & set(whole.sha256)
        assert len({image.tobytes() for image in kept}) == len(seen)


def test_labels_are_shuffled_in_the_training_part_alone():
    seen, data = changed(shuffled_labels=True)
    assert (seen.train.labels != data.train.labels).any() and (seen.tuning.labels == data.tuning.labels).all()
    assert (np.bincount(seen.train.labels) == np.bincount(data.train.labels)).all()
    assert (seen.train.names == data.train.names).all() and (seen.validation.labels == data.validation.labels).all()


def test_one_batch_holds_the_classes_in_turn():
    seen, data = changed(one_batch=True)
    assert np.bincount(seen.train.labels).tolist() == [6, 6] and len(seen.tuning) == len(data.tuning)
    label_of = dict(zip(data.train.names, data.train.labels, strict=True))
    assert [label_of[name] for name in seen.train.names] == seen.train.labels.tolist()
    assert np.bincount(controls.one_batch(part(50, 3, 1), 12, 0).labels).tolist() == [4, 4, 4]
    assert len(controls.one_batch(part(5, 2, 1), 12, 0)) == 5


def run(folder: Path, **changes) -> tuple[keras.Model, Progress]:
    return train.train(configuration(**changes), tiny(), folder)


def test_history_is_measured_every_few_epochs_and_at_the_end(tmp_path):
    often, rarely = run(tmp_path / "a"), run(tmp_path / "b", measured_every=2)
    assert [row["epoch"] for row in rarely[1].history[::3]] == [0, 2, 4, 5]
    assert rarely[1].history == [row for row in often[1].history if row["epoch"] in (0, 2, 4, 5)]


def test_a_phase_ends_when_its_loss_is_reached_also_when_resumed(tmp_path):
    phase = {"epochs": 40, "learning_rate": 0.03, "stop_below": 0.3}
    network, progress = run(tmp_path, phases=[phase])
    losses = [row["loss"] for row in progress.history if row["part"] == "train"]
    assert losses[-1] < 0.3 <= min(losses[:-1]) and progress.epoch < 40
    again, resumed = run(tmp_path, phases=[phase])
    assert resumed.epoch == progress.epoch and resumed.history == progress.history
    for own, other in zip(network.weights, again.weights, strict=True):
        np.testing.assert_array_equal(own.numpy(), other.numpy())


def test_stopped_run_with_dropout_goes_on_as_if_nothing_had_happened(tmp_path, monkeypatch):
    dropped = {"control": Control(input_dropout=0.5)}
    whole, save = run(tmp_path / "whole", **dropped), checkpoint.save

    def save_and_stop(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoint, "save", save_and_stop)
        run(tmp_path / "stopped", **dropped)
    assert run(tmp_path / "stopped", **dropped)[1].history == whole[1].history


def test_input_dropout_acts_in_training_alone_and_repeats(tmp_path):
    dropped = {
        "control": Control(input_dropout=0.9),
        "network": {"family": "simple", "parameters": {"rescaling": False}},
    }
    first, again = (run(tmp_path / name, **dropped) for name in ("a", "b"))
    assert first[1].history == again[1].history and first[1].history != run(tmp_path / "c")[1].history
    layer = first[0].get_layer("input_dropout")
    images = np.ones((2, 20, 20, 1), np.float32)
    assert (np.asarray(layer(images, training=False)) == images).all() and np.asarray(
        layer(images, training=True)
    ).max() > 9
    assert "rescaling" not in [layer.name for layer in first[0].layers]
