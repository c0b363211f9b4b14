"""Training repeats bit for bit, can stop and go on, measures what it says, and refuses what cannot work."""

import numpy as np
import pytest

from lib import atomic, networks, steps
from lib.training import checkpoint, determinism, feed, initial, measure, model, train
from lib.training.configuration import Configuration, Head, Network, Phase
from lib.training.data import Data, Part

RECIPE = (steps.Grey(), steps.Resize(), steps.RepeatChannels(count=3))


def part(images: int, classes: int, seed: int) -> Part:
    """Grey noise with a square that is darker the higher the class; class 0 is three times as frequent as another."""
    generator = np.random.default_rng(seed)
    labels = np.sort(np.arange(images) % (classes + 2) % (classes + 1) % classes)
    pixels = generator.normal(150, 10, (images, 20, 20, 1))
    pixels[:, 6:14, 6:14] -= 140 / (classes - 1) * labels[:, np.newaxis, np.newaxis, np.newaxis]
    names = np.array([f"image{number}" for number in range(images)])
    pixels = pixels.clip(0, 255).astype(np.uint8)
    hashes = np.array([atomic.sha256(image.tobytes()) for image in pixels])
    return Part(pixels, np.arange(images), names, names, labels, hashes)


def tiny(classes: int = 2) -> Data:
    return Data(part(50, classes, 1), part(20, classes, 2), part(20, classes, 3), classes)


def configuration(**changes) -> Configuration:
    settings = {
        "dataset": "elpv",
        "recipe": RECIPE,
        "image_size": 20,
        "network": Network(family="simple", parameters={"filters": (8, 8)}),
        "phases": (Phase(epochs=2, optimiser="sgd", learning_rate=0.2), Phase(epochs=3, learning_rate=0.03)),
        "batch_size": 8,
        "seed": 7,
    }
    return Configuration.model_validate(settings | changes)


