"""The statistics of the final test against published numbers, hand-made cases and simulated truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special
from sklearn import metrics as sklearn_metrics
from sklearn.linear_model import LogisticRegression

from lib.estimates import Estimate, Inapplicable
from lib.final import calibration, comparison, curves, decision, delong, external, operating, questions, record, slices
from lib.runs import Predictions
from tests.unit.test_coverage import draw

DATA = Path(__file__).parents[1] / "data"
ALIKE, ONE_CLASS = np.full(20, 0.3), np.ones(20, int)
MIXED = np.arange(20) % 2
GROUPS = np.arange(20) // 4
AT_ONE_HALF = operating.OperatingPoint(0.5, "", 0.0, 0.0, 0)
AT_POINT_THREE = operating.OperatingPoint(0.3, "", 0.0, 0.0, 0)


def sample(images: int = 400, temperature: float = 1.0, seed: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels drawn from their own probabilities, the logits then multiplied by `temperature`; groups of ten."""
    generator = np.random.default_rng(seed)
    logit = generator.normal(-0.5, 1.5, images)
    label = (generator.random(images) < special.expit(logit)).astype(int)
    return label, special.expit(logit * temperature), np.arange(images) // 10


class TestDeLong:
    """aSAH: areas, variances, covariances, z and p as the tests of the R package pROC publish them."""

    table = pd.read_csv(DATA / "asah.csv", comment="#")
    found = delong.areas(table["poor"].to_numpy(), table[["s100b", "wfns", "ndka"]].T.to_numpy())

    def test_areas_and_covariances(self):
        assert self.found.auc == pytest.approx([0.731368563685637, 0.823678861788618, 0.611957994579946], abs=1e-6)
        variances = [0.00266868245717244, 0.00146991470882363, 0.0031908105493913]
        assert np.diag(self.found.covariance) == pytest.approx(variances, abs=1e-9)
        covariances = [0.00119615567376754, -0.000756164938056579, -0.000532967856762438]
        pairs = [self.found.covariance[pair] for pair in ((0, 1), (0, 2), (1, 2))]
        assert pairs == pytest.approx(covariances, abs=1e-9)

    @pytest.mark.parametrize(
        ("first", "second", "p", "low", "high"),
        [
            (1, 0, 0.0271757822291882, 0.0104061769564846, 0.174214419249478),
            (1, 2, 0.00514557970691098, 0.0634011709339876, 0.3600405634833566),
            (2, 0, 0.164295175223054, -0.2876917446341914, 0.0488706064228094),
        ],
    )
    def test_p_values_and_intervals(self, first, second, p, low, high):
        difference = self.found.difference(first, second)
        assert difference.p_value(0) == pytest.approx(p, abs=1e-6)
        assert difference.interval() == pytest.approx((low, high), abs=1e-6)

    def test_what_cannot_be_compared_says_why(self):
        assert "rank the images alike" in self.found.difference(0, 0).reason
        few = delong.areas(np.array([1, 0, 0]), np.array([[0.1, 0.2, 0.3]]))
        assert few.reason == "there are 1 positive and 2 negative images; each needs 2"
        with pytest.raises(ValueError, match="give .n,. and .k, n."):
            delong.areas(MIXED, np.zeros((2, 5)))


