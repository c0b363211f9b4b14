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
def test_ratio_of_weighted_images(rows):
    numerator, denominator, _, counts = (np.array(column) for column in zip(*rows, strict=True))
    denominator = np.abs(denominator)
    found = statistics.ratio(numerator, denominator)(counts[np.newaxis].astype(float))
    if below := np.repeat(denominator, counts).sum():
        np.testing.assert_allclose(found, [np.repeat(numerator, counts).sum() / below], atol=1e-9)
    else:
        assert np.isnan(found).all()


def test_a_row_of_weights_each():
    weights = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 1, 1]], float)
    found = statistics.mean_difference(np.array([1, 2, 5, 7]), np.array([False, False, True, True]))(weights)
    np.testing.assert_allclose(found, [4.5, 4, np.nan])
