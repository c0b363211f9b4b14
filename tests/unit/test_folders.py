"""A folder with a folder of images for each class needs no card, whatever lies around it; a mistake is one line."""

import os
import shutil

import pytest

from lib import cards, config, folders

PNG = b"\x89PNG\r\n\x1a\n"  # no picture is opened here


@pytest.fixture
def card(tmp_path):
    """`card("a/1.png", ...)`: the card of a folder with these files; a name that ends in / is a folder."""
    root = tmp_path / "my data"
    root.mkdir()

    def make(*paths: str) -> cards.Card:
        for path in paths:
            place = root / path
            (place if path.endswith("/") else place.parent).mkdir(parents=True, exist_ok=True)
            if not path.endswith("/"):
                place.write_bytes(PNG)
        return cards.Card.model_validate(folders.card_of("mine", root))

    make.root = root
    return make


@pytest.fixture
def listed(card, monkeypatch):
    """`listed(...)`: label and published part of each image that the card finds."""

    def make(*paths: str) -> dict[str, tuple]:
        made = card(*paths)
        monkeypatch.setenv(config.DATA_VARIABLE, str(card.root))
        rows, _ = made.rows()
        names = rows["label"].map(dict(enumerate(made.classes)))
        inside = ~rows["outside"]
        return dict(zip(rows["path"][inside], zip(names[inside], rows["official"][inside], strict=True), strict=True))

    return make


def test_flat_classes(listed, card):
    assert listed("b/1.png", "a/2.jpg") == {"a/2.jpg": ("a", ""), "b/1.png": ("b", "")}
    made = card()
    assert (made.classes, made.official, made.group.kind) == (["a", "b"], {}, "image")


@pytest.mark.parametrize("wrap", ["", "archive/", "archive/more (1)/"])
def test_published_parts_stand_above_classes(listed, card, wrap):
    paths = [f"{wrap}{part}/{name}/1.PNG" for part in ("train", "Validation", "test") for name in "ab"]
    found = listed(*paths)
    assert found == {path: (path.split("/")[-2], path.split("/")[-3]) for path in paths}
    assert card().official == {"Validation": ["validation"], "test": ["test"], "train": ["train", "tuning"]}


def test_parts_that_are_missing_are_taken_from_train(card):
    parts = card("train/a/1.png", "train/b/1.png", "test/a/1.png", "test/b/1.png").official
    assert parts == {"train": ["train", "tuning", "validation"], "test": ["test"]}


def test_train_alone_is_divided_into_all_parts(card):
    made = card("train/a/1.png", "train/b/1.png")
    assert made.official == {"train": ["train", "tuning", "validation", "test"]}


def test_folders_within_classes_belong_to_them(listed):
    found = listed("a/1.png", "a/deep/er/2.png", "b/first/1.png", "b/second/1.png", "c/1.png")
    assert [label for label, _ in found.values()] == ["a", "a", "b", "b", "c"]


def test_a_second_tree_is_no_class(listed):
    found = listed("a/1.png", "b/1.png", "backup/a/1.png", "backup/b/1.png", "old/train/a/1.png")
    assert list(found) == ["a/1.png", "b/1.png"]


def test_classes_may_be_called_like_parts(listed, card):
    assert [label for label, _ in listed("train/1.png", "bus/1.png", "test/1.png").values()] == ["bus", "test", "train"]
    assert card().official == {}


def test_empty_and_hidden_folders_are_no_classes(card):
    made = card("a/1.png", "b/1.png", "empty/", "texts/notes.txt", ".git/1.png", "__MACOSX/a/._1.png", "b/1.txt")
    assert made.classes == ["a", "b"]


def test_names_of_classes_are_taken_literally(listed):
    names = ["cats (1)", "a|b", "x.*", "[c]", "-d", "line\nbreak", "'q'", '"q"', "#1", "grün", "a" * 200]
    found = listed(*(f"{name}/1.png" for name in names))
    assert {path: label for path, (label, _) in found.items()} == {f"{name}/1.png": name for name in names}


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        ([], "found: none"),
        (["1.png", "2.png"], "found: none and images that lie in none"),
        (["a/1.png"], "found: a"),
        (["a/1.png", "b/notes.txt", "c/"], "found: a"),
        (["train/a/1.png", "test/a/1.png"], "found: a"),
        (["val/a/1.png", "val/b/1.png", "test/a/1.png", "test/b/1.png"], "parts test, val and none to train on"),
        (["Cat/1.png", "cat/1.png"], "classes 'Cat' and 'cat', which differ by case only"),
        (["train/Cat/1.png", "train/dog/1.png", "test/cat/1.png"], "classes 'Cat' and 'cat', which differ by case"),
    ],
)
def test_mistake_is_one_line(card, paths, words):
    with pytest.raises(config.UserError) as caught:
        card(*paths)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_links_are_not_followed(card):
    card.root.joinpath("loop").symlink_to(".")
    with pytest.raises(config.UserError, match="found: none"):
        card()
    elsewhere = card.root.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "1.png").write_bytes(PNG)
    card.root.joinpath("linked").symlink_to(elsewhere)
    assert card("a/1.png", "b/1.png").classes == ["a", "b"]


def test_folder_whose_name_is_no_text_is_no_class(card):
    try:
        os.makedirs(os.fsencode(card.root) + b"/caf\xe9")
    except OSError as error:
        pytest.skip(f"this file system refuses such names: {error}")
    (card.root / os.fsdecode(b"caf\xe9") / "1.png").write_bytes(PNG)
    assert card("a/1.png", "b/1.png").classes == ["a", "b"]


@pytest.mark.parametrize("name", ["数据", "-rf", "--", "a b'c\"d#e", "line\nbreak", "x" * 250, os.fsdecode(b"caf\xe9")])
def test_any_name_of_the_folder_gives_a_name_of_a_book(tmp_path, monkeypatch, name):
    folder = tmp_path / name
    try:
        for label in "ab":
            (folder / label).mkdir(parents=True)
            (folder / label / "1.png").write_bytes(PNG)
    except OSError as error:
        pytest.skip(f"this file system refuses such names: {error}")
    monkeypatch.setenv(config.DATA_VARIABLE, str(folder))
    (dataset,) = config.own_dataset()
    assert dataset[0].isalnum() and dataset.replace("-", "").replace("_", "").isalnum() and len(dataset) <= 47
    loaded = cards.load(dataset)
    assert loaded.classes == ["a", "b"] and loaded.positive == "b" and loaded.title.encode()


def test_two_folders_of_one_name_are_two_books(tmp_path, monkeypatch):
    names = []
    for place in ("one", "two"):
        (tmp_path / place / "images").mkdir(parents=True)
        monkeypatch.setenv(config.DATA_VARIABLE, str(tmp_path / place / "images"))
        names += config.own_dataset()
    assert len(set(names)) == 2 and all(name.startswith("images-") for name in names)


def test_array_file_says_which_card_it_needs(tmp_path, monkeypatch):
    (tmp_path / "pathmnist.npz").write_bytes(b"")
    monkeypatch.setenv(config.DATA_VARIABLE, str(tmp_path / "pathmnist.npz"))
    with pytest.raises(config.UserError, match="is an array file; say DATASET=medmnist too"):
        cards.load(config.own_dataset()[0])
    shutil.rmtree(tmp_path)
