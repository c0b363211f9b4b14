"""The map keeps neighbours together, repeats bit for bit, and exists for any number of images."""

import numpy as np
import pytest

from lib import embedding

GENERATOR = np.random.default_rng(7)


def test_clusters_stay_apart_and_together():
    centres = GENERATOR.normal(0, 10, (3, 80))
    cluster = np.repeat(np.arange(3), 20)
    points = embedding.neighbours_map((centres[cluster] + GENERATOR.normal(0, 1, (60, 80))).astype(np.float32), seed=7)
    assert points.shape == (60, 2) and points.dtype == np.float32
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2) + np.diag(np.full(60, np.inf))
    assert (cluster[distances.argmin(axis=1)] == cluster).all()


def test_the_same_seed_gives_the_same_map():
    features = GENERATOR.random((40, 30)).astype(np.float32)
    first, again, other = (embedding.neighbours_map(features, seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert first.shape == other.shape


@pytest.mark.parametrize("images", [1, 2, 4, 5, 6, 20])
@pytest.mark.parametrize("dimensions", [1, 3, 60])
def test_few_images_have_a_map(images, dimensions):
    points = embedding.neighbours_map(GENERATOR.random((images, dimensions)), seed=7)
    assert points.shape == (images, 2) and np.isfinite(points).all()


def test_equal_images_lie_on_one_point():
    assert not embedding.neighbours_map(np.ones((20, 5)), seed=7).any()
