"""Studies of classical models: groups stay whole, differences are paired, choices see no image they are judged on."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from lib import baselines, classical, grades
from lib.estimates import Estimate, Inapplicable

GROUPS, EACH = 12, 20


def data(seed=1, classes=2, distance=1.5):
    """Twelve groups with levels of their own: the first two columns tell the label, the last two the group."""
    generator = np.random.default_rng(seed)
    group = np.repeat(np.arange(GROUPS), EACH)
    labels = generator.integers(0, classes, len(group))
    signal = generator.normal(size=(len(group), classes)) + distance * np.eye(classes)[labels]
    return signal.astype(np.float32), labels, group


def two_models(seed):
    drawn = DummyClassifier(strategy="uniform", random_state=seed)
    return {"dummy": DummyClassifier(), "straight": LogisticRegression(), "none": drawn}


@pytest.fixture(scope="module")
def study():
    signal, labels, group = data()
    noise = np.random.default_rng(2).normal(size=signal.shape)
    return baselines.study({"signal": signal, "noise": noise}, labels, group, [1, 2], 4, two_models)


def test_groups_are_never_divided_and_folds_follow_the_seed(study):
    for fold in study.fold:
        assert pd.Series(fold).groupby(study.groups).nunique().eq(1).all()
    assert (study.fold[0] != study.fold[1]).any()


def test_scores_and_their_mean(study):
    signal, noise = study.of("signal", "straight").auc(), study.of("noise", "straight").auc()
    assert signal.interval()[0] > 0.8 and noise.interval()[0] < 0.5 < noise.interval()[1]
    assert (signal.groups, signal.seeds, signal.images) == (GROUPS, 2, GROUPS * EACH)
    both = study.of("signal", "straight", "none").auc().value
    assert both == pytest.approx((signal.value + study.of("signal", "none").auc().value) / 2)
    assert study.of("signal").auc().value == pytest.approx(both), "all models are named, but not the dummy"
    assert study.of("signal", "dummy").auc().value == 0.5


def test_differences_are_paired(study):
    same = study.of("signal").less(study.of("signal"))
    assert (same.value, *same.interval()) == (0, 0, 0)
    gain = study.of("signal", "straight").less(study.of("noise", "straight"))
    assert gain.value == pytest.approx(
        study.table()["signal"]["straight"].value - study.table()["noise"]["straight"].value
    )
    assert study.gains("signal", "noise")["straight"].value == gain.value and gain.interval()[0] > 0


def test_the_best_is_chosen_by_the_other_folds(study):
    assert study.choices().to_dict() == {("signal", "straight"): 8}
    np.testing.assert_array_equal(study.best_probabilities(), study.probabilities["signal", "straight"])
    signal, labels, group = data(3)
    first = baselines.study({"noise": signal[:, ::-1] * 0}, labels, group, [1], 4, two_models)
    own = first.fold[0] == first.fold[0, 0]
    perfect = {**first.probabilities, ("noise", "none"): np.where(own, labels, 1 - labels)[None].astype(float)}
    other = baselines.Study(group, first.rows, labels, first.fold, perfect, first.fit_seconds)
    chosen = other.best_probabilities()[0, own]
    assert not np.array_equal(chosen, labels[own]), "what is right on this fold alone is not chosen for it"


def test_part_of_the_images_and_the_whole_can_be_compared():
    signal, labels, group = data(4)
    some = np.arange(len(labels)) % 3 > 0
    whole = baselines.study({"signal": signal}, labels, group, [1], 4, two_models)
    part = baselines.study({"signal": signal}, labels, group, [1], 4, two_models, within=some)
    assert part.labels.tolist() == labels[some].tolist() and part.rows.tolist() == np.flatnonzero(some).tolist()
    difference = part.of("signal", "straight").less(whole.of("signal", "straight"))
    expected = part.of("signal", "straight").auc().value - whole.of("signal", "straight").auc().value
    assert difference.value == pytest.approx(expected) and difference.groups == GROUPS


@pytest.mark.parametrize("case", ["ungraded", "few images", "few groups", "one class"])
def test_what_cannot_be_asked_is_inapplicable(case):
    signal, labels, group = data(5)
    within, reason = None, ""
    if case == "ungraded":
        within, reason = grades.extreme(pd.Series(np.nan, range(len(labels)))), "three levels"
    elif case == "few images":
        within, reason = np.arange(len(labels)) < 39, "39 images are too few"
    elif case == "few groups":
        group, reason = group % 3, "3 groups for 4 folds"
    else:
        labels, reason = labels * 0, "of one class"
    study = baselines.study({"signal": signal}, labels, group, [1], 4, two_models, within=within)
    for found in (study.of("signal").auc(), study.of("signal").less(study.of("signal")), study.best().auc()):
        assert isinstance(found, Inapplicable) and reason in found.reason
    assert study.confusions("signal") == {} and study.seconds().empty
    assert reason in study.choices().index[0][0] and reason in study.metrics()["auc"].reason
    assert isinstance(next(iter(study.table()[""].values())), Inapplicable)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_models_of_the_book_learn_repeat_and_warn_of_nothing(classes, recwarn):
    signal, labels, group = data(6, classes, distance=3)
    first, second = (baselines.study({"signal": signal}, labels, group, [1], 4) for _ in range(2))
    assert first.models == list(classical.models(1))[1:] and len(first.models) == 6
    for key, found in first.probabilities.items():
        np.testing.assert_array_equal(found, second.probabilities[key])
    values = {name: found.value for name, found in first.table()["signal"].items() if isinstance(found, Estimate)}
    assert values.pop("dummy") == 0.5 and min(values.values()) > 0.9, values
    assert sum(first.confusions("signal")["random forest"].ravel()) == len(labels)
    assert list(first.seconds().columns) == ["signal"] and (first.seconds().to_numpy() > 0).all()
    assert not recwarn.list


def test_the_extreme_levels():
    assert grades.extreme(pd.Series([0, 1 / 3, 1, 0.0])).tolist() == [True, False, True, True]
    assert isinstance(grades.extreme(pd.Series([0.0, 1.0])), Inapplicable)


def test_pixels_count_once_where_channels_repeat():
    grey = np.random.default_rng(1).integers(0, 256, (3, 4, 4, 1), dtype=np.uint8)
    once = classical.pixel_features(grey)
    assert once.shape == (3, 16) and once.dtype == np.float32 and once.min() >= 0 and once.max() <= 1
    np.testing.assert_array_equal(classical.pixel_features(grey.repeat(3, axis=3)), once)
    colour = grey.repeat(3, axis=3)
    colour[0, 0, 0, 1] ^= 1
    assert classical.pixel_features(colour).shape == (3, 48)
