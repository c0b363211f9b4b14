"""Trees that no book can be made of end in one line; hostile names come through the data step."""

import re

import pytest

from lib import config, custody

MISTAKES = {
    "diabetic_retinopathy headless": r"trainLabels.csv has no column 'image'; its columns are: 10_left, 0",
    "medmnist short": r"val_images of shape \(20, 28, 28\), val_labels of shape \(19, 1\); one label an image is needed",
    "folder one_class": r"has no two folders of classes \(found: cats\)",
    "folder no_images": r"has no two folders of classes \(found: none; no images in: cats, dogs\)",
}


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


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_of_a_user_are_one_line(data_step, name):
    with pytest.raises(config.UserError) as caught:
        data_step(name)
    assert re.search(MISTAKES[name], str(caught.value)) and "\n" not in str(caught.value)


def test_hostile_names_come_through_as_they_are(data_step, planted):
    context = data_step("folder hostile")
    development = custody.development(context)
    names = {
        path.relative_to(planted("folder hostile").folder).as_posix()
        for path in planted("folder hostile").folder.rglob("*.*")
    }
    assert set(development["path"]) <= names and development["path"].str.contains("\n").any()
