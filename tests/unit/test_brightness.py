"""Brightness alone: learned on the training part, of any number of classes."""

import numpy as np
import pandas as pd
import pytest

from lib import brightness
from lib.metrics import score


def table(classes: int, images: int = 300, direction: float = 1.0) -> pd.DataFrame:
    generator = np.random.default_rng(4)
    label = generator.integers(0, classes, images)
    columns = {"image": [f"image{number}" for number in range(images)], "label": label}
    columns["part"] = generator.choice(["train", "tuning", "validation"], images)
    return pd.DataFrame(columns | {"brightness": 100 + direction * 20 * label + generator.normal(0, 15, images)})


@pytest.mark.parametrize("direction", [1, -1])
def test_two_classes_are_ranked_as_brightness_ranks_them(direction):
    rows = table(2, direction=direction)
    validation = rows[rows["part"] == "validation"]
    found = brightness.probabilities(rows, validation["image"].to_numpy(), 2)
    by_hand = 0.5 + direction * (validation["brightness"].to_numpy() - 128) / 1000
    assert found.shape == (1, len(validation))
    assert score("auc", validation["label"], found[0]) == pytest.approx(score("auc", validation["label"], by_hand))
    assert score("auc", validation["label"], found[0]) > 0.7


def test_three_classes_have_a_probability_each():
    rows = table(3)
    validation = rows[rows["part"] == "validation"]
    found = brightness.probabilities(rows, validation["image"].to_numpy(), 3)
    assert found.shape == (1, len(validation), 3)
    np.testing.assert_allclose(found.sum(axis=2), 1)
    assert score("auc", validation["label"], found[0]) > 0.7


def test_images_come_in_the_order_asked_for():
    rows = table(2)
    some = np.array(["image7", "image3"])
    assert (
        brightness.probabilities(rows, some, 2)[0].tolist()
        == brightness.probabilities(rows, some[::-1], 2)[0, ::-1].tolist()
    )


def test_only_the_training_part_is_learned_from():
    rows = table(2)
    elsewhere = rows["part"] != "train"
    changed = rows.assign(label=np.where(elsewhere, 1 - rows["label"], rows["label"]))
    images = rows["image"].to_numpy()
    np.testing.assert_array_equal(*(brightness.probabilities(each, images, 2) for each in (rows, changed)))


def test_a_class_without_training_images_has_no_probability():
    rows = table(3)
    rows = rows[(rows["label"] != 1) | (rows["part"] != "train")]
    found = brightness.probabilities(rows, rows["image"].to_numpy(), 3)
    assert (found[..., 1] == 0).all()
    np.testing.assert_allclose(found.sum(axis=2), 1)


def test_every_part_has_its_auc():
    rows = table(2)
    other = (rows["part"] == "validation") & (np.arange(len(rows)) % 2 == 0)
    rows["label"] = np.where(other, 1 - rows["label"], rows["label"])
    found = brightness.ranking(rows, 2).loc["brightness alone"]
    assert list(found.index) == ["train", "tuning", "validation"]
    assert found["tuning"] > 0.7 and abs(found["validation"] - 0.5) < 0.2
    one = rows[(rows["part"] != "tuning") | (rows["label"] == 1)]
    assert np.isnan(brightness.ranking(one, 2)["tuning"].item())
