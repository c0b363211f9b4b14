"""Planted: pictures of a group look alike and share a label by chance. Random folds are flattered by it, group folds are not."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from lib import inflation, metrics
from lib.intervals import estimate
from lib.statistics import auc_within

SEEDS = (1, 2, 3)


def modules(seed, signal=0.0, likeness=3.0, count=40, size=8):
    """Features of groups that have a place of their own, labels with a rate of their own."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(count), size)
    labels = (generator.random(count * size) < np.repeat(generator.beta(0.4, 0.4, count), size)).astype(int)
    features = likeness * np.repeat(generator.normal(size=(count, 4)), size, axis=0)
    features += generator.normal(size=features.shape)
    features[:, 0] += signal * labels
    return features, labels, groups


def test_memory_of_groups_is_measured():
    study = inflation.study(*modules(1), SEEDS, KNeighborsClassifier(9))
    assert not study.reasons and set(study.fold) == {"random", "block", "group"}
    assert study.auc("random").interval()[0] > 0.6
    low, high = study.auc("group").interval()
    assert low < 0.5 < high
    assert study.difference("random", "group").interval()[0] > 0.1
    assert study.difference("random", "block").interval()[0] > 0  # a stretch shares the groups at its ends


def test_what_flatters_is_knowing_the_group():
    study = inflation.study(*modules(1, size=24), SEEDS, KNeighborsClassifier(9))
    low, high = study.difference("random", "group", study.groups).interval()
    assert low < 0 < high  # images of one group are told apart as badly either way
    assert study.beyond("random", "group", study.groups).interval()[0] > 0


def test_where_groups_tell_nothing_nothing_is_inflated():
    generator = np.random.default_rng(4)
    labels, groups = generator.integers(0, 2, 320), np.repeat(np.arange(40), 8)
    features = generator.normal(size=(320, 4)) + labels[:, None]
    study = inflation.study(features, labels, groups, SEEDS, LogisticRegression())
    found = study.difference("random", "group")
    low, high = found.interval()
    assert low < 0 < high and high - low < 0.05
    assert found.half_width() == pytest.approx((high - low) / 2)
    low, high = study.beyond("random", "group", groups).interval()
    assert low < 0 < high
    assert study.auc("group").value > 0.85


def test_where_groups_tell_nothing_flattery_is_rarely_claimed():
    """Simulated: labels that features tell alike in every group; the 95 % interval excludes 0 about as often as it may."""
    claimed = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        labels, groups = generator.integers(0, 2, 320), np.repeat(np.arange(40), 8)
        features = generator.normal(size=(320, 4)) + 0.5 * labels[:, None]
        study = inflation.study(features, labels, groups, (1, 2), LogisticRegression())
        claimed += study.difference("random", "group").interval()[0] > 0
    assert claimed <= 3