def outcome(network, progress) -> dict[str, np.ndarray | list]:
    """Everything that must be equal, bit for bit."""
    weights = {variable.path: variable.numpy().tobytes() for variable in network.variables}
    return {"weights": weights, "history": progress.history, "dynamics": progress.dynamics, "epoch": progress.epoch}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One uninterrupted run: (network, progress)."""
    return train.train(configuration(), tiny(), tmp_path_factory.mktemp("finished"))


def test_simple_network_has_exactly_the_documents_parameters():
    network = model.build(configuration(network=Network(family="simple")), 1, tiny().train.labels, 2)
    assert network.count_params() == 10_177 and network.output_shape == (None, 1)


def test_bias_of_the_head_is_the_logit_of_the_prior():
    labels = np.array([0] * 30 + [1] * 10)
    np.testing.assert_allclose(model.head_bias("prior", labels, 2), [np.log(10 / 30)])
    np.testing.assert_allclose(measure.probabilities(np.array([[np.log(10 / 30)]])), [[0.75, 0.25]])
    three = model.head_bias("prior", np.array([0] * 5 + [1] * 3 + [2] * 2), 3)
    np.testing.assert_allclose(measure.probabilities(three[np.newaxis]), [[0.5, 0.3, 0.2]])
    np.testing.assert_array_equal(model.head_bias(0.6, labels, 2), [0.6])
    np.testing.assert_array_equal(model.head_bias(0.6, labels, 3), [0.6] * 3)
    with pytest.raises(ValueError, match="class 1 has no training image"):
        model.head_bias("prior", np.zeros(5, int), 2)


def test_loss_at_initialisation_is_the_entropy_with_the_prior_and_higher_with_zero():
    data = tiny()
    share = data.train.labels.mean()
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    table = initial.losses(configuration(), data, {"zero": 0.0, "prior": "prior"}, seeds=[1, 2, 3])
    assert table.shape == (3, 2) and table["prior"].mean() == pytest.approx(entropy, abs=0.03)
    assert table["zero"].mean() == pytest.approx(np.log(2), abs=0.03)
    assert (table["prior"] < table["zero"]).all() and table["prior"].nunique() == 3


def test_loss_at_initialisation_of_three_classes_is_the_entropy_with_the_prior():
    data = tiny(classes=3)
    shares = np.bincount(data.train.labels) / len(data.train)
    table = initial.losses(configuration(), data, {"zero": 0.0, "ratio": 0.6, "prior": "prior"}, seeds=[1, 2])
    assert table["prior"].mean() == pytest.approx(-(shares * np.log(shares)).sum(), abs=0.05)
    assert table["zero"].mean() == pytest.approx(np.log(3), abs=0.05) and (table["prior"] < table["zero"]).all()
    np.testing.assert_allclose(table["ratio"], table["zero"])  # one bias for all classes says nothing about them


def test_head_starts_from_its_bias():
    network = initial.build(configuration(head=Head(bias=0.6)), tiny())
    assert network.get_layer("logits").bias.numpy() == pytest.approx([0.6])


def test_history_is_measured_from_before_the_first_step(finished):
    network, progress = finished
    assert [(row["epoch"], row["part"]) for row in progress.history] == [
        (epoch, name) for epoch in range(6) for name in ("train", "tuning", "validation")
    ]
    data, untrained = tiny(), initial.build(configuration(), tiny())
    for epoch, measured in ((0, untrained), (5, network)):
        forward = measure.traced(measured)
        for name, part in data.parts().items():
            scores, row = measure.scores(part.labels, measure.logits(forward, part)), progress.at(epoch)[name]
            assert {metric: row[metric] for metric in scores} == scores
    assert set(scores) == {"loss", "accuracy", "auc", "precision", "recall", "f1"}
    assert np.array(progress.dynamics).shape == (6, 20, 1) and progress.seconds > 0


def test_it_learns(finished):
    first, last = (finished[1].at(epoch)["train"] for epoch in (0, 5))
    assert last["loss"] < first["loss"] - 0.05 and last["auc"] > 0.9


def test_scores_are_those_of_their_definitions():
    outputs, labels = np.array([[2.0], [-1.0], [0.5], [-3.0]]), np.array([1, 1, 0, 0])
    scores = measure.scores(labels, outputs)
    positive = 1 / (1 + np.exp(-outputs[:, 0]))
    expected = -np.log([positive[0], positive[1], 1 - positive[2], 1 - positive[3]]).mean()
    assert scores["loss"] == pytest.approx(expected) and scores["accuracy"] == 0.5 and scores["auc"] == 0.75
    assert (scores["precision"], scores["recall"], scores["f1"]) == (0.5, 0.5, 0.5)
    assert measure.scores(np.zeros(4, int), outputs)["auc"] is None
    assert measure.scores(np.array([1, 0]), np.array([[-900.0], [900.0]]))["loss"] == 900


def test_same_seed_same_bits(finished, tmp_path):
    assert outcome(*train.train(configuration(), tiny(), tmp_path)) == outcome(*finished)


def test_another_seed_another_run(finished, tmp_path):
    other, expected = outcome(*train.train(configuration(seed=8), tiny(), tmp_path)), outcome(*finished)
    assert other["history"] != expected["history"] and other["weights"] != expected["weights"]


def test_only_the_training_part_is_learnt_from(finished, tmp_path):
    data = tiny()
    for watched in (data.tuning, data.validation):
        watched.labels[:] = 1 - watched.labels
    other, expected = outcome(*train.train(configuration(), data, tmp_path)), outcome(*finished)
    assert other["weights"] == expected["weights"] and other["history"] != expected["history"]


def test_zero_epochs_measure_the_untrained_network(tmp_path):
    network, progress = train.train(configuration(phases=(Phase(epochs=0),)), tiny(), tmp_path)
    assert [row["epoch"] for row in progress.history] == [0, 0, 0] and progress.seconds == 0
    expected = {
        variable.path: variable.numpy().tobytes() for variable in initial.build(configuration(), tiny()).variables
    }
    assert outcome(network, progress)["weights"] == expected


@pytest.mark.parametrize("stopped_after", [1, 2, 4])  # within the first phase, at its end, within the second
def test_stopped_run_goes_on_as_if_nothing_had_happened(finished, tmp_path, stopped, stopped_after):
    with stopped(stopped_after):
        train.train(configuration(), tiny(), tmp_path)
    resumed = train.train(configuration(), tiny(), tmp_path)
    assert outcome(*resumed) == outcome(*finished)
    assert outcome(*train.train(configuration(), tiny(), tmp_path)) == outcome(*finished)  # nothing left to do


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_unreadable_state_is_no_state(finished, tmp_path, share):
    checkpoint.save(tmp_path, finished[0].variables, {"epoch": 1})
    whole = (tmp_path / "state.npz").read_bytes()
    assert checkpoint.load(tmp_path)[0] == {"epoch": 1}
    (tmp_path / "state.npz").write_bytes(whole[: int(len(whole) * share)])
    assert checkpoint.load(tmp_path) is None


def test_three_classes_go_by_softmax(tmp_path):
    data = tiny(classes=3)
    network, progress = train.train(configuration(phases=(Phase(epochs=6, learning_rate=0.03),)), data, tmp_path)
    probabilities = measure.probabilities(measure.logits(network, data.validation))
    assert network.output_shape == (None, 3) and probabilities.shape == (20, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert np.array(progress.dynamics).shape == (7, 20, 2)
    assert progress.at(6)["train"]["loss"] < progress.at(0)["train"]["loss"] - 0.05


def test_every_image_comes_once_an_epoch():
    data = part(50, 2, 1)
    data.pixels[:, 0, 0, 0] = np.arange(50)  # a number that names the image
    epochs = []
    for _ in range(2):
        batches = list(feed.training_batches(data, 16, 7, 0, 2).as_numpy_iterator())
        assert [len(labels) for _, labels in batches] == [16, 16, 16, 2] * 2
        for images, labels in batches:
            np.testing.assert_array_equal(labels, data.labels[images[:, 0, 0, 0]])
        seen = np.concatenate([images[:, 0, 0, 0] for images, _ in batches])
        epochs.append(seen.reshape(2, 50))
        assert sorted(seen[:50]) == sorted(seen[50:]) == list(range(50))
    np.testing.assert_array_equal(epochs[0], epochs[1])
    assert (epochs[0][0] != epochs[0][1]).any()


def test_order_follows_seed_and_epoch_alone_so_that_it_can_go_on():
    data = part(50, 2, 1)
    data.pixels[:, 0, 0, 0] = np.arange(50)

    def images(seed: int, first: int, last: int) -> list[int]:
        batches = feed.training_batches(data, 16, seed, first, last).as_numpy_iterator()
        return [int(number) for batch, _ in batches for number in batch[:, 0, 0, 0]]

    assert images(7, 0, 3) == images(7, 0, 1) + images(7, 1, 3)
    assert images(7, 0, 1) != images(8, 0, 1)


def test_too_small_an_image_is_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match="^image size 17 is too small for network simple: it needs 18 pixels .*$"):
        train.train(configuration(image_size=17), tiny(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_wrong_range_of_values_is_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(networks.family("simple"), "INPUT_RANGE", (-1.0, 1.0))
    with pytest.raises(
        ValueError, match=r"^the recipe ends in values of \[0.0, 255.0\], .* takes \[-1.0, 1.0\]; add .*$"
    ):
        train.train(configuration(), tiny(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_channels_that_cannot_be_repeated_are_refused():
    with pytest.raises(ValueError, match="^repeat_channels: images of 2 channels cannot become 3; add `grey`$"):
        model.build(configuration(), 2, tiny().train.labels, 2)
    assert model.build(configuration(), 3, tiny().train.labels, 2).input_shape == (None, 20, 20, 3)


def test_another_number_of_threads_in_one_process_is_refused(finished):
    with pytest.raises(RuntimeError, match="runs with 1 threads, this run asks for 2; restart the kernel"):
        determinism.fix(threads=2, seed=1)
