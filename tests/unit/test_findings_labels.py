"""Planted conflicts, imbalance and noise are found; what is in order is not mentioned."""

import numpy as np
import pandas as pd
import pytest

from lib import classical, folds
from lib.findings import COLUMNS, frame, labels

pytestmark = pytest.mark.filterwarnings("error")


def table(*rows):
    return pd.DataFrame(rows, columns=["path", "pixels_sha256", "label"])


def test_a_frame_without_rows_has_the_columns():
    assert tuple(frame().columns) == COLUMNS and not len(frame())
    assert frame([("blank", "a.png", "", "")]).loc[0, "image"] == "a.png"


def test_the_same_pixels_with_other_labels():
    found = labels.conflicts(table(("a", "1", "cat"), ("b", "2", "dog"), ("c", "1", "dog"), ("d", "1", "cat")))
    assert set(found["kind"]) == {"label_conflict"}
    assert found[["image", "other"]].to_numpy().tolist() == [["a", "c"], ["c", "a"], ["d", "c"]]
    assert found["detail"].tolist() == [
        "labelled cat, elsewhere dog",
        "labelled dog, elsewhere cat",
        "labelled cat, elsewhere dog",
    ]


def test_one_path_in_rows_of_other_labels_is_named_once_a_label():
    found = labels.conflicts(table(("a", "1", 0), ("a", "1", 2), ("a", "1", 2)))
    assert found[["image", "other", "detail"]].to_numpy().tolist() == [
        ["a", "a", "labelled 0, elsewhere 2"],
        ["a", "a", "labelled 2, elsewhere 0"],
    ]


def test_conflicts_stand_in_the_order_of_the_table():
    found = labels.conflicts(table(("a", "2", 0), ("b", "1", 0), ("c", "2", 1), ("d", "1", 1)))
    assert found["image"].tolist() == ["a", "b", "c", "d"]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_unknown_pixels_and_labels_are_no_conflict(missing):
    rows = table(("a", missing, 0), ("b", missing, 1), ("c", "3", missing), ("d", "3", 1), ("e", "3", 1))
    assert labels.conflicts(rows).empty
    assert len(labels.conflicts(table(("a", missing, 0), ("a", missing, 1)))) == 2
    assert labels.conflicts(table()).empty


@pytest.mark.parametrize(("cats", "dogs", "found"), [(15, 10, 0), (16, 10, 1), (10, 16, 1), (10, 0, 0)])
def test_imbalance(cats, dogs, found):
    names = pd.Series(["cat"] * cats + ["dog"] * dogs + [None])
    assert len(labels.imbalance(names)) == found


def test_imbalance_says_the_counts():
    finding = labels.imbalance(pd.Series(["dog"] * 5 + ["cat"] * 12)).iloc[0]
    assert (finding["image"], finding["detail"]) == ("", "12 cat, 5 dog: 2.4 to 1")
    empty = pd.Series(["cat"] * 3, dtype=pd.CategoricalDtype(["cat", "dog"]))
    assert labels.imbalance(empty).iloc[0]["detail"] == "3 cat, 0 dog: a class has no image"


def noisy(seed, classes, share, distance=4.0, images=600):
    """Clouds of points, a share of whose labels is exchanged: true labels, given labels, probabilities."""
    generator = np.random.default_rng(seed)
    true = generator.integers(0, classes, images)
    features = generator.normal(size=(images, 5)) + distance * np.eye(5)[true]
    given = np.where(generator.random(images) < share, (true + generator.integers(1, classes, images)) % classes, true)
    fold = folds.random_folds(given, 5, seed)
    return true, given, classical.out_of_fold(classical.baseline(), features, given, fold)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("seed", [1, 2])
def test_planted_noise_is_recovered(seed, classes, capsys):
    true, given, probabilities = noisy(seed, classes, 0.1)
    paths, names = [f"{row}.png" for row in range(600)], "abcd"[:classes]
    found = labels.label_errors(paths, given, probabilities, names)
    wrong, flagged = set(np.flatnonzero(true != given)), [int(image[:-4]) for image in found["image"]]
    assert len(wrong & set(flagged)) / len(wrong) > 0.85  # recall; clouds overlap a little
    assert len(wrong & set(flagged)) / len(flagged) > 0.8  # precision
    assert len(wrong & set(flagged[:20])) >= 18  # the most suspicious first
    assert capsys.readouterr() == ("", "")
    pd.testing.assert_frame_equal(found, labels.label_errors(paths, given, probabilities, names))


def test_clean_labels_raise_next_to_no_suspicion():
    true, given, probabilities = noisy(3, 2, 0.0, distance=6.0)
    assert len(labels.label_errors([str(row) for row in range(600)], given, probabilities, "ab")) <= 3


def test_a_class_that_models_underrate_is_not_suspected_as_a_whole():
    given = np.array([0] * 60 + [1] * 20)
    probabilities = np.where(given == 1, 0.4, 0.1) + np.random.default_rng(1).uniform(-0.05, 0.05, 80)
    assert labels.label_errors([str(row) for row in range(80)], given, probabilities, "ab").empty


def test_a_suspicion_names_both_classes():
    given = np.array([0] * 20 + [1] * 20)
    probabilities = np.where(given == 1, 0.95, 0.05)
    probabilities[3], probabilities[30] = 0.97, 0.02
    found = labels.label_errors([f"{row}.png" for row in range(40)], given, probabilities, ["sound", "defective"])
    assert found[["kind", "image", "other", "detail"]].to_numpy().tolist() == [
        ["label_error", "30.png", "", "given defective, looks like sound (self-confidence 0.02)"],
        ["label_error", "3.png", "", "given sound, looks like defective (self-confidence 0.03)"],
    ]
