"""Every file of the registry is a family that keeps the contract."""

import keras
import numpy as np
import pytest

from lib import networks
from lib.training import determinism


@pytest.fixture(autouse=True)
def as_in_training():
    """TensorFlow's threads can be set once in a process: as the tests of training want them."""
    determinism.fix(threads=1, seed=7)


def test_families_are_the_files():
    assert "simple" in networks.families() and networks.families() == sorted(networks.families())
    assert all(networks.source(name).is_file() for name in networks.families())


@pytest.mark.parametrize("use", [networks.source, networks.family])
def test_unknown_network_says_which_exist(use):
    with pytest.raises(ValueError, match="network 'resnet9000' does not exist; it is one of: .*simple"):
        use("resnet9000")


@pytest.mark.parametrize("name", networks.families())
def test_family_keeps_the_contract(name):
    family = networks.family(name)
    low, high = family.INPUT_RANGE
    inputs = keras.Input((family.MINIMUM_SIZE, family.MINIMUM_SIZE, 3))
    features = family.build(inputs, family.Parameters())
    assert len(features.shape) == 4 and min(features.shape[1:]) >= 1
    images = np.random.default_rng(7).uniform(low, high, (2, *inputs.shape[1:])).astype(np.float32)
    assert np.isfinite(np.asarray(keras.Model(inputs, features)(images))).all()
    with pytest.raises(ValueError, match="no_such_setting"):
        family.Parameters(no_such_setting=1)


def test_simple_network_is_as_wide_as_asked():
    family = networks.family("simple")
    features = family.build(keras.Input((36, 36, 1)), family.Parameters(filters=(4, 6)))
    assert features.shape[1:] == (2, 2, 6)
    with pytest.raises(ValueError, match="filters"):
        family.Parameters(filters=(8, 0))


@pytest.mark.parametrize("name", networks.families())
def test_minimum_size_is_read_without_loading_the_network(name):
    assert networks.minimum_size(name) == networks.family(name).MINIMUM_SIZE
