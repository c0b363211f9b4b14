import json
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from lib import intervals
from lib.estimates import UNBOUNDED, BootstrapEstimate, BoundaryEstimate, Inapplicable, StudentEstimate, rescale
from lib.intervals import difference_between_parts, estimate, seed_mean_estimate

ALPHAS = [0.001, 0.01, 0.05, 0.2, 0.5, 0.9]


def mean_of(values):
    """Weighted mean of values (n,) or (seeds, n), NaN where all weights are 0."""

    def statistic(weights):
        with np.errstate(invalid="ignore"):
            return (weights @ np.transpose(values) / weights.sum(axis=1, keepdims=np.ndim(values) == 2)).T

    return statistic


def shares(groups, seed=0, size=20, seeds=1):
    generator = np.random.default_rng(seed)
    values = np.clip(generator.normal(0.7, 0.1, (seeds, groups * size)) + generator.normal(0, 0.05, (seeds, 1)), 0, 1)
    return (values[0] if seeds == 1 else values), np.repeat(np.arange(groups), size)


def test_kind_follows_the_number_of_groups_and_seeds():
    kinds = {(29, 1): StudentEstimate, (30, 1): BootstrapEstimate}
    for (groups, seeds), kind in (kinds | {(40, 5): StudentEstimate, (30, 30): BootstrapEstimate}).items():
        values, group = shares(groups, seeds=seeds, size=5)
        result = estimate(mean_of(values), group)
        assert isinstance(result, kind)
        assert (result.images, result.groups, result.seeds) == (groups * 5, groups, seeds)
        assert str(groups) in result.method and ("seeds" in result.method) == (seeds > 1)


def test_jackknife_of_a_mean_is_the_t_interval_over_groups():
    values, groups = shares(7)
    result = estimate(mean_of(values), groups)
    means = values.reshape(7, 20).mean(axis=1)
    expected = stats.t.interval(0.9, 6, loc=means.mean(), scale=stats.sem(means))
    assert result.interval(0.9) == pytest.approx(expected)
    assert result.p_value(0.6) == pytest.approx(stats.ttest_1samp(means, 0.6).pvalue)
    assert result.degrees_of_freedom == 6


def test_jackknife_between_bounds_is_on_the_scale_of_log_odds():
    values, groups = shares(7)
    plain, logit = estimate(mean_of(values), groups), estimate(mean_of(values), groups, bounds=(0, 1))
    assert logit.standard_error == pytest.approx(plain.standard_error / (plain.value * (1 - plain.value)), rel=0.02)
    low, high = logit.interval(0.999999)
    assert 0 < low < plain.interval(0.95)[0] and high < 1


def test_several_seeds_without_seed_spread_are_one_seed():
    values, groups = shares(7)
    one, many = estimate(mean_of(values), groups), estimate(mean_of(np.tile(values, (4, 1))), groups)
    assert many.interval() == pytest.approx(one.interval()) and many.seeds == 4


def test_several_seeds_without_shared_image_effects_are_a_t_interval_over_seeds():
    seed_values = np.array([0.2, 0.25, 0.3, 0.22, 0.4])
    values, groups = np.repeat(seed_values[:, None], 140, axis=1), np.arange(140) // 20
    result = estimate(mean_of(values), groups)
    assert result.interval() == pytest.approx(seed_mean_estimate(seed_values).interval())


def test_variance_of_two_factors_is_not_counted_twice():
    generator = np.random.default_rng(5)
    squared = []
    for _ in range(300):
        seeds, groups = generator.normal(size=(5, 1)), generator.normal(size=8)
        values = seeds + groups + 2 * generator.normal(size=(5, 8))
        result = estimate(mean_of(values), np.arange(8))
        squared.append(result.standard_error**2)
        assert result.degrees_of_freedom <= 7
    truth = 1 / 5 + 1 / 8 + 4 / 40  # seeds, groups, and what they do together once
    assert np.mean(squared) == pytest.approx(truth, rel=0.1)


