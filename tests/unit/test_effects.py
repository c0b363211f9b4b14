"""What a change brings: signs, pairing by image, calm, and the variance that batch normalisation expects."""

from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from lib import effects, fit
from lib.estimates import Inapplicable
from lib.training.data import Data, Part

GROUPS, IMAGES = 8, 10  # of each group


def run(certainty: float, seed: int = 0, losses: tuple[float, ...] = (0.7, 0.6, 0.5)) -> SimpleNamespace:
    """A finished run that gives every label a probability of `certainty` or a little less, training images some more."""
    draw = np.random.default_rng(seed)
    tables = []
    for part, gain in (("train", 0.05), ("tuning", -0.3), ("validation", 0.0)):
        labels = np.tile([0, 1], GROUPS * IMAGES // 2)
        given = certainty + gain - 0.02 * draw.random(len(labels))
        tables.append(
            pd.DataFrame(
                {
                    "image": [f"{part}{i}" for i in range(len(labels))],
                    "part": part,
                    "group": np.repeat([f"{part}-{g}" for g in range(GROUPS)], IMAGES),
                    "label": labels,
                    "probability": np.where(labels == 1, given, 1 - given),
                }
            )
        )
    history = pd.DataFrame({"epoch": range(len(losses)), "part": "validation", "loss": losses})
    other = history.assign(part="train", loss=np.linspace(0, 9, len(losses)) ** 2)
    record = {"stopped_epoch": len(losses) - 1, "best_epoch": int(np.argmin(losses))}
    record["images"] = {"train": GROUPS * IMAGES}
    return SimpleNamespace(
        predictions=pd.concat(tables), history=pd.concat([other, history]), record=record,
        configuration=SimpleNamespace(batch_size=32),
    )  # fmt: skip


def test_a_difference_is_the_setting_minus_its_parent():
    finished = {"parent": [run(0.7), run(0.7, 1)], "better": [run(0.9), run(0.9, 1)], "unused": []}
    found = effects.differences("log_loss", finished, {"better": "parent"})
    assert list(found) == ["better"]
    low, high = found["better"].interval()
    assert found["better"].value == pytest.approx(np.log(0.69) - np.log(0.89), abs=0.01) and high < 0


def test_a_steady_fall_is_calm_however_steep():
    steady, jumping = run(0.7, losses=(9.0, 4.0, 3.0, 2.0, 1.0)), run(0.7, losses=(9.0, 1.0, 0.9, 1.1, 0.8))
    assert effects.restlessness([steady, jumping])[0] == 0
    assert effects.restlessness([jumping])[0] == pytest.approx(np.std([-0.1, 0.2, -0.3]))


def test_calmer_is_negative_and_paired_by_seed():
    rough = [run(0.7, losses=(9.0, 1.0 + shift, 0.8 + shift, 1.1 + shift)) for shift in (0, 1)]
    calm = [run(0.7, losses=(9.0, 1.0 + shift, 0.9 + shift, 1.1 + shift)) for shift in (0, 1)]
    assert effects.calmer(calm, rough).value == pytest.approx(-0.1)
    assert isinstance(effects.calmer(calm[:1], rough[:1]), Inapplicable)


def test_epochs_kept_are_those_of_the_records():
    table = effects.epochs_kept({"a": [run(0.7, losses=(1.0, 0.5, 0.6, 0.7)), run(0.7, losses=(1.0, 0.9, 0.5, 0.6))]})
    assert table.loc["a"].to_dict() == {"trained": "3, 3", "kept": "1, 2", "steps": "3, 6"}  # 80 images, batches of 32


def test_what_is_reached_stands_beside_the_difference():
    finished = {"parent": [run(0.7), run(0.7, 1)], "better": [run(0.9), run(0.9, 1)]}
    moved = effects.differences("log_loss", finished, {"better": "parent"})
    table = effects.beside({"log_loss": moved}, finished, {"log_loss": 0.6931, "auc": 0.5})
    assert table.loc["parent", "log_loss"] == str(effects.validation_estimate("log_loss", finished["parent"]))
    assert table["difference of log_loss"].tolist() == ["", "", str(moved["better"])]
    assert table.iloc[0].tolist() == ["0.693", ""]


def test_without_an_image_the_shares_of_training_are_given():
    train, validation = (
        Part(np.zeros((len(labels), 2, 2, 1), np.uint8), *[np.arange(len(labels))] * 3, np.array(labels), None)
        for labels in ([0, 0, 0, 1], [0, 1])
    )
    data = Data(train, validation, validation, 2)
    found, own = effects.blind(data), effects.blind(data, "train")
    assert found["auc"] == 0.5 and found["log_loss"] == pytest.approx(-np.log([0.75, 0.25]).mean())
    assert own["log_loss"] == pytest.approx(-np.log([0.75, 0.75, 0.75, 0.25]).mean())
    assert f"a gap of {found['log_loss'] - own['log_loss']:.3f} nats" in fit.without_images(data).text


def test_added_images_are_counted_and_the_share_of_the_last_class_is_said():
    parts = [Part(np.zeros((len(labels), 2, 2, 1), np.uint8), *[np.arange(len(labels))] * 3, np.array(labels), None)
             for labels in ([0, 0, 0, 1], [0, 0, 0, 1, 1], [0, 1])]  # fmt: skip
    said = effects.added(Data(parts[0], *[parts[2]] * 2, 2), Data(parts[1], *[parts[2]] * 2, 2), ["good", "bad"]).text
    assert "To 4 training images the drawn defects add 1. " in said and "40 % of them are bad, where 25 % were" in said
    assert "50 % are." in said


def test_probabilities_of_labels_with_two_classes_and_with_three():
    two = pd.DataFrame({"label": [0, 1, 1], "probability": [0.25, 0.25, 0.0]})
    assert effects.given_to_labels(two)[:2].tolist() == [0.75, 0.25] and effects.given_to_labels(two)[2] > 0
    three = pd.DataFrame(
        {"label": [2, 0], "probability_0": [0.1, 0.5], "probability_1": [0.2, 0.3], "probability_2": [0.7, 0.2]}
    )
    assert effects.given_to_labels(three).tolist() == [0.7, 0.5]


def test_no_shift_where_the_variance_is_the_one_that_was_averaged():
    inputs = keras.Input((4, 4, 2))
    outputs = keras.layers.BatchNormalization(name="norm")(inputs)
    network = keras.Model(inputs, outputs)
    images = np.random.default_rng(0).normal(0, [2.0, 3.0], (50, 4, 4, 2)).astype("float32")
    layer = network.get_layer("norm")
    layer.moving_variance.assign(images.var(axis=(0, 1, 2)))
    fake = SimpleNamespace(model=lambda: network)
    assert effects.variance_shift(fake, images)["norm"] == pytest.approx(0, abs=1e-3)
    for factor in (2, 0.5):  # divided by too much, by too little
        layer.moving_variance.assign(factor * images.var(axis=(0, 1, 2)))
        assert effects.variance_shift(fake, images)["norm"] == pytest.approx(np.log(factor), abs=1e-3)
