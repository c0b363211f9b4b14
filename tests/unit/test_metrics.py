import time
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from lib import metrics
from lib.estimates import Inapplicable
from lib.metrics import difference_estimate, metric_estimate, metric_statistic, score
from lib.scores import METRICS, Metric

REFERENCE = {
    "accuracy": reference.accuracy_score,
    "balanced_accuracy": reference.balanced_accuracy_score,
    "auc": reference.roc_auc_score,
    "average_precision": reference.average_precision_score,
    "f1": reference.f1_score,
    "precision": reference.precision_score,
    "sensitivity": reference.recall_score,
    "specificity": lambda label, decision, **options: reference.recall_score(label, decision, pos_label=0, **options),
    "brier": reference.brier_score_loss,
    "log_loss": reference.log_loss,
}
MANY_CLASSES = [name for name, metric in METRICS.items() if metric.many_classes]


def predictions(seed, images=300, step=0.05, replicates=6):
    """Labels, probabilities with many ties (also at the threshold, 0 and 1), weights with zeros."""
    generator = np.random.default_rng(seed)
    label = generator.integers(0, 2, images)
    probability = np.clip(0.3 * label + generator.random(images) * 0.9 - 0.1, 0, 1)
    probability = np.round(probability / step) * step if step else probability
    return label, np.clip(probability, 0, 1), generator.choice([0, 0, 0.5, 1, 2, 3.7], (replicates, images))


def class_predictions(seed, images=200, classes=4):
    generator = np.random.default_rng(seed)
    label = generator.integers(0, classes, images)
    logits = np.round(generator.normal(size=(images, classes)) + 1.5 * np.eye(classes)[label], 1)
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return label, probability, generator.choice([0, 0.5, 1, 2], (5, images))


@pytest.mark.parametrize("step", [0, 0.05, 0.5])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", METRICS)
def test_equals_scikit_learn_with_weights_and_ties(name, seed, step):
    label, probability, weights = predictions(seed, step=step)
    prediction = (probability >= 0.5).astype(int) if METRICS[name].decides else probability
    expected = [REFERENCE[name](label, prediction, sample_weight=row) for row in weights]
    np.testing.assert_allclose(score(name, label, probability, weights), expected, rtol=1e-12)
    assert score(name, label, probability) == pytest.approx(REFERENCE[name](label, prediction), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", MANY_CLASSES)
def test_many_classes_equal_scikit_learn(name, seed):
    label, probability, weights = class_predictions(seed)
    options = {"multi_class": "ovr"} if name == "auc" else {}
    prediction = probability.argmax(axis=1) if METRICS[name].decides else probability
    expected = [REFERENCE[name](label, prediction, sample_weight=row, **options) for row in weights]
    np.testing.assert_allclose(score(name, label, probability, weights), expected, rtol=1e-10)


@pytest.mark.parametrize("name", METRICS)
def test_vectorised_equals_looped_across_chunks(name, monkeypatch):
    label, probability, weights = predictions(11, images=97, replicates=50)
    monkeypatch.setattr("lib.metrics.CHUNK_ELEMENTS", 7 * 97)
    looped = [score(name, label, probability, row) for row in weights]
    np.testing.assert_allclose(score(name, label, probability, weights), looped, rtol=1e-12)


def test_every_metric_has_a_reference():
    assert set(REFERENCE) == set(METRICS)


def test_weights_count_images_twice():
    label, probability, _ = predictions(3)
    twice = np.concatenate([np.arange(300), np.arange(100)])
    weights = np.bincount(twice, minlength=300)
    for name in METRICS:
        assert score(name, label, probability, weights) == pytest.approx(score(name, label[twice], probability[twice]))


def test_threshold_decides_positive_from_it_upwards():
    assert score("accuracy", [0, 1, 1], [0.29, 0.3, 0.31], threshold=0.3) == 1
    assert score("sensitivity", [0, 1, 1], [0.29, 0.3, 0.31], threshold=0.31) == 0.5


def test_constant_scores_have_auc_one_half():
    assert score("auc", [0, 1, 1, 0, 1], np.full(5, 0.7)) == 0.5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log_loss_is_finite_at_zero_and_as_in_scikit_learn(dtype):
    probability = np.array([0, 1, 0.5, 0], dtype=dtype)
    expected = reference.log_loss([1, 0, 1, 0], probability)
    assert score("log_loss", [1, 0, 1, 0], probability) == pytest.approx(expected, rel=1e-5)


def test_replicate_without_a_needed_class_is_nan_and_silent():
    label, probability = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9])
    weights = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]])
    undefined = {name: [False, False, False, True] for name in METRICS}
    undefined |= {name: [True, True, False, True] for name in ("auc", "balanced_accuracy")}
    undefined |= {name: [True, False, False, True] for name in ("sensitivity", "average_precision")}
    undefined["specificity"] = [False, True, False, True]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in METRICS:
            assert np.isnan(score(name, label, probability, weights)).tolist() == undefined[name], name
        assert np.isnan(score("precision", label, [0.1, 0.2, 0.3, 0.4]))