def test_bootstrap_is_that_of_a_plain_loop():
    values, groups = shares(35, size=4)
    result = estimate(mean_of(values), groups, replicates=4999)
    generator, means = np.random.default_rng(3), values.reshape(35, 4).mean(axis=1)
    looped = [means[generator.integers(35, size=35)].mean() for _ in range(4999)]
    tail = stats.norm.cdf(stats.t.ppf(0.025, 34) * np.sqrt(35 / 34))
    assert result.interval() == pytest.approx(np.quantile(looped, [tail, 1 - tail]), abs=0.002)
    student = stats.t.interval(0.95, 34, loc=means.mean(), scale=stats.sem(means))
    assert result.interval() == pytest.approx(student, abs=0.003)


def test_percentiles_of_a_normal_distribution_become_those_of_t():
    replicates = stats.norm.ppf((np.arange(99_999) + 0.5) / 99_999)
    common = {"value": 0.0, "method": "", "images": 60, "groups": 30, "seeds": 1, "bounds": UNBOUNDED}
    high = BootstrapEstimate(replicates=replicates, units=30, **common).interval(0.95)[1]
    assert high == pytest.approx(stats.t.ppf(0.975, 29) * np.sqrt(30 / 29), abs=1e-3)


def test_pigeonhole_bootstrap_draws_seeds_too():
    values, groups = shares(40, seeds=32, size=3)
    both = estimate(mean_of(values), groups)
    groups_only = estimate(lambda weights: mean_of(values)(weights).mean(axis=0), groups)
    widths = [high - low for high, low in (both.interval()[::-1], groups_only.interval()[::-1])]
    assert widths[0] > 2 * widths[1]
    assert widths[0] == pytest.approx(np.diff(seed_mean_estimate(values.mean(axis=1)).interval())[0], rel=0.25)


def test_repeats_exactly_and_does_not_depend_on_chunks(monkeypatch):
    values, groups = shares(35, size=4)
    first = estimate(mean_of(values), groups)
    assert np.array_equal(first.replicates, estimate(mean_of(values), groups).replicates)
    assert not np.array_equal(first.replicates, estimate(mean_of(values), groups, random_seed=8).replicates)
    monkeypatch.setattr(intervals, "CHUNK_ELEMENTS", 1000)
    np.testing.assert_allclose(estimate(mean_of(values), groups).replicates, first.replicates)


def test_group_names_may_be_of_any_kind():
    values, groups = shares(7)
    named = np.array([f"module {group}" for group in groups], dtype=object)
    assert estimate(mean_of(values), named).interval() == estimate(mean_of(values), groups).interval()
    shuffled = np.random.default_rng(0).permutation(140)
    expected = estimate(mean_of(values), groups).interval()
    assert estimate(mean_of(values[shuffled]), named[shuffled]).interval() == pytest.approx(expected)


def examples():
    values, groups = shares(7)
    many_values, many_groups = shares(40, size=3)
    yield estimate(mean_of(values), groups, bounds=(0, 1))
    yield estimate(mean_of(values), groups)
    yield estimate(mean_of(values), groups, bounds=(0, np.inf))
    yield estimate(mean_of(values - 0.7), groups, bounds=(-1, 1))
    yield estimate(mean_of(many_values), many_groups, bounds=(0, 1))
    yield estimate(mean_of(np.ones(140)), groups, bounds=(0, 1))
    yield estimate(mean_of(np.zeros(140)), groups, bounds=(0, 1))
    yield seed_mean_estimate([0.4, 0.5, 0.45], bounds=(0, 1))


@pytest.mark.parametrize("result", list(examples()), ids=lambda result: result.method)
def test_p_value_is_the_smallest_alpha_whose_interval_excludes_the_margin(result):
    low, high = result.interval(0.999)
    for margin in np.linspace(max(result.bounds[0], low - 0.05), min(result.bounds[1], high + 0.05), 41):
        p_value = result.p_value(margin)
        assert 0 <= p_value <= 1
        for alpha in ALPHAS:
            low_alpha, high_alpha = result.interval(1 - alpha)
            if abs(alpha - p_value) > 1e-9:
                assert (not low_alpha <= margin <= high_alpha) == (p_value <= alpha)


@pytest.mark.parametrize("result", list(examples()), ids=lambda result: result.method)
def test_intervals_are_nested_hold_the_value_and_keep_to_the_bounds(result):
    wide, narrow = result.interval(0.99), result.interval(0.8)
    assert result.bounds[0] <= wide[0] <= narrow[0] <= result.value <= narrow[1] <= wide[1] <= result.bounds[1]


