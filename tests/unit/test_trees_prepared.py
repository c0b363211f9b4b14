"""Every generated tree goes through the data step: a table without its defects, or one line; the tree is as it was."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib import cards, config, custody
from lib.findings import copies, frame
from tests.data import TREES

SAID = {"missing_file", "outside_layout", "junk", "repeated_row", "skipped_line", "missing_label", "unknown_label"} | {
    "no_group", "without_row", "truncated", "empty_file", "lfs_pointer", "not_an_image", "too_large", "unsupported",
    "wrong_extension", "blank",
}  # fmt: skip
MISTAKES = {
    "diabetic_retinopathy headless": r"trainLabels.csv has no column 'image'; its columns are: 10_left, 0",
    "medmnist short": r"val_images of shape \(20, 28, 28\), val_labels of shape \(19, 1\); one label an image is needed",
    "folder one_class": r"has no two folders of classes \(found: cats\)",
    "folder no_images": r"has no two folders of classes \(found: none\)",
}
NOT_SAID = {  # planted defects that a card cannot tell, and what stands for them
    ("medmnist", "unknown_label"): "the file alone says which classes there are",
}
LEAKING = {"chest_xray leaks", "folder parts", "medmnist"}  # what the gate does is tested where copies are


def state(folder: Path) -> Iterator[tuple]:
    for place, folders, files in os.walk(folder):
        for name in sorted([*folders, *files]):
            stat = os.lstat(os.path.join(place, name))
            yield place, name, stat.st_size, stat.st_mtime_ns, stat.st_mode


@pytest.fixture
def data_step(planted, tmp_path, monkeypatch):
    """`data_step(tree)`: the context of a prepared book on a generated tree."""

    def prepare(name: str) -> config.Context:
        monkeypatch.setenv(config.DATA_VARIABLE, str(planted(name).folder))
        monkeypatch.setenv(config.BUILD_VARIABLE, str(tmp_path / "build"))
        known = name.split()[0]
        dataset = known if known in config.datasets() else config.own_dataset()[0]
        custody.prepare(dataset, "cpu")
        return config.Context("test", dataset, "cpu", config.book_root(dataset, "cpu"), tmp_path)

    return prepare


@pytest.mark.parametrize("name", [name for name in TREES if name not in MISTAKES])
def test_what_is_planted_is_told_and_nothing_is_lost(data_step, planted, monkeypatch, name):
    if name in LEAKING:
        monkeypatch.setattr(copies, "near", lambda _: frame())
        monkeypatch.setattr(copies, "across", lambda *_: frame())
    tree = planted(name)
    before = list(state(tree.folder))
    context = data_step(name)
    assert list(state(tree.folder)) == before
    told, left = custody.ledger(context), custody.images(context)
    excused = {kind for data_set, kind in NOT_SAID if data_set == name}
    described = told.assign(image=told["image"].mask(told["kind"].eq("missing_file"), ""))
    hidden = set(told.loc[told["hidden"], "kind"])
    missed = tree.missed(described, ignore=[kind for kind in tree.defects if kind not in SAID - excused - hidden])
    assert missed == {}
    rows = cards.load(context.dataset).rows()[0]
    dropped = set(told.loc[told["decision"].eq("drop") & (told["image"] != ""), "image"])
    assert len(rows) - len(left) <= len(dropped) and told["reason"].ne("").all()
    assert left["sha256"].notna().all() and not left.duplicated("image").any()
    assert set(left["part"]) == {"train", "tuning", "validation", "test"}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_of_a_user_are_one_line(data_step, name):
    with pytest.raises(config.UserError) as caught:
        data_step(name)
    assert re.search(MISTAKES[name], str(caught.value)) and "\n" not in str(caught.value)


def test_every_excuse_is_still_true(planted):
    for name, kind in NOT_SAID:
        assert kind in planted(name).defects


def test_hostile_names_come_through_as_they_are(data_step, planted):
    context = data_step("folder hostile")
    development = custody.development(context)
    names = {
        path.relative_to(planted("folder hostile").folder).as_posix()
        for path in planted("folder hostile").folder.rglob("*.*")
    }
    assert set(development["path"]) <= names and development["path"].str.contains("\n").any()
