"""What is done against overfitting acts where it should, in training alone, and repeats; interrupted or not."""

from contextlib import nullcontext

import numpy as np
import pytest

from lib.training import controls, feed, initial, measure, model, train
from lib.training.configuration import Cosine, EarlyStopping, Head, Mixing, Phase, Plateau, Steps
from lib.training.mixing import mixer
from lib.training.watch import Watch, learning_rate
from tests.unit.test_training import configuration, part, tiny

STOPPING = Phase(epochs=6, learning_rate=0.02, early_stopping=EarlyStopping(patience=2))
EVERYTHING = {
    "phases": (
        Phase(epochs=6, learning_rate=0.05, schedule=Plateau(patience=1), early_stopping=EarlyStopping(patience=3)),
        Phase(epochs=2, learning_rate=0.01, schedule=Cosine()),
    ),
    "augmentation": [
        {"kind": kind} for kind in ("flip", "quarter_turn", "rotation", "zoom", "crop", "colour", "cutout", "noise")
    ],
    "mixing": Mixing(kind="mixup"),
    "head": Head(dropout=0.5),
    "label_smoothing": 0.1,
    "l2": 1e-3,
}


def tuning_losses(monkeypatch, losses: list[float]) -> None:
    """Make the tuning loss after epoch 1, 2 .. these numbers; the last one for ever."""
    scores, calls = measure.scores, iter(range(1, 1000))

    def said(labels, outputs):
        found = scores(labels, outputs)
        epoch, number = divmod(next(calls) - 1, 3)
        return found | ({"loss": losses[min(epoch, len(losses)) - 1]} if number == 1 and epoch else {})

    monkeypatch.setattr(measure, "scores", said)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 5, "early_stopping": {"patience": 4}}, "early stopping with patience 4 never acts within 5 epochs"),
        ({"epochs": 1, "schedule": {"kind": "cosine"}}, "a cosine never acts within 1 epochs; give 2 epochs or more"),
        (
            {"epochs": 9, "schedule": {"kind": "plateau"}, "early_stopping": {}},
            "plateau with patience 5 never acts before early stopping with patience 5 ends the phase; "
            "give early stopping 6 or more, or the plateau 4 or less",
        ),
        ({"epochs": 5, "schedule": {"kind": "plateau"}}, "plateau with patience 5 never acts within 5 epochs"),
        ({"epochs": 9, "schedule": {"kind": "plateau", "minimum": 1e-3}}, "minimum 0.001 is not below the rate 0.001"),
        (
            {"epochs": 3, "schedule": {"kind": "steps", "every": 3}},
            "a step of the rate after every 3 epochs never acts within 3",
        ),
    ],
)
def test_settings_that_never_act_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Phase(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mixing": {"kind": "mixup", "alpha": 0}}, "greater than or equal to 0.1"),
        ({"augmentation": [{"kind": "colour", "brightness": 0, "contrast": 0}]}, "nothing changes; raise one"),
        ({"augmentation": [{"kind": "flip", "horizontal": False, "vertical": False}]}, "nothing is flipped"),
        ({"phases": [STOPPING], "measured_every": 2}, "measured_every must be 1"),
        ({"head": {"dropout": 1}}, "less than 1"),
        ({"train_share": 0}, "greater than 0"),
    ],
)
def test_wrong_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        configuration(**changes)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (None, [0.1, 0.1, 0.1, 0.1]),
        (Cosine(), [0.1, 0.05 * (1 + np.sqrt(0.5)), 0.05, 0.05 * (1 - np.sqrt(0.5))]),
        (Cosine(final=0.2), [0.1, 0.02 + 0.04 * (1 + np.sqrt(0.5)), 0.06, 0.02 + 0.04 * (1 - np.sqrt(0.5))]),
        (Steps(every=2, factor=0.5), [0.1, 0.1, 0.05, 0.05]),
        (Plateau(patience=1, factor=0.5, minimum=0.04), [0.1, 0.05, 0.04, 0.04]),  # reductions
    ],
)
def test_rate_follows_its_schedule(schedule, rates):
    phase = Phase(epochs=4, learning_rate=0.1, schedule=schedule)
    assert [learning_rate(phase, done, reductions=done) for done in range(4)] == pytest.approx(rates)


def test_history_has_the_rates_and_the_optimiser_obeys_them(tmp_path):
    phases = (Phase(epochs=4, learning_rate=0.1, schedule=Steps(every=3)), Phase(epochs=2, schedule=Cosine()))
    network, progress = train.train(configuration(phases=phases), tiny(), tmp_path)
    rates = [progress.at(epoch)["tuning"]["learning_rate"] for epoch in range(7)]
    assert rates[0] is None and rates[1:] == pytest.approx([0.1, 0.1, 0.1, 0.01, 1e-3, 5e-4])
    assert float(network.optimizer.learning_rate) == pytest.approx(5e-4)


