"""Cards are validated field by field, find the images and read the table of labels."""

import pandas as pd
import pytest
import yaml

from lib import cards, config


@pytest.fixture
def write_card(tmp_path, monkeypatch):
    """`write_card(**changes)`: the ELPV card with changes, as data set `mine`; None removes a field."""
    monkeypatch.setattr(config, "PARAMETERS", tmp_path)
    card = yaml.safe_load((config.REPOSITORY / "params/datasets/elpv.yml").read_text())

    def write(**changes) -> None:
        (tmp_path / "datasets").mkdir(exist_ok=True)
        written = {name: value for name, value in (card | changes).items() if value is not None}
        (tmp_path / "datasets" / "mine.yml").write_text(yaml.safe_dump(written))

    return write


@pytest.mark.parametrize("name", config.datasets())
def test_cards_of_the_book_are_valid(name):
    card = cards.load(name)
    assert card.name == name and card.positive in card.classes and card.licence and card.citation and card.address


def test_reader_gives_one_row_an_image(book, data_folder):
    reader = cards.load("elpv").reader
    rows = reader.rows()
    assert reader.folder() == data_folder / "data" and rows.columns.tolist() == ["path", "level", "module_type"]
    assert len(rows) == 128 and (reader.folder() / rows["path"].iloc[0]).is_file()
    assert set(rows["module_type"]) == {"mono", "poly"} and rows["level"].between(0, 1).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": ["sound"]}, ["classes"]),
        ({"title": None}, ["title", "required"]),
        ({"colour": "blue"}, ["colour"]),
        ({"positive": "broken"}, ["'broken'", "sound", "defective"]),
        ({"recipe": [{"step": "sharpen"}]}, ["recipe.0", "sharpen", "'grey'"]),
        ({"group": {"kind": "blocks", "size": 0}}, ["group.size"]),
        ({"group": {"kind": "patients"}}, ["group.kind", "'blocks'"]),
        ({"reader": {"kind": "cloud"}}, ["reader.kind", "'package'"]),
    ],
)
def test_wrong_card_names_file_field_and_what_is_allowed(write_card, changes, words):
    write_card(**changes)
    with pytest.raises(config.UserError) as caught:
        cards.load("mine")
    message = str(caught.value)
    assert message.startswith("params/datasets/mine.yml: ") and "\n" not in message
    assert all(word in message for word in words), message


def test_unknown_data_set_says_which_exist(write_card):
    write_card()
    assert cards.load("mine").name == "mine"
    with pytest.raises(config.UserError, match="DATASET='yours' does not exist; DATASET is one of: mine"):
        cards.load("yours")


def test_missing_package_says_what_to_do(write_card, monkeypatch):
    monkeypatch.delenv(config.DATA_VARIABLE, raising=False)
    write_card()
    write_card(reader=cards.load("mine").reader.model_dump() | {"package": "no_such_package"})
    with pytest.raises(config.UserError, match="'no_such_package' is not installed; run `make book`"):
        cards.load("mine").reader.folder()


def test_folder_without_the_table_says_what_it_lacks(monkeypatch, tmp_path):
    monkeypatch.setenv(config.DATA_VARIABLE, str(tmp_path))
    with pytest.raises(config.UserError, match=r"has no data/labels.csv; DATA must be a folder laid out like"):
        cards.load("elpv").reader.folder()


@pytest.mark.parametrize("row", ["images/cell0003.png  high  mono", "images/cell0003.png", "a b c d e"])
def test_row_without_a_usable_level_is_refused_in_one_line(changeable_data, row):
    table = changeable_data / "data" / "labels.csv"
    rows = table.read_text().splitlines()
    table.write_text("\n".join([*rows[:2], row, *rows[3:]]))
    with pytest.raises(config.UserError, match=r"labels\.csv.*3") as caught:
        cards.load("elpv").reader.rows()
    assert "\n" not in str(caught.value)


def test_levels_are_named_in_their_order():
    levels = pd.Series([1.0, 0.0, 1 / 3, 0.3333333333333333, 2 / 3])
    named = cards.load("elpv").named_levels(levels)
    assert named.tolist() == ["defective", "sound", "possibly defective", "possibly defective", "probably defective"]
    order = ["sound", "possibly defective", "probably defective", "defective"]
    assert named.cat.categories.tolist() == order and named.cat.ordered


def test_level_without_a_name_is_its_own(write_card):
    write_card(level_names=None)
    assert cards.load("mine").named_levels(pd.Series([2.0, 0.5])).tolist() == ["2.0", "0.5"]


def test_empty_table_is_refused_in_one_line(changeable_data):
    (changeable_data / "data" / "labels.csv").write_text("")
    with pytest.raises(config.UserError, match=r"labels\.csv has no row; columns are: path level module_type$"):
        cards.load("elpv").reader.rows()