class TestCalibration:
    def test_the_temperature_is_found(self):
        label, probability, _ = sample(4000, temperature=2.5)
        assert calibration.temperature(label, probability) == pytest.approx(2.5, rel=0.1)
        both = np.stack([1 - probability, probability], axis=1)
        assert calibration.temperature(label, both) == calibration.temperature(label, probability)

    def test_scaling_keeps_order_and_decision(self):
        _, probability, _ = sample(100)
        cooler = calibration.scaled(probability, 3.0)
        assert (np.argsort(cooler) == np.argsort(probability)).all() and ((cooler > 0.5) == (probability > 0.5)).all()
        assert calibration.scaled(probability, 1.0) == pytest.approx(probability, abs=1e-6)
        assert np.isfinite(special.logit(calibration.scaled(np.array([0.0, 1.0]), 2.0))).all()

    @pytest.mark.parametrize("temperature", [1.0, 2.0])
    def test_slope_and_intercept_are_those_of_a_logistic_regression(self, temperature):
        label, probability, groups = sample(temperature=temperature)
        logit = special.logit(probability)
        fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(logit[:, None], label)
        found = calibration.slope(label, probability, groups)
        assert found.value == pytest.approx(fitted.coef_.item(), abs=1e-4)
        low, high = found.interval()
        assert low < 1 / temperature < high
        added = calibration.intercept(label, probability, groups).value
        assert special.expit(logit + added).mean() == pytest.approx(label.mean(), abs=1e-9)

    def test_classes_told_apart_without_error_have_no_slope(self):
        found = calibration.slope(MIXED, 0.1 + 0.8 * MIXED + 0.001 * np.arange(20), GROUPS)
        assert found == Inapplicable("its classes are told apart without error")

    def test_a_calibrated_model_lies_in_the_band_and_one_too_sure_above(self):
        inside = [calibration.error(*sample(300, seed=seed)[:2], draws=300) for seed in range(60)]
        share = np.mean([each.perfect_low <= each.value <= each.perfect_high for each in inside])
        assert 0.85 <= share <= 1, share
        sure = calibration.error(*sample(300, temperature=3.0)[:2])
        assert sure.value > sure.perfect_high

    def test_the_error_by_hand(self):
        label, probability = np.array([0, 0, 0, 1, 1, 1, 1, 0]), np.repeat([0.25, 0.75], 4)
        assert calibration.error(label, probability).value == 0 and calibration.error(label, probability).bins == 2
        assert calibration.error(1 - label, probability).value == pytest.approx(0.5)
        table = calibration.reliability(label, probability)
        assert table["images"].tolist() == [4, 4] and table["share"].tolist() == [0.25, 0.75]
        assert (table["low"] <= table["probability"]).all() and (table["probability"] <= table["high"]).all()

    def test_of_several_classes_it_asks_whether_the_decision_is_right(self):
        label, probability = np.array([0, 1, 2]), np.array([[0.6, 0.2, 0.2], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
        outcome, given = calibration.outcomes(label, probability)
        assert outcome.tolist() == [1, 0, 1] and given.tolist() == [0.6, 0.5, 0.8]


class TestOperatingPoint:
    def test_the_highest_threshold_that_keeps_the_sensitivity(self):
        label, probability = np.array([0, 0, 1, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
        point = operating.choose(label, probability, "sensitivity", 0.6)
        assert 0.4 < point.threshold <= 0.5 and (point.sensitivity, point.specificity) == (2 / 3, 1.0)
        point = operating.choose(label, probability, "sensitivity", 1.0)
        assert 0.2 < point.threshold <= 0.3 and point.specificity == pytest.approx(2 / 3)
        point = operating.choose(label, probability, "specificity", 0.6)
        assert 0.2 < point.threshold <= 0.3 and point.sensitivity == 1
        assert 0.4 < operating.choose(label, probability, "precision", 1.0).threshold <= 0.5

    def test_it_is_kept_on_the_images_that_it_was_chosen_on(self):
        label, probability, _ = sample()
        point = operating.choose(label, probability, "sensitivity", 0.95)
        found = sklearn_metrics.recall_score(label, probability >= point.threshold)
        assert 0.95 <= found == point.sensitivity < 0.97 and round(point.threshold, 4) == point.threshold

    @pytest.mark.parametrize(
        ("label", "probability", "metric", "least", "words"),
        [
            (MIXED[::-1], np.linspace(0.1, 0.9, 20), "precision", 0.99, "reaches a precision of at least 0.99; the most"),
            (np.r_[1, MIXED[1:]], np.linspace(0.1, 0.9, 20), "sensitivity", 0.95, "by calling every image positive; the most"),
            (ONE_CLASS, np.linspace(0.1, 0.9, 20), "sensitivity", 0.95, "all images are of one class"),
            (MIXED, ALIKE, "sensitivity", 0.95, "all images have the same score"),
            (MIXED, np.full((20, 3), 1 / 3), "sensitivity", 0.95, "needs two classes"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_reached_is_said(self, label, probability, metric, least, words):
        found = operating.choose(label, probability, metric, least)
        assert isinstance(found, Inapplicable) and words in found.reason

    def test_another_metric_is_refused(self):
        with pytest.raises(ValueError, match="metric is 'auc'; choose one of sensitivity"):
            operating.choose(MIXED, np.linspace(0, 1, 20), "auc", 0.9)


class TestDecisionCurve:
    def test_net_benefit_by_hand(self):
        label, probability = np.array([1, 1, 0, 0, 0]), np.array([0.9, 0.2, 0.4, 0.1, 0.1])
        table = decision.curve(label, probability, np.array([0.25]))
        assert table.loc[0.25].tolist() == pytest.approx([1 / 5 - 1 / 5 / 3, 2 / 5 - 3 / 5 / 3, 0])
        found = decision.gain(label, probability, np.arange(5), 0.25)
        assert found.value == pytest.approx(1 / 5 - 1 / 5 / 3 - (2 / 5 - 3 / 5 / 3))

    def test_a_useful_model_gains_and_a_useless_one_does_not(self):
        label, probability, groups = sample(2000)
        low, _ = decision.gain(label, probability, groups, 0.4).interval()
        assert low > 0
        assert decision.gain(label, np.random.default_rng(1).random(2000), groups, 0.4).value < 0.02

    @pytest.mark.parametrize("threshold", [None, 0.0, 1.0])
    def test_no_operating_point_no_gain(self, threshold):
        label, probability, groups = sample(50)
        assert "no operating point" in decision.gain(label, probability, groups, threshold).reason


class TestCurves:
    def test_the_curve_is_scikit_learns(self):
        label, probability, groups = sample(200)
        probability = np.round(probability, 2)  # ties
        found = curves.roc(label, probability, groups)
        false, true, _ = sklearn_metrics.roc_curve(label, probability, drop_intermediate=False)
        expected = [true[false <= x + 1e-12].max() for x in found["x"]]
        assert found["value"].tolist() == pytest.approx(expected)
        assert (found["low"] <= found["value"]).all() and (found["value"] <= found["high"]).all()
        found = curves.precision_recall(label, probability, groups)
        precision, recall, _ = sklearn_metrics.precision_recall_curve(label, probability)
        expected = [precision[np.flatnonzero(recall >= x - 1e-12)[-1]] for x in found["x"]]
        assert found["value"].tolist() == pytest.approx(expected)

    def test_few_groups_have_bands_too(self):
        label, probability, _ = sample(200)
        found = curves.roc(label, probability, np.arange(200) // 25)
        assert (found["high"] - found["low"]).iloc[5:15].between(0.01, 0.9).all()


STATEMENTS = {
    "one class": (ONE_CLASS, np.linspace(0.1, 0.9, 20), "all images are of one class"),
    "constant scores": (MIXED, ALIKE, "all images have the same score"),
    "no image": (MIXED[:0], ALIKE[:0], "there is no image"),
}


@pytest.mark.parametrize("case", STATEMENTS)
def test_bad_input_is_a_statement_in_place_of_a_number(case):
    label, probability, words = STATEMENTS[case]
    groups = GROUPS[: len(label)]
    for found in (
        calibration.temperature(label, probability),
        calibration.slope(label, probability, groups),
        calibration.intercept(label, probability, groups),
        decision.curve(label, probability),
        decision.gain(label, probability, groups, 0.5),
        curves.roc(label, probability, groups),
        curves.precision_recall(label, probability, groups),
    ):
        assert isinstance(found, Inapplicable) and words in found.reason


def test_constant_scores_get_no_number_for_an_order_of_images():
    alike = seen(MIXED, ALIKE, GROUPS)
    found = record.scores(alike, 0.5)
    orders = [found["auc"], found["average_precision"], questions.drop("auc", alike, alike)]
    half = pd.Series(np.where(np.arange(len(MIXED)) < len(MIXED) // 2, "certain", "doubtful"))
    orders += [questions.within("auc", alike, half, "doubtful", "certain")]
    sliced = slices.measured(MIXED, ALIKE, GROUPS, {"half": half})
    orders += [each for one in sliced for each in (one.value, one.difference)]
    one = comparison.pairwise(MIXED, {"constant": ALIKE, "other": np.linspace(0.1, 0.9, len(MIXED))}, GROUPS)[0]
    orders += [one.difference, external.compared(alike, alike, 0.5)["auc"]["drop"]]
    assert all(isinstance(each, Inapplicable) and "all images have the same score" in str(each) for each in orders)
    assert slices.worst(sliced) == (None, "No slice has a value.") and comparison.needed(one)[0] is None
    assert isinstance(found["accuracy"], Estimate)


def seen(label, probability, groups, prefix="") -> Predictions:
    names = np.array([f"{prefix}{number}" for number in range(len(label))])
    return Predictions(names, np.array([f"{prefix}{group}" for group in groups]), label, np.atleast_2d(probability))


class TestSlices:
    label, probability, _ = sample(300)
    groups = np.arange(300) // 25
    part = pd.Series(np.where(np.arange(300) < 100, "a", "b"))

    def test_each_slice_has_its_number_and_the_worst_is_named(self):
        spoilt = np.where(self.part == "a", np.random.default_rng(3).random(300), self.probability)
        found = slices.measured(self.label, spoilt, self.groups, {"half": self.part})
        expected = sklearn_metrics.roc_auc_score(self.label[:100], spoilt[:100])
        assert [each.name for each in found] == ["a", "b"] and found[0].value.value == pytest.approx(expected)
        assert found[0].images == 100 == sum(found[0].counts) and found[0].groups == 4
        lowest, sentence = slices.worst(found)
        assert lowest is found[0] and lowest.told_apart and "worse than the rest, all slices counted" in sentence

    def test_many_slices_of_noise_have_a_last_one_that_is_not_told_apart(self):
        generator, told = np.random.default_rng(5), 0
        for _ in range(20):
            questions = {f"q{n}": pd.Series(generator.choice(["x", "y", "z"], 300)) for n in range(4)}
            lowest, sentence = slices.worst(slices.measured(self.label, self.probability, self.groups, questions))
            told += lowest.told_apart
            assert lowest.told_apart or "one is always last" in sentence
        assert told <= 3

    def test_a_slice_without_a_positive_image_says_so(self):
        label = np.where(self.part == "a", 0, self.label)
        found = slices.measured(label, self.probability, self.groups, {"half": self.part})
        assert "needs images of label 1, there are none" in found[0].value.reason
        assert isinstance(found[0].difference, Inapplicable) and isinstance(found[1].value, Estimate)
        assert slices.worst(found)[0] is found[1]
        assert slices.worst(found[:1]) == (None, "No slice has a value.")

    def test_what_images_are_sliced_by(self):
        table = pd.DataFrame(
            {"module_type": ["mono", "poly"] * 6, "width": 300, "height": [300] * 11 + [200], "brightness": range(12),
             "level": [0.0, 0.3333, 0.6667, 1.0] * 3, "always": "same", "serial": [f"n{n}" for n in range(12)]}
        )  # fmt: skip
        names = {0.0: "sound", 0.3333: "possibly", 0.6667: "probably", 1.0: "defective"}
        found = slices.kinds(table, ["module_type", "always"], names)
        assert list(found) == ["module type", "size", "brightness", "label"]
        assert found["brightness"].tolist() == ["dark"] * 4 + ["middle"] * 4 + ["bright"] * 4
        assert found["label"].tolist() == ["certain", "doubtful", "doubtful", "certain"] * 3
        assert "label" not in slices.kinds(table, [], {}) and "serial" in slices.kinds(table, ["serial"], {})
        twice = pd.concat([table, table.assign(serial="m")], ignore_index=True)
        assert "serial" not in slices.kinds(twice, ["serial"], {})
        said = "No slices by serial (13 different answers); always (all images: same)."
        assert slices.unasked(twice, ["serial", "always"], {}) == said and slices.unasked(table, [], {}) == ""

    def test_of_many_sizes_there_are_thirds(self):
        width = np.random.default_rng(2).permutation(np.arange(40) + 100)
        table = pd.DataFrame({"width": width, "height": 100, "brightness": 1.0, "level": np.nan})
        found = slices.kinds(table, [], {})["size"]
        assert table["width"].groupby(found).max().sort_values().index.tolist() == ["small", "middle", "large"]
        assert found.value_counts().between(13, 14).all()


class TestComparison:
    def test_single_images_are_compared_as_delong_did(self):
        table = pd.read_csv(DATA / "asah.csv", comment="#")
        scores = {name: table[name].to_numpy(float) for name in ("wfns", "s100b", "ndka")}
        found = {each.name: each for each in comparison.pairwise(table["poor"].to_numpy(), scores, np.arange(113))}
        p = {name: each.p_value for name, each in found.items()}
        assert comparison.between(found.values(), "wfns", "s100b") is found["wfns less s100b"].difference
        assert p["wfns less s100b"] == pytest.approx(0.0271757822291882, abs=1e-6)
        adjusted = {name: each.p_adjusted for name, each in found.items()}
        assert adjusted["wfns less ndka"] == pytest.approx(3 * p["wfns less ndka"])
        assert adjusted["wfns less s100b"] == pytest.approx(2 * p["wfns less s100b"])
        assert adjusted["s100b less ndka"] == pytest.approx(p["s100b less ndka"])
        assert found["wfns less ndka"].difference.method == "DeLong, 113 images"

    def test_images_of_groups_are_compared_by_group(self):
        label, probability, groups = sample(300)
        worse = calibration.scaled(np.clip(probability + np.random.default_rng(1).normal(0, 0.3, 300), 0, 1), 1.0)
        (found,) = comparison.pairwise(label, {"good": probability, "worse": worse}, groups)
        assert found.difference.value > 0 and "30 groups" in found.difference.method
        images, sentence = comparison.needed(found)
        assert 0 < images < 300 and "fewer than there are" in sentence

    def test_a_smaller_difference_takes_more_images(self):
        label, probability, groups = sample(300)
        noise = np.random.default_rng(1).normal(0, 1, 300)
        others = [special.expit(special.logit(probability) + size * noise) for size in (0.8, 0.3)]
        found = [comparison.pairwise(label, {"a": probability, "b": other}, groups)[0] for other in others]
        numbers = [comparison.needed(each)[0] for each in found]
        assert numbers[0] < numbers[1]

    def test_the_same_model_twice_needs_no_number(self):
        label, probability, _ = sample(50)
        (found,) = comparison.pairwise(label, {"a": probability, "b": probability}, np.arange(50))
        assert comparison.needed(found)[0] is None and "alike" in comparison.needed(found)[1]

    def test_holm_adjusts_step_by_step(self):
        assert comparison.holm({"a": 0.04, "b": 0.01, "c": 0.03}) == pytest.approx({"b": 0.03, "c": 0.06, "a": 0.06})


class TestQuestions:
    def test_a_drop_between_two_sets_of_images(self):
        here, there = seen(*sample(300, seed=1), prefix="h"), seen(*sample(400, seed=2), prefix="t")
        found = questions.drop("auc", here, there)
        expected = [sklearn_metrics.roc_auc_score(each.labels, each.probabilities[0]) for each in (here, there)]
        assert found.value == pytest.approx(expected[0] - expected[1])
        assert found.images == 700 and found.groups == 70
        alone = seen(MIXED, np.linspace(0, 1, 20), np.zeros(20, int), "a")
        assert questions.drop("auc", alone, there).reason == "all 20 images are of one group"
        assert "needs images of label 0" in questions.drop("auc", seen(ONE_CLASS, ALIKE, GROUPS), there).reason

    def test_a_level_that_was_to_be_kept(self):
        label, probability, groups = sample(300)
        found = questions.above("sensitivity", seen(label, probability, groups), AT_POINT_THREE, 0.9)
        assert found.value == pytest.approx(sklearn_metrics.recall_score(label, probability >= 0.3) - 0.9)
        none = Inapplicable("no threshold")
        assert questions.above("sensitivity", seen(label, probability, groups), none, 0.9) is none

    def test_nothing_is_compared_with_nothing(self):
        label, probability, groups = sample(30)
        for kind in (None, pd.Series(["certain"] * 30)):
            found = questions.within("auc", seen(label, probability, groups), kind, "doubtful", "certain")
            assert found.reason == "the images are not divided into doubtful and certain"


@pytest.mark.parametrize("groups", [9])
def test_intervals_hold_the_truth_at_the_number_of_groups_of_a_test_part(groups):
    """Drop from six groups of validation, calibration slope, sensitivity at a frozen threshold; the truth from 20,000 groups."""
    separation = np.array([[2.0]])
    label, _, ((many,),) = draw(np.random.default_rng(1), 20_000, (20, 20), separation)
    once = np.ones((1, len(label)))
    true_slope = calibration._logistic(label, special.logit(many), True)(once).item()
    true_sensitivity = float((many[label == 1] >= 0.5).mean())
    generator, held = np.random.default_rng(7), {"drop": [], "slope": [], "sensitivity": []}
    for _ in range(1200):
        tested, validated = (
            seen(one, p[0], group, prefix)
            for prefix, (one, group, (p,)) in (
                ("t", draw(generator, groups, (40, 80), separation)),
                ("v", draw(generator, 6, (40, 80), separation)),
            )
        )
        found = {
            "drop": (questions.drop("auc", tested, validated), 0.0),
            "slope": (questions.slope_less_one(tested), true_slope - 1),
            "sensitivity": (questions.above("sensitivity", tested, AT_ONE_HALF, 0.9), true_sensitivity - 0.9),
        }
        for name, (each, true) in found.items():
            low, high = each.interval()
            held[name].append(low <= true <= high)
    shares = {name: float(np.mean(hits)) for name, hits in held.items()}
    assert all(0.92 <= share <= 0.98 for share in shares.values()), shares