def test_plateau_waits_then_reduces_the_rate(monkeypatch, tmp_path):
    tuning_losses(monkeypatch, [0.9, 0.8, 0.8, 0.81, 0.7, 0.7, 0.7, 0.7])
    phase = Phase(epochs=8, learning_rate=0.1, schedule=Plateau(factor=0.5, patience=2, minimum=0.03))
    progress = train.train(configuration(phases=[phase]), tiny(), tmp_path)[1]
    rates = [progress.at(epoch)["train"]["learning_rate"] for epoch in range(1, 9)]
    assert rates == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.03])
    assert progress.best_epoch == progress.epoch == 8


def test_early_stopping_restores_the_best_epoch(monkeypatch, tmp_path):
    losses = [0.9, 0.5, 0.6, 0.5, 0.4]  # equal is not better
    with monkeypatch.context() as patch:
        tuning_losses(patch, losses)
        network, progress = train.train(configuration(phases=[STOPPING]), tiny(), tmp_path / "stopped")
    assert (progress.epoch, progress.best_epoch, progress.watch.best_loss) == (4, 2, 0.5)
    two = configuration(phases=[Phase(epochs=2, learning_rate=0.02)])
    expected, _ = train.train(two, tiny(), tmp_path / "two")
    assert [weight.tobytes() for weight in network.get_weights()] == [w.tobytes() for w in expected.get_weights()]
    forward = measure.traced(network)
    for name, images in tiny().parts().items():
        scores = measure.scores(images.labels, measure.logits(forward, images))
        assert scores["accuracy"] == progress.at(2)[name]["accuracy"] and scores["auc"] == progress.at(2)[name]["auc"]


def test_the_best_epoch_is_kept_where_nothing_stops(monkeypatch, tmp_path):
    tuning_losses(monkeypatch, [0.9, 0.8, 0.7, 0.6, 0.5, 0.55])
    progress = train.train(configuration(phases=[STOPPING]), tiny(), tmp_path)[1]
    assert (progress.epoch, progress.best_epoch) == (6, 5)


def test_a_loss_that_is_not_a_number_is_never_the_best():
    watch = Watch()
    assert not watch.see(1, np.nan, STOPPING) and not watch.stops(STOPPING)
    assert watch.see(2, 0.5, STOPPING) and not watch.see(3, np.nan, STOPPING) and not watch.see(4, 0.5, STOPPING)
    assert watch.stops(STOPPING) and watch.best_epoch == 2


