"""Weighted statistics are what the same statistic says of repeated images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib import statistics

pytestmark = pytest.mark.filterwarnings("error")

numbers = st.floats(-100, 100).map(lambda number: round(number, 3))
rows = st.lists(st.tuples(numbers, numbers, st.booleans(), st.integers(0, 4)), min_size=2, max_size=30)
quick = settings(max_examples=100, deadline=None, derandomize=True)


@given(rows)
@quick
def test_mean_difference_of_weighted_images(rows):
    values, _, first, counts = (np.array(column) for column in zip(*rows, strict=True))
    found = statistics.mean_difference(values, first)(counts[np.newaxis].astype(float))
    repeated, side = np.repeat(values, counts), np.repeat(first, counts)
    if side.any() and not side.all():
        np.testing.assert_allclose(found, [repeated[side].mean() - repeated[~side].mean()], atol=1e-9)
    else:
        assert np.isnan(found).all()


@given(rows)
@quick
def test_correlation_of_weighted_images(rows):
    x, y, _, counts = (np.array(column) for column in zip(*rows, strict=True))
    found = statistics.correlation(x, y)(counts[np.newaxis].astype(float))
    repeated_x, repeated_y = np.repeat(x, counts), np.repeat(y, counts)
    if len(repeated_x) and min(np.ptp(repeated_x), np.ptp(repeated_y)) > 0.01:
        np.testing.assert_allclose(found, [np.corrcoef(repeated_x, repeated_y)[0, 1]], atol=1e-5)
    elif not len(repeated_x) or min(np.ptp(repeated_x), np.ptp(repeated_y)) == 0:
        assert np.isnan(found).all()


def test_a_row_of_weights_each():
    weights = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 1, 1]], float)
    found = statistics.mean_difference(np.array([1, 2, 5, 7]), np.array([False, False, True, True]))(weights)
    np.testing.assert_allclose(found, [4.5, 4, np.nan])


def test_perfect_correlation():
    x = np.array([1.0, 2, 3, 4])
    np.testing.assert_allclose(statistics.correlation(x, 3 - 2 * x)(np.ones((1, 4))), [-1])
