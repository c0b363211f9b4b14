"""Features are what scikit-image computes; predictions come from models that never saw the image, its fold or its label."""

import numpy as np
import pandas as pd
import pytest
from skimage.feature import hog
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from lib import classical, folds, metrics

pytestmark = pytest.mark.filterwarnings("error")


def clouds(seed, images=300, classes=2, distance=2.0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, images)
    return generator.normal(size=(images, 6)) + distance * np.eye(6)[labels], labels


class Witness(ClassifierMixin, BaseEstimator):
    """Remembers the rows it saw (a row is its own number and its fold) and refuses to be asked about their folds."""

    def fit(self, features, labels):
        self.seen_, self.classes_ = set(features[:, 1]), np.unique(labels)
        return self

    def predict_proba(self, features):
        assert not self.seen_ & set(features[:, 1]), "asked about a fold that it was fitted on"
        return np.full((len(features), len(self.classes_)), 1 / len(self.classes_))


@pytest.mark.parametrize(("size", "channels"), [(64, 1), (50, 3), (16, 1)])
def test_hog_is_that_of_scikit_image(size, channels):
    pixels = np.random.default_rng(1).integers(0, 256, (3, size, size, channels), dtype=np.uint8)
    features = classical.hog_features(pixels)
    kept = size // 4 * 4
    expected = hog(pixels[1, :kept, :kept], 9, (kept // 4, kept // 4), (2, 2), channel_axis=-1)
    np.testing.assert_allclose(features[1], expected, rtol=1e-6)
    assert features.shape == (3, 324) and features.dtype == np.float32
    assert features.min() >= 0 and features.max() <= 1


def test_a_grey_image_repeated_in_channels_has_the_same_features():
    pixels = np.random.default_rng(2).integers(0, 256, (2, 32, 32, 1), dtype=np.uint8)
    np.testing.assert_array_equal(classical.hog_features(pixels), classical.hog_features(pixels.repeat(3, axis=3)))


def test_images_too_small_for_cells_are_refused():
    with pytest.raises(ValueError, match="12 pixels are too small"):
        classical.hog_features(np.zeros((1, 12, 12, 1), np.uint8))


@pytest.mark.parametrize("calibrated", [True, False])
def test_no_model_is_asked_about_folds_that_it_saw(calibrated):
    labels = np.tile([0, 1], 50)
    fold = folds.random_folds(labels, 5, 1)
    features = np.column_stack([np.arange(100), fold])
    found = classical.out_of_fold(Witness(), features, labels, fold, calibrated)
    np.testing.assert_allclose(found, 0.5)
    with pytest.raises(AssertionError, match="fitted on"):
        Witness().fit(features, labels).predict_proba(features)


def test_labels_of_a_fold_do_not_reach_its_own_predictions():
    features, labels = clouds(3)
    fold = folds.random_folds(labels, 5, 1)
    changed = np.where(fold == 2, 1 - labels, labels)
    before, after = (classical.out_of_fold(classical.baseline(), features, own, fold) for own in (labels, changed))
    np.testing.assert_array_equal(before[fold == 2], after[fold == 2])
    assert (before[fold != 2] != after[fold != 2]).all()


@pytest.mark.parametrize("classes", [2, 4])
def test_the_baseline_ranks_and_is_calibrated(classes):
    features, labels = clouds(4, 600, classes)
    found = classical.out_of_fold(classical.baseline(), features, labels, folds.random_folds(labels, 5, 1))
    assert found.shape == ((600,) if classes == 2 else (600, 4))
    assert metrics.score("auc", labels, found) > 0.88
    assert np.abs((found[:, None] if classes == 2 else found).mean(axis=0)[-1] - (labels == classes - 1).mean()) < 0.03
    shares = {2: 0.69, 4: 1.39}  # nats, of a model that knows the shares of the classes only
    assert metrics.score("log_loss", labels, found) < 0.6 * shares[classes]


def test_it_repeats_bit_for_bit():
    features, labels = clouds(5)
    fold = folds.random_folds(labels, 5, 1)
    first, second = (classical.out_of_fold(classical.baseline(), features, labels, fold) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_class_that_some_folds_lack_has_its_column():
    features, labels = clouds(6, 200, 3)
    labels[labels == 2] = np.where(np.arange((labels == 2).sum()) < 3, 2, 0)
    fold = np.arange(200) % 5
    fold[labels == 2] = [0, 1, 2]
    found = classical.out_of_fold(classical.baseline(), features, labels, fold)
    assert found.shape == (200, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_class_that_no_training_image_has_gets_no_probability():
    features, labels = clouds(8, 200, 3)
    fold = np.where(labels == 1, 0, np.arange(200) % 5)
    found = classical.out_of_fold(LogisticRegression(), features, labels, fold, calibrated=False)
    assert (found[fold == 0, 1] == 0).all() and (found[fold != 0, 1] > 0).all()
    assert metrics.score("auc", (labels[fold == 0] == 2).astype(int), found[fold == 0, 2]) > 0.7


def test_tables_are_taken_as_arrays_are():
    features, labels = clouds(7)
    fold = folds.random_folds(labels, 5, 1)
    own = [
        classical.out_of_fold(LogisticRegression(), x, labels, fold, False) for x in (features, pd.DataFrame(features))
    ]
    np.testing.assert_allclose(*own, rtol=1e-9)
