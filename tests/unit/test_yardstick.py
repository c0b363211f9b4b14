"""Repeated splits: nothing tested was learned from, accuracies are scikit-learn's; only declared studies see all labels."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score

from lib import atomic, config, custody, studies, yardstick

STRATA = np.tile(["a", "b", "b", "c"], 30)
GROUPS = np.repeat(np.arange(12), 10)


class Witness(ClassifierMixin, BaseEstimator):
    """Remembers rows (a row is its own number) and refuses to be asked about them."""

    def fit(self, matrix, labels):
        self.seen_, self.classes_ = set(matrix[:, 0]), np.unique(labels)
        return self

    def predict(self, matrix):
        assert not self.seen_ & set(matrix[:, 0])
        return np.zeros(len(matrix), int)


def test_random_splits_are_even_in_every_stratum():
    tested = yardstick.random_splits(STRATA, 0.2, 5, 1)
    assert tested.shape == (5, 120) and (tested.sum(axis=1) == 24).all()
    for split in tested:
        assert pd.Series(split).groupby(STRATA).sum().to_dict() == {"a": 6, "b": 12, "c": 6}
    assert (tested[0] != tested[1]).any() and (tested == yardstick.random_splits(STRATA, 0.2, 5, 1)).all()


def test_group_splits_divide_no_group():
    tested = yardstick.group_splits(GROUPS, STRATA, 0.25, 5, 1)
    for split in tested:
        assert pd.Series(split).groupby(GROUPS).nunique().eq(1).all() and split.sum() == 30
    assert len(np.unique(tested, axis=0)) > 1


def test_no_model_is_asked_about_what_it_saw_and_none_sees_what_is_outside():
    labels, within = np.arange(120) % 2, GROUPS < 6
    tested = yardstick.random_splits(STRATA, 0.2, 4, 1)
    found = yardstick.repeated(Witness(), np.arange(120)[:, None], labels, GROUPS, tested, within)
    assert (found.tested == tested & within).all() and (found.decided[~found.tested] == -1).all()


@pytest.fixture
def found():
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 2, 120)
    matrix = generator.normal(size=(120, 2)) + 1.5 * np.eye(2)[labels]
    tested = yardstick.random_splits(STRATA, 0.2, 40, 1)
    return yardstick.repeated(LogisticRegression(), matrix, labels, GROUPS, tested)


def test_accuracies_are_those_of_scikit_learn(found):
    weights, within = np.linspace(0, 1, 120), STRATA == "b"
    for split in (0, 7):
        rows = found.tested[split]
        truth, decided = found.labels[rows], found.decided[split, rows]
        assert found.accuracies()[split] == pytest.approx(accuracy_score(truth, decided))
        weighted = accuracy_score(truth, decided, sample_weight=weights[rows])
        assert found.accuracies(weights=weights)[split] == pytest.approx(weighted)
        inside = within[rows]
        assert found.accuracies(within)[split] == pytest.approx(accuracy_score(truth[inside], decided[inside]))


def test_intervals_over_splits_are_narrower_than_over_images(found):
    splits, images = found.over_splits(), found.over_images()
    assert splits.value == pytest.approx(images.value) == pytest.approx(found.accuracies().mean())
    assert (splits.seeds, images.groups) == (40, 12)
    assert np.ptp(splits.interval()) < np.ptp(images.interval())
    assert found.less(found).value == 0


def test_confidence_follows_the_order_of_levels():
    assert yardstick.confidence(pd.Series([1.0, 0.0, 0.6667, 0.3333])).tolist() == [1, 1, 2 / 3, 1 / 3]
    with pytest.raises(ValueError, match="3 levels"):
        yardstick.confidence(pd.Series([0.0, 0.5, 1.0]))


def test_a_study_gets_all_labels_and_it_is_written_down(book, tmp_path):
    book()
    context = config.study("elpv_yardstick", "elpv")
    images = custody.yardstick_labels(context)
    assert len(images) == 128 and images["label"].isin([0, 1]).all() and images["path"].notna().all()
    used = atomic.read_json(context.output / "labels_used.json")
    assert used["images"] == 128 and "test part included" in used["labels"]


def test_nobody_else_gets_them(book):
    context = book()
    with pytest.raises(config.UserError, match="STUDY='test' does not exist"):
        custody.yardstick_labels(context)
    posing = config.Context("elpv_yardstick", "elpv", "cpu", context.root, context.output)
    with pytest.raises(config.UserError, match="a folder of its own"):
        custody.yardstick_labels(posing)
    with pytest.raises(config.UserError, match="DATASET='chest_xray'"):
        config.study("elpv_yardstick", "chest_xray")
    assert not list(context.root.parent.rglob("labels_used.json"))


def test_an_unknown_study_is_refused_in_one_line(capsys):
    assert studies.main("") == studies.main("../elpv") == 2
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "STUDY='' does not exist; STUDY is one of: elpv_224, elpv_yardstick, recipe_full",
        "STUDY='../elpv' does not exist; STUDY is one of: elpv_224, elpv_yardstick, recipe_full",
    ]


def test_a_wrong_declaration_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yml").write_text(
        json.dumps(
            {"dataset": "elpv", "labels": "all", "features": {"backbone": "efficientnet_lite0"}, "parameters": {}}
        )
    )
    monkeypatch.setattr(config, "PARAMETERS", tmp_path)
    assert studies.main("mine") == 2
    assert capsys.readouterr().err.startswith("params/studies/mine.yml: features.image_size: Field required")