def test_accepts_lists_booleans_and_nullable_columns():
    expected = score("auc", np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.5, 0.9]))
    for label in ([0, 1, 0, 1], [False, True, False, True], pd.Series([0, 1, 0, 1], dtype="Int8", index=[9, 3, 1, 7])):
        assert score("auc", label, [0.1, 0.4, 0.5, 0.9]) == expected


GOOD = ([0, 1, 0, 1], [0.1, 0.4, 0.5, 0.9])
SOFTMAX = np.full((4, 3), 1 / 3)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("recall", *GOOD), "metric is 'recall'; choose one of accuracy"),
        (("auc", [0, 1, 1], GOOD[1]), r"probability has shape \(4,\), label \(3,\)"),
        (("auc", [1, 1, 1, 1], GOOD[1]), "auc needs images of label 0"),
        (("sensitivity", [0, 0, 0, 0], GOOD[1]), "sensitivity needs images of label 1"),
        (("auc", [0, 1, np.nan, 1], GOOD[1]), "label is empty, has gaps"),
        (("auc", pd.array([0, 1, pd.NA, 1], dtype="Int8"), GOOD[1]), "label is empty, has gaps"),
        (("auc", [], []), "label is empty"),
        (("auc", ["a", "b", "a", "b"], GOOD[1]), "label is empty, has gaps or other values"),
        (("auc", [0, 1, -1, 1], GOOD[1]), "give .* whole numbers"),
        (("auc", [0, 1, 2, 1], GOOD[1]), "label goes up to 2, probability has 2 classes"),
        (("auc", GOOD[0], [0.1, 0.4, np.nan, 0.9]), "probability has gaps"),
        (("auc", GOOD[0], [0.1, 0.4, pd.NA, 0.9]), "probability has gaps"),
        (("auc", GOOD[0], [0.1, 0.4, 1.2, 0.9]), "outside .* sigmoid"),
        (("auc", GOOD[0], [0.1, 0.4, -0.2, 0.9]), "outside .* sigmoid"),
        (("f1", [0, 1, 2, 1], SOFTMAX), "f1 is for two classes, probability has 3 columns"),
        (("auc", GOOD[0], SOFTMAX), "auc needs images of label 2"),
        (("brier", [0, 1, 2, 1], np.full((4, 3), 0.5)), "do not sum to 1"),
        (("auc", *GOOD, [1, 1, 1]), r"weights has shape \(3,\)"),
        (("auc", *GOOD, np.ones((4, 2))), r"weights has shape \(4, 2\)"),
        (("auc", *GOOD, [1, 1, -1, 1]), "weights span -1 to 1"),
        (("auc", *GOOD, [1, 1, np.nan, 1]), "weights span nan"),
        (("auc", *GOOD, [1, 1, np.inf, 1]), "weights span .* inf"),
    ],
)
def test_bad_input_is_refused_in_one_line(arguments, message):
    with pytest.raises(ValueError, match=message) as refusal:
        score(*arguments)
    assert "\n" not in str(refusal.value)