def test_both_ways_compare_the_very_same_pairs_each_scored_by_one_model():
    """By hand: pairs of one fold under either scheme. A model whose scores are all shifted changes nothing."""
    generator = np.random.default_rng(9)
    labels, groups = generator.integers(0, 2, 60), np.repeat(np.arange(6), 10)
    fold = {"random": generator.integers(0, 3, (1, 60)), "group": (groups // 2)[None]}
    scores = {scheme: generator.random((1, 60)) for scheme in fold}
    study = inflation.Inflation(labels, groups, fold, scores, {})

    def by_hand(score, within):
        won = [
            (np.sign(score[one] - score[other]) + 1) / 2
            for one in np.flatnonzero(labels == 1)
            for other in np.flatnonzero(labels == 0)
            if all(drawn[0, one] == drawn[0, other] for drawn in fold.values()) and within[one] == within[other]
        ]
        return np.mean(won)

    every = np.zeros(60)
    gain = {name: by_hand(scores["random"][0], w) - by_hand(scores["group"][0], w) for name, w in
            {"all": every, "one group": groups}.items()}  # fmt: skip
    assert study.difference("random", "group").value == pytest.approx(gain["all"])
    assert study.difference("random", "group", groups).value == pytest.approx(gain["one group"])
    assert study.beyond("random", "group", groups).value == pytest.approx(gain["all"] - gain["one group"])
    shifted = {scheme: drawn / 2 + (fold[scheme] == 1) / 2 for scheme, drawn in scores.items()}
    again = inflation.Inflation(labels, groups, fold, shifted, {})
    assert again.difference("random", "group").value == pytest.approx(gain["all"])


def test_kinds_are_judged_by_themselves():
    features, labels, groups = modules(1)
    kind = pd.Series(np.where(groups < 20, "poly", "mono"), name="type")
    study = inflation.study(features, labels, groups, SEEDS, KNeighborsClassifier(9))
    found = study.by_kind(kind).set_index("type")
    part = study.of((kind == "mono").to_numpy())
    assert found.index.tolist() == ["mono", "poly"] and found["groups"].tolist() == [20, 20]
    assert found.loc["mono", "random less group"] == str(part.difference("random", "group"))
    assert found.loc["mono", "half width"] == part.difference("random", "group").half_width()
    single = study.by_kind(pd.Series(np.where(groups == 3, "odd", "usual"), name="type")).set_index("type")
    assert single.loc["odd", "AUC, group"].startswith("not applicable") and np.isnan(single.loc["odd", "half width"])


def test_a_model_suspects_labels_only_where_it_surely_tells_them():
    generator = np.random.default_rng(3)
    labels, groups = generator.integers(0, 2, 400), np.arange(400) // 10
    sure = np.clip(0.3 + 0.4 * labels + generator.normal(0, 0.2, 400), 0, 1)
    assert inflation.trusted(labels, sure, groups).value > 0.8
    unsure = inflation.trusted(labels, generator.random(400), groups)
    assert "is not surely above 0.7" in unsure.reason
    assert "too few" in inflation.trusted(labels, None, groups).reason
    several = np.column_stack([1 - sure, sure / 2, sure / 2])
    assert inflation.trusted(labels + (labels & (np.arange(400) % 2)), several, groups).value > 0.6


def test_each_seed_is_a_division_of_its_own_and_repeats():
    first, second = (inflation.study(*modules(2), SEEDS, LogisticRegression()) for _ in range(2))
    for scheme, fold in first.fold.items():
        assert fold.shape == (3, 320) and (fold[0] != fold[1]).any()
        np.testing.assert_array_equal(first.probabilities[scheme], second.probabilities[scheme])


def test_groups_of_single_images_are_no_scheme_of_their_own():
    features, labels, _ = modules(3, signal=2)
    study = inflation.study(features, labels, np.arange(320), SEEDS, LogisticRegression())
    assert study.reasons == {"group": "every group is one image, so folds by group are random folds"}
    assert study.auc("random").value > 0.5
    assert "every group is one image" in study.difference("random", "group").reason
    found = inflation.honest(features, labels, np.arange(320), SEEDS, LogisticRegression())
    np.testing.assert_allclose(found, study.probabilities["random"].mean(axis=0))  # a group of one is an image


def test_many_classes():
    features, labels, groups = modules(5, signal=2)
    labels = labels + (features[:, 1] > 1)
    study = inflation.study(features, labels, groups, SEEDS, LogisticRegression())
    assert study.probabilities["group"].shape == (3, 320, 3)
    assert study.difference("random", "group").seeds == 3


def test_one_class_gives_reasons():
    features, labels, groups = modules(6)
    study = inflation.study(features, labels * 0, groups, SEEDS, LogisticRegression())
    assert set(study.reasons) == set(inflation.SCHEMES)
    assert "one class" in study.auc("random").reason
    assert inflation.honest(features, labels * 0, groups, SEEDS) is None
    assert study.reasons["random"] == "the 320 images are of one class, or without labels"


def two_folds(shift):
    """Perfect ranking inside each fold; the second fold's model scores everything higher."""
    label = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    score = np.array([0.1, 0.2, 0.3, 0.4, 0.1 + shift, 0.2 + shift, 0.3 + shift, 0.4 + shift])
    return label, score, np.repeat([0, 1], 4)


@pytest.mark.parametrize("shift", [0, 0.3, 0.5])
def test_scores_of_different_models_are_not_compared(shift):
    label, score, fold = two_folds(shift)
    assert auc_within(label, score, fold)(np.ones((1, 8))) == 1
    assert (metrics.score("auc", label, score) < 1) == (shift > 0)


def test_one_stratum_is_the_plain_score_and_weights_count_images():
    generator = np.random.default_rng(7)
    label, score = generator.integers(0, 2, 60), np.round(generator.random((3, 60)), 1)
    weights = generator.integers(0, 3, (5, 60)).astype(float)
    expected = [metrics.score("auc", label, seed, weights) for seed in score]
    np.testing.assert_allclose(auc_within(label, score, np.zeros(60))(weights), expected)
    strata = generator.integers(0, 4, (3, 60))
    found, repeated = auc_within(label, score, strata)(weights), []
    for seed in range(3):
        again = np.repeat(np.arange(60), weights[1].astype(int))
        repeated.append(auc_within(label[again], score[seed, again], strata[seed, again])(np.ones((1, len(again))))[0])
    np.testing.assert_allclose(found[:, 1], np.ravel(repeated))


def test_within_of_many_classes_and_without_pairs():
    generator = np.random.default_rng(8)
    label, score = generator.integers(0, 3, 90), generator.dirichlet([1, 1, 1], 90)
    np.testing.assert_allclose(
        auc_within(label, score[None], np.zeros(90))(np.ones((1, 90))), [[metrics.score("auc", label, score)]]
    )
    assert np.isnan(auc_within(np.array([0, 1]), np.array([0.1, 0.2]), np.array([0, 1]))(np.ones((1, 2)))).all()
    estimate(auc_within(label, score[None], np.zeros(90)), np.arange(90) // 3, (0.0, 1.0))