@pytest.mark.parametrize("result", list(examples()), ids=lambda result: result.method)
def test_an_estimate_less_a_constant_has_the_same_interval_and_p_values_so_much_lower(result):
    moved = result.shifted(-0.5)
    assert (moved.value, moved.images, moved.method) == (result.value - 0.5, result.images, result.method)
    for level in (0.8, 0.95, 0.999):
        np.testing.assert_allclose(np.add(moved.interval(level), 0.5), result.interval(level), atol=1e-12)
    margin = np.mean(result.interval())
    assert moved.p_value(margin - 0.5) == pytest.approx(result.p_value(margin))


def test_record_is_the_recorded_entry():
    values, groups = shares(7)
    record = estimate(mean_of(values), groups, bounds=(0, 1)).record(0.9)
    assert list(record) == ["value", "low", "high", "level", "method", "images", "groups", "seeds"]
    assert record["level"] == 0.9 and record["method"] == "jackknife-t over 7 groups"
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_undefined_without_one_group_says_so():
    groups = np.repeat(np.arange(4), 5)
    rare = (groups == 2).astype(float)  # only one group holds what the statistic is of
    statistic = mean_of(np.linspace(0, 1, 20))
    known = estimate(lambda weights: statistic(weights * rare), groups, bounds=(0, 1))
    assert known.interval() == (0, 1) and known.p_value(0.1) == 1
    assert known.method.endswith("4 groups, undefined without one of them")
    assert estimate(lambda weights: np.tile(statistic(weights * rare), (3, 1)), groups, (0, 1)).interval() == (0, 1)
    record = estimate(lambda weights: statistic(weights * rare), groups, bounds=(0, np.inf)).record()
    assert record["high"] is None and json.dumps(record, allow_nan=False)


def test_undefined_replicates_lie_beyond_both_limits():
    replicates = np.concatenate([np.linspace(0.3, 0.6, 1989), np.full(10, np.nan)])
    common = {"value": 0.5, "method": "", "images": 9, "groups": 10**6, "seeds": 1, "bounds": (0, 1)}
    result = BootstrapEstimate(replicates=replicates, units=10**6, **common)
    assert result.interval(0.9499) == (replicates[39], replicates[1989 - 40])
    assert result.interval(0.995) == (0, 1)
    assert result.p_value(0.2) == pytest.approx(2 * 11 / 2000, rel=1e-3)


def test_value_at_a_bound_is_not_certain():
    groups = np.repeat(np.arange(40), 3)
    result = estimate(mean_of(np.ones(120)), groups, bounds=(0, 1))
    assert isinstance(result, BoundaryEstimate)
    low, high = stats.binomtest(40, 40).proportion_ci(0.95, "exact")
    assert result.interval(0.95) == pytest.approx((low, high))
    assert result.p_value(1) == 1 and result.p_value(low) == pytest.approx(0.05)


def test_more_groups_than_replicates_are_left_out_in_bundles():
    values = np.random.default_rng(0).normal(0.5, 0.1, 3000) * np.array([[1], [0.9], [1.1]])
    full = estimate(mean_of(values), np.arange(3000), replicates=3001)
    bundled = estimate(mean_of(values), np.arange(3000), replicates=500)
    assert bundled.standard_error == pytest.approx(full.standard_error, rel=0.1)


def test_memory_of_many_images_is_bounded():
    values = np.random.default_rng(0).random(100_000)
    tracemalloc.start()
    estimate(mean_of(values), np.arange(100_000), replicates=199)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6


def test_one_group_with_all_the_errors_still_gives_an_interval():
    result = estimate(mean_of(np.repeat([1, 1, 0.7, 1, 1], 20)), np.repeat(np.arange(5), 20), bounds=(0, 1))
    assert 0.3 < result.interval()[0] < 0.94 < result.interval()[1] < 1


def test_rescale_at_its_ends():
    assert rescale(0.5, (0, 1)) == 0 and rescale(0, (-1, 1)) == 0 and rescale(3.0, (-np.inf, np.inf)) == 3
    assert rescale(1, (0, 1)) == np.inf and rescale(np.e, (0, np.inf)) == pytest.approx(1)