def test_bad_shapes_of_estimates_are_refused():
    label, probability, _ = predictions(1, images=40)
    groups = np.arange(40) // 4
    with pytest.raises(ValueError, match=r"probability is \(3, 39\)"):
        metric_estimate("auc", label, np.full((3, 39), 0.5), groups)
    with pytest.raises(ValueError, match=r"within \(39,\)"):
        metric_statistic("auc", label, probability, within=np.ones(39, dtype=bool))
    with pytest.raises(ValueError, match=r"have \[3, 5\] seeds"):
        difference_estimate("auc", label, np.tile(probability, (3, 1)), np.tile(probability, (5, 1)), groups)
    with pytest.raises(ValueError, match="choose one of"):
        metric_estimate("unknown", label, probability, groups)


def test_another_metric_is_one_entry(monkeypatch):
    monkeypatch.setitem(METRICS, "error", Metric(lambda label, decision, weights: weights @ (label != decision), True))
    assert score("error", *GOOD) == 2


def test_metric_estimate_takes_seeds_and_classes():
    label, probability, _ = predictions(1, images=60)
    groups = np.arange(60) // 6
    single = metric_estimate("auc", label, probability, groups)
    several = metric_estimate("auc", label, np.stack([probability, probability**2, probability * label]), groups)
    assert (single.seeds, single.groups, single.images) == (1, 10, 60)
    assert single.value == pytest.approx(score("auc", label, probability))
    assert several.seeds == 3
    expected = np.mean([score("auc", label, one) for one in (probability, probability**2, probability * label)])
    assert several.value == pytest.approx(expected)
    many_label, many, _ = class_predictions(2)
    estimate = metric_estimate("brier", many_label, many[None], np.arange(200) // 20)
    assert estimate.bounds == (0, 2) and estimate.value == pytest.approx(score("brier", many_label, many))


def test_difference_is_paired_by_image():
    label, first, _ = predictions(1, images=210, step=0)
    second = np.clip(first + 0.02 * np.random.default_rng(2).normal(size=210), 0, 1)
    groups = np.arange(210) // 30
    paired = difference_estimate("auc", label, second, first, groups).interval()
    alone = metric_estimate("auc", label, first, groups).interval()
    assert paired[1] - paired[0] < 0.25 * (alone[1] - alone[0])
    same = difference_estimate("auc", label, first, first, groups)
    assert same.value == 0 and same.interval() == pytest.approx((0, 0)) and same.p_value(0) == 1


def test_difference_against_a_fixed_model():
    label, first, _ = predictions(1, images=120, step=0)
    seeds = np.clip(first + 0.05 * np.random.default_rng(2).normal(size=(4, 120)), 0, 1)
    groups = np.arange(120) // 20
    difference = difference_estimate("auc", label, seeds, first, groups)
    repeated = difference_estimate("auc", label, seeds, np.tile(first, (4, 1)), groups)
    assert difference.seeds == 4
    assert difference.interval() == pytest.approx(repeated.interval())


def test_difference_between_two_sets_of_images_that_share_groups():
    label, probability, _ = predictions(4, images=280, step=0)
    groups = np.arange(280) // 40
    extreme = np.abs(probability - 0.45) > 0.2
    hidden = np.where(extreme, probability, np.nan)  # what is not scored may be missing
    difference = difference_estimate("auc", label, hidden, probability, groups, within_a=extreme)
    assert difference.images == 280
    expected = score("auc", label[extreme], probability[extreme]) - score("auc", label, probability)
    assert difference.value == pytest.approx(expected)
    other = groups != 3
    kept = metric_statistic("auc", label, hidden, within=extreme)(other[None].astype(float))
    assert kept == pytest.approx(score("auc", label[extreme & other], probability[extreme & other]))


def test_two_thousand_replicates_are_fast_enough():
    label, probability, _ = predictions(0, images=400, step=0)
    weights = np.random.default_rng(0).integers(0, 4, (2000, 400)).astype(float)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        score("auc", label, probability, weights)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05


@pytest.mark.parametrize("name", ["auc", "average_precision"])
def test_memory_of_many_images_is_bounded(name):
    label, probability, _ = predictions(0, images=100_000, step=0, replicates=1)
    weights = np.ones((60, 100_000), dtype=np.uint8)
    tracemalloc.start()
    score(name, label, probability, weights)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6


def softmax_seeds(seed=2, seeds=3):
    label, first, _ = class_predictions(seed)
    others = [class_predictions(seed + 1 + other)[1] for other in range(seeds - 1)]
    return label, np.stack([first, *others])


def test_what_needs_an_absent_class_is_not_applicable():
    groups = np.arange(40) // 4
    assert metric_estimate("auc", np.ones(40, int), np.full(40, 0.5), groups) == Inapplicable(
        "auc needs images of label 0, there are none"
    )
    thirds = np.full((1, 40, 3), 1 / 3)
    assert isinstance(metric_estimate("auc", np.arange(40) % 2, thirds, groups), Inapplicable)
    assert isinstance(difference_estimate("auc", np.arange(40) % 2, thirds, thirds, groups), Inapplicable)
    assert metric_estimate("accuracy", np.ones(40, int), np.full(40, 0.4), groups).value == 0


def test_metrics_fit_the_number_of_classes():
    label, several = softmax_seeds()
    found = metrics.metric_estimates(label, several, np.arange(200) // 20)
    assert list(found) == metrics.fitting(4) == MANY_CLASSES and set(metrics.fitting(2)) == set(METRICS) - {"precision"}
    for name, estimate in found.items():
        expected = np.mean([score(name, label, one) for one in several])
        assert estimate.value == pytest.approx(expected) and (estimate.seeds, estimate.groups) == (3, 10)
    two_label, probability, _ = predictions(1)
    assert list(metrics.metric_estimates(two_label, probability, np.arange(300) // 20)) == metrics.fitting(2)


def test_difference_of_several_classes_against_one_model():
    label, several = softmax_seeds()
    fixed = several[:1] ** 2 / (several[:1] ** 2).sum(axis=2, keepdims=True)
    difference = difference_estimate("auc", label, several, fixed, np.arange(200) // 20)
    expected = np.mean([score("auc", label, one) for one in several]) - score("auc", label, fixed[0])
    assert difference.value == pytest.approx(expected) and difference.seeds == 3


@pytest.mark.parametrize("shares", [[0.7, 0.3], [0.3, 0.7], [0.2, 0.5, 0.3]])
def test_chance_is_what_scikit_learn_says_of_a_classifier_that_sees_nothing(shares):
    label = np.random.default_rng(3).choice(len(shares), 400, p=shares)
    found = metrics.chance(label, np.array(shares))
    assert set(found) == set(metrics.fitting(len(shares)))
    assert found["accuracy"] == np.mean(label == np.argmax(shares)) and found["auc"] == 0.5
    assert found["balanced_accuracy"] == pytest.approx(1 / len(shares))
    blind = np.tile(shares, (400, 1))
    assert found["log_loss"] == pytest.approx(reference.log_loss(label, blind))
    positive = (label[:, np.newaxis] == np.arange(len(shares)))[:, slice(1, None) if len(shares) == 2 else slice(None)]
    assert found["average_precision"] == pytest.approx(positive.mean(axis=0).mean())


def test_chance_leaves_out_what_has_no_value():
    found = metrics.chance(np.ones(20, int), np.array([0.2, 0.3, 0.5]))
    assert set(found) == {"accuracy", "brier", "log_loss"}


def test_scores_by_seed():
    label, several = softmax_seeds()
    assert metrics.by_seed("auc", label, several) == pytest.approx([score("auc", label, one) for one in several])
    assert np.isnan(metrics.by_seed("auc", np.zeros(200, int), several)).tolist() == [True] * 3
    assert metrics.by_seed("auc", *GOOD).tolist() == [score("auc", *GOOD)]
    assert np.isnan(metrics.by_seed("auc", [1, 1, 1, 1], GOOD[1])).tolist() == [True]


def test_confusion_is_that_of_scikit_learn():
    label, several = softmax_seeds()
    expected = reference.confusion_matrix(label, several[0].argmax(axis=1), labels=range(4))
    np.testing.assert_array_equal(metrics.confusion(label, several[0]), expected)
    two_label, probability, _ = predictions(1)
    expected = reference.confusion_matrix(two_label, probability >= 0.5)
    np.testing.assert_array_equal(metrics.confusion(two_label, probability), expected)
    assert metrics.confusion(np.zeros(3, int), np.full((3, 3), 1 / 3)).tolist() == [[3, 0, 0], [0, 0, 0], [0, 0, 0]]
