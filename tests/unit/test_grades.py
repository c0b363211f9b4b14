"""All levels against the extreme ones: the parts of the difference, and what is said where nothing is graded."""

import numpy as np
import pytest

from lib import grades
from lib.metrics import score
from lib.runs import Predictions

GENERATOR = np.random.default_rng(2)
LEVEL = np.tile([0, 1, 2, 3], 30)
ALL = Predictions(
    np.array([f"image{number:03d}" for number in range(120)]),
    np.repeat([f"group{number}" for number in range(12)], 10),
    (LEVEL > 1).astype(int),
    np.clip(LEVEL / 6 + GENERATOR.random((3, 120)) / 2, 0, 1),
)
KNOWN = np.isin(LEVEL, [0, 3])
EASY = Predictions(
    ALL.images[KNOWN], ALL.groups[KNOWN], ALL.labels[KNOWN], np.clip(LEVEL[KNOWN] / 4 + GENERATOR.random((3, 60)), 0, 1)
)


def mean_auc(label: np.ndarray, probability: np.ndarray) -> float:
    return float(np.mean([score("auc", label, seed) for seed in probability]))


def test_parts_of_the_difference():
    everything, extremes = ALL.probabilities, EASY.probabilities
    on_all, on_easy = mean_auc(ALL.labels, everything), mean_auc(EASY.labels, everything[:, KNOWN])
    trained_easy = mean_auc(EASY.labels, extremes)
    found = {name: estimate.value for name, estimate in grades.differences(ALL, EASY).items()}
    assert found == pytest.approx(
        {"learning": on_easy - trained_easy, "scoring": on_all - on_easy, "both": on_all - trained_easy}
    )
    assert found["both"] == pytest.approx(found["learning"] + found["scoring"])
    assert grades.extremes_auc(EASY).value == pytest.approx(trained_easy)


def test_without_extreme_levels_nothing_is_compared():
    assert grades.extremes_auc(None) is grades.UNGRADED
    assert grades.differences(ALL, None) == dict.fromkeys(("learning", "scoring", "both"), grades.UNGRADED)