LAST = "the last epoch"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One uninterrupted run with everything: (network, progress)."""
    return train.train(configuration(**EVERYTHING), tiny(), tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("stopped_after", [None, 1, 3, LAST])
def test_stopped_run_with_everything_goes_on_as_if_nothing_had_happened(tmp_path, stopped, whole, stopped_after):
    settings = configuration(**EVERYTHING)
    trained = sum(phase["epochs"] for phase in whole[1].phases)
    stopped_after = trained if stopped_after == LAST else stopped_after
    with stopped(stopped_after) if stopped_after else nullcontext():
        train.train(settings, tiny(), tmp_path / "stopped")
    resumed = train.train(settings, tiny(), tmp_path / "stopped")
    for own, other in zip(resumed[0].variables, whole[0].variables, strict=True):
        np.testing.assert_array_equal(own.numpy(), other.numpy())
    first, second = (progress.saved() for progress in (resumed[1], whole[1]))
    for phase in first["phases"] + second["phases"]:
        del phase["seconds"]
    assert first == second


def test_network_of_every_configuration_can_be_rebuilt_with_its_weights(tmp_path, whole):
    settings, network = configuration(**EVERYTHING), whole[0]
    network.save_weights(tmp_path / "model.weights.h5")
    again = initial.build(settings, tiny())
    again.load_weights(tmp_path / "model.weights.h5")
    first, second = (measure.logits(measure.traced(one), tiny().validation) for one in (network, again))
    np.testing.assert_array_equal(first, second)


def test_what_acts_in_training_does_not_change_the_start_nor_an_inference():
    plain, changed = initial.build(configuration(), tiny()), initial.build(configuration(**EVERYTHING), tiny())
    for own, other in zip(plain.get_weights(), changed.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)
    images = tiny().tuning.pixels
    for call in ({}, {"training": False}):
        np.testing.assert_array_equal(np.asarray(plain(images)), np.asarray(changed(images, **call)))
    assert (np.asarray(changed(images, training=True)) != np.asarray(plain(images))).any()


def test_dropout_of_the_head_drops_features_in_training_alone():
    layer = initial.build(configuration(head=Head(dropout=0.5)), tiny()).get_layer("head_dropout")
    features = np.ones((4, 1000), np.float32)
    np.testing.assert_array_equal(np.asarray(layer(features)), features)
    dropped = np.asarray(layer(features, training=True))
    assert set(dropped.ravel()) == {0, 2} and np.mean(dropped == 0) == pytest.approx(0.5, abs=0.05)


def test_l2_is_the_sum_of_squares_of_all_kernels_in_the_loss_and_not_in_the_history(tmp_path):
    settings = configuration(l2=0.01, phases=[Phase(epochs=1, optimiser="sgd", learning_rate=1e-9)])
    network, data = initial.build(settings, tiny()), tiny()
    kernels = [weight.numpy() for weight in network.trainable_weights if "kernel" in weight.path]
    expected = 0.01 * sum((kernel.astype(float) ** 2).sum() for kernel in kernels)
    assert len(kernels) == 3 and sum(float(loss) for loss in network.losses) == pytest.approx(expected, rel=1e-5)
    model.compile_for(network, settings.phases[0], 2)
    plain = measure.scores(data.train.labels, measure.logits(network, data.train))["loss"]
    assert float(network.test_on_batch(data.train.pixels, data.train.labels)) == pytest.approx(
        plain + expected, rel=1e-4
    )
    progress = train.train(settings, data, tmp_path)[1]
    assert progress.at(1)["train"]["loss"] == pytest.approx(plain, rel=1e-4)


@pytest.mark.parametrize("classes", [2, 3])
def test_label_smoothing_takes_its_share_from_every_label(classes):
    network, data = initial.build(configuration(), tiny(classes)), tiny(classes)
    model.compile_for(network, Phase(epochs=1), classes, soft=True, smoothing=0.3)
    images, labels = next(
        feed.training_batches(data.train, 50, 7, 0, 1, soft=network.output_shape[-1]).as_numpy_iterator()
    )
    probabilities = measure.probabilities(np.asarray(network(images)))
    hard = labels.round().astype(int)
    shares = np.eye(classes)[hard[:, 0] if classes == 2 else hard.argmax(axis=1)] * 0.7 + 0.3 / classes
    expected = -(shares * np.log(probabilities)).sum(axis=1).mean()
    assert float(network.test_on_batch(images, labels)) == pytest.approx(expected, rel=1e-4)


def batches(data, mixing: str, classes: int, seed: int = 7, first: int = 0, last: int = 1) -> list:
    soft, mix = 1 if classes == 2 else classes, mixer(Mixing(kind=mixing, alpha=1), seed)
    return list(feed.training_batches(data, 16, seed, first, last, soft, mix).as_numpy_iterator())


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_mixed_labels_have_the_shares_of_the_mixed_pixels(kind, classes):
    data = part(48, classes, 1)
    data.pixels[:] = 40 * (data.labels + 1)[:, None, None, None]  # a grey that names the class
    for images, labels in batches(data, kind, classes):
        assert images.dtype == labels.dtype == np.float32 and images.shape == (16, 20, 20, 1)
        shares = np.hstack([1 - labels, labels]) if classes == 2 else labels
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
        np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), shares @ (40 * np.arange(1, classes + 1)), rtol=1e-4)
        assert kind == "mixup" or set(images.ravel()) <= {40, 80, 120}
        assert ((shares > 0.01) & (shares < 0.99)).any()


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_mixing_follows_seed_epoch_and_step_alone(kind):
    data = part(50, 2, 1)
    whole = batches(data, kind, 2, last=3)
    parts = batches(data, kind, 2) + batches(data, kind, 2, first=1, last=3)
    for own, other in zip(whole, parts, strict=True):
        for first, second in zip(own, other, strict=True):
            np.testing.assert_array_equal(first, second)
    assert (batches(data, kind, 2, seed=8)[0][0] != whole[0][0]).any()


def test_smaller_shares_lie_in_larger_ones_and_keep_the_classes():
    data = part(200, 3, 1)
    names = [set(controls.fewer(data, share, 7).names) for share in (0.1, 0.25, 0.5, 1)]
    assert names[0] < names[1] < names[2] < names[3] == set(data.names)
    for share in (0.001, 0.1, 0.5):
        kept = np.bincount(controls.fewer(data, share, 7).labels)
        np.testing.assert_array_equal(kept, np.ceil(share * np.bincount(data.labels)))
    assert names[1] != set(controls.fewer(data, 0.25, 8).names)
    seen = controls.applied(configuration(train_share=0.5), tiny())
    assert len(seen.train) == 26 and len(seen.tuning) == len(tiny().tuning)  # halves of 37 and 13, rounded up