def test_seed_mean_is_the_t_interval():
    values = np.array([0.61, 0.66, 0.7, 0.58, 0.63])
    result = seed_mean_estimate(values, images=32, groups=4)
    assert result.interval(0.9) == pytest.approx(stats.t.interval(0.9, 4, loc=values.mean(), scale=stats.sem(values)))
    assert result.p_value(0.7) == pytest.approx(stats.ttest_1samp(values, 0.7).pvalue)
    assert (result.seeds, result.images, result.groups, result.method) == (5, 32, 4, "t over 5 seeds")


@pytest.mark.parametrize(
    "result, reason",
    [
        (estimate(mean_of(np.ones(4)), ["a"] * 4), "all 4 images are of one group"),
        (estimate(mean_of(np.ones(0)), []), "there is no image to measure it on"),
        (estimate(mean_of(np.full(4, np.nan)), [1, 1, 2, 2]), "it has no value on the 4 images there are"),
        (seed_mean_estimate([0.5]), "one seed alone shows no spread between seeds"),
    ],
)
def test_what_the_data_cannot_answer_is_not_applicable(result, reason):
    assert result == Inapplicable(reason) == result.shifted(-0.5) and np.isnan(result.value)
    record = result.record()
    known = estimate(mean_of(np.arange(4)), [1, 1, 2, 2]).record()
    assert set(record) == {*known, "reason"} and record["value"] is None
    assert json.loads(json.dumps(record, allow_nan=False)) == record


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: estimate(mean_of(np.ones(4)), ["a", None, "b", "b"]), r"shape \(4,\) or gaps"),
        (lambda: estimate(mean_of(np.ones(4)), np.ones((2, 2))), r"shape \(2, 2\) or gaps"),
        (lambda: estimate(mean_of(np.arange(4)), [1, 1, 2, 2]).interval(95), "level is 95"),
        (lambda: estimate(mean_of(np.arange(4) / 4), [1, 1, 2, 2], (0, 1)).p_value(80), "margin is 80"),
        (lambda: seed_mean_estimate([]), "one value a seed"),
        (lambda: seed_mean_estimate([0.5, np.nan]), "gaps"),
        (lambda: seed_mean_estimate([0.5, np.inf]), "gaps"),
        (lambda: seed_mean_estimate([0.5, 1.5], bounds=(0, 1)), "beyond"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as refusal:
        call()
    assert "\n" not in str(refusal.value)


def test_the_difference_of_two_parts_is_welchs_interval_over_groups():
    """Each part brings the variance and the freedom of its own groups."""
    (many, many_groups), (few, few_groups) = shares(23, seed=1), shares(6, seed=2)
    found = difference_between_parts(mean_of(few), few_groups, mean_of(many), many_groups)
    expected = stats.ttest_ind(few.reshape(6, 20).mean(1), many.reshape(23, 20).mean(1), equal_var=False)
    assert found.interval() == pytest.approx(tuple(expected.confidence_interval()))
    assert found.p_value(0) == pytest.approx(expected.pvalue) and (found.images, found.groups) == (29 * 20, 29)


def test_seeds_bring_the_spread_of_the_difference_and_one_group_none():
    values, groups = shares(6, seeds=3)
    shifted = values + np.array([[0.0], [0.3], [-0.3]])
    alike = difference_between_parts(mean_of(shifted), groups, mean_of(shifted), groups)
    assert alike.value == pytest.approx(0) and alike.seeds == 3
    apart = difference_between_parts(mean_of(shifted), groups, mean_of(values), groups)
    assert apart.standard_error > 0.17 > alike.standard_error
    assert isinstance(difference_between_parts(mean_of(values), groups, mean_of(values), groups * 0), Inapplicable)


@pytest.mark.parametrize(
    ("mean", "error", "shown"),
    [
        (0.3, 0.01, "0.300 [0.280, 0.320]"),
        (0.0003, 0.0001, "0.00030 [0.00010, 0.00050]"),
        (0.0, 0.0, "0.000 [0.000, 0.000]"),
    ],
)
def test_small_numbers_show_two_digits(mean, error, shown):
    found = StudentEstimate(mean, "", 1, 1, 1, UNBOUNDED, standard_error=error, degrees_of_freedom=1e9)
    assert str(found) == shown
