"""All levels against the extreme ones: the parts of the difference, and what is said where nothing is graded."""

import numpy as np
import pandas as pd
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


def suspected(seed, doubtful, extreme_rate, images=1200):
    """Labels of graded levels, a share of which is flagged: the positive class ten times as often in any case."""
    generator = np.random.default_rng(seed)
    level = generator.choice([0, 1, 2, 3], images, p=[0.55, 0.1, 0.1, 0.25])
    rate = np.where(np.isin(level, [1, 2]), doubtful, extreme_rate) * np.where(level > 1, 1, 0.1)
    flagged = (generator.random(images) < rate).astype(float)
    return flagged, pd.Series(level / 3), (level > 1).astype(int), np.arange(images) // 30


def test_flags_that_go_with_the_class_alone_are_not_doubtful_levels():
    """Levels that are flagged alike within a class; over all classes together, doubtful ones seem flagged more often."""
    claimed = sum(grades.doubtful_difference(*suspected(seed, 0.5, 0.5)).interval()[0] > 0 for seed in range(40))
    assert claimed <= 4
    flagged, level, _, _ = suspected(1, 0.5, 0.5)
    doubtful = level.between(0.1, 0.9)
    assert flagged[doubtful].mean() - flagged[~doubtful].mean() > 0.05  # what mixing classes would say


def test_flags_of_doubtful_levels_are_seen():
    flagged, level, label, group = suspected(2, 0.8, 0.3)
    found = grades.doubtful_difference(flagged, level, label, group)
    by_class = [
        flagged[(label == name) & level.between(0.1, 0.9)].mean()
        - flagged[(label == name) & ~level.between(0.1, 0.9)].mean()
        for name in (0, 1)
    ]
    assert found.value == pytest.approx(np.mean(by_class)) and found.interval()[0] > 0.1


def test_a_class_of_one_kind_of_level_takes_no_part():
    flagged, level, label, group = suspected(3, 0.8, 0.3)
    kept = level != 1 / 3
    found = grades.doubtful_difference(flagged[kept], level[kept], label[kept], group[kept])
    positive = kept & (label == 1)
    middle = positive & level.between(0.1, 0.9)
    assert found.value == pytest.approx(flagged[middle].mean() - flagged[positive & ~middle].mean())
    three = level.where(level < 0.9, 1.0).where(level > 0.1, 0.0)
    nothing = grades.doubtful_difference(flagged, three, three.rank(method="dense").to_numpy(int), group)
    assert "no class holds doubtful levels" in nothing.reason
    assert grades.doubtful_difference(flagged, pd.Series(label, dtype=float), label, group) is grades.UNGRADED


def test_shares_by_level():
    flagged, level, _, group = suspected(4, 0.8, 0.3)
    named = level.round(2).astype(str).astype("category").rename("graded level")
    found = grades.shares(flagged, named, group)
    assert found["images"].sum() == 1200 and found["suspected"].sum() == flagged.sum()
    assert found.loc[0, "graded level"] == "0.0" and found.iloc[0, 3].startswith(f"{flagged[level == 0].mean():.3f} [")
