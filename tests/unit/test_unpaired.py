"""The difference of two scores on images of their own: its interval covers, and each side brings in its own."""

import numpy as np
import pytest

from lib.estimates import BoundaryEstimate, Inapplicable
from lib.intervals import estimate
from lib.metrics import metric_estimate
from lib.statistics import ratio
from lib.unpaired import difference


def mean_of(values: np.ndarray, groups: np.ndarray, bounds=(0.0, 1.0)):
    return estimate(ratio(values, np.ones(len(values))), groups, bounds, replicates=399)


def side(generator: np.random.Generator, groups: int, rate: float, spread: float = 0.15):
    """Share of successes in groups of 20 whose rates differ by `spread`."""
    rates = np.clip(rate + spread * generator.normal(size=groups), 0, 1)
    values = (generator.random((groups, 20)) < rates[:, None]).astype(float)
    return mean_of(values.ravel(), np.repeat(np.arange(groups), 20))


@pytest.mark.parametrize("groups", [(7, 9), (7, 40), (44, 44)])
def test_interval_holds_the_true_difference_as_often_as_it_says(groups):
    generator, held = np.random.default_rng(7), []
    for _ in range(600):
        low, high = difference(side(generator, groups[0], 0.7), side(generator, groups[1], 0.5)).interval()
        held.append(low <= 0.2 <= high)
    assert 0.92 <= np.mean(held) <= 0.98


def test_few_groups_on_one_side_are_not_hidden_by_many_on_the_other():
    """Pooled, 47 groups would be taken for many."""
    generator = np.random.default_rng(7)
    few, many = side(generator, 4, 0.7), side(generator, 43, 0.5)
    found = difference(few, many)
    assert found.half_width() > few.half_width() > 2 * many.half_width()
    assert (found.groups, found.images) == (47, 940) and found.value == few.value - many.value


def test_p_value_is_where_the_interval_begins_to_exclude():
    found = difference(side(np.random.default_rng(1), 9, 0.7), side(np.random.default_rng(2), 8, 0.5))
    for margin in (-0.1, 0.0, 0.1):
        alpha = found.p_value(margin)
        low, high = found.interval(1 - min(0.999, alpha * 1.01))
        wider = found.interval(1 - alpha * 0.99)
        assert not low <= margin <= high and wider[0] <= margin <= wider[1]
    assert found.p_value(found.value) == pytest.approx(1.0)


def test_a_side_at_its_bound_brings_in_the_exact_interval():
    groups = np.repeat(np.arange(8), 5)
    perfect, other = mean_of(np.ones(40), groups), side(np.random.default_rng(3), 8, 0.5)
    assert isinstance(perfect, BoundaryEstimate)
    low, high = difference(perfect, other).interval()
    assert low < perfect.value - other.value < high <= 1.0 and high - low > other.interval()[1] - other.interval()[0]


def test_what_has_no_value_on_one_side_has_no_difference():
    known = side(np.random.default_rng(3), 8, 0.5)
    missing = metric_estimate("auc", np.ones(10, int), np.linspace(0, 1, 10), np.arange(10))
    assert difference(known, missing) is missing and difference(missing, known) is missing
    assert isinstance(missing, Inapplicable)


def test_two_scales_are_not_subtracted():
    generator, groups = np.random.default_rng(1), np.repeat(np.arange(8), 5)
    loss = mean_of(generator.random(40), groups, (0.0, np.inf))
    with pytest.raises(ValueError, match="give the same metric"):
        difference(side(generator, 8, 0.5), loss)
    low, high = difference(loss, loss).interval()
    assert low < 0 < high
