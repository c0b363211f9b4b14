"""Cards are validated field by field; images and what is said of them come out one row an image."""

import shutil

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
    card = cards.declared(name)
    assert card.name == name and card.licence and card.citation and card.address
    assert not card.classes or card.positive in card.classes


def test_card_gives_one_row_an_image(book, data_folder):
    card = cards.load("elpv")
    rows, findings = card.rows()
    assert card.reader.location() == data_folder / "data" and (data_folder / "data" / rows["path"].iloc[0]).is_file()
    known = ["path", "identity", "outside", "label", "level", "group", "official", "module_type"]
    assert rows.columns.tolist() == known and len(rows) == 128 == rows["path"].nunique() == rows["identity"].nunique()
    assert set(rows["module_type"]) == {"mono", "poly"} and rows["level"].between(0, 1).all()
    assert findings["kind"].tolist() == ["count_differs"] and "2,624" in findings["detail"].iloc[0]


def test_card_reads_the_bytes_and_the_picture_of_a_path(book, data_folder):
    card = cards.load("elpv")
    assert card.read("images/cell0001.png") == (data_folder / "data" / "images" / "cell0001.png").read_bytes()
    assert card.picture("images/cell0001.png").shape == (24, 24)
    with pytest.raises(OSError, match="cell9999"):
        card.read("images/cell9999.png")


TABLE = {"path": "labels.csv", "separator": "whitespace", "columns": ["image", "level", "module_type"]}
READER = {"kind": "files", "package": "elpv_dataset", "root": "data", "layout": r"(?P<image>images/.*)", "table": TABLE}
LEVELS = {"kind": "levels", "above": 0.5}
RATIO = {"of": "sound", "to": "defective", "ratio": 1}
WRONG = [
    ({"classes": ["sound"]}, ["classes"]),
    ({"classes": ["sound", "sound"]}, ["classes"]),
    ({"classes": ["sound", "worn", "defective"]}, ["graded levels are cut into two classes", "3"]),
    ({"classes": [0, 1]}, ["classes.0", "string"]),
    ({"classes": []}, ["graded levels are cut into two classes", "0"]),
    ({"title": None}, ["title", "required"]),
    ({"title": ["a"]}, ["title", "string"]),
    ({"licence": None}, ["licence", "required"]),
    ({"name": "other"}, ["without `name:`"]),
    ({"colour": "blue"}, ["colour", "not permitted", "fields are: address, citation, classes, counts"]),
    ({"readr": {}}, ["readr", "the nearest is 'reader'"]),
    (
        {"reader": READER | {"tabel": {}}},
        ["reader.files.tabel", "fields are: kind, layout, package, root, table; the near"],
    ),
    (
        {"reader": READER | {"table": TABLE | {"seperator": ";"}}},
        ["seperator", "are: columns, image, path, rows, separator"],
    ),
    ({"recipe": [{"step": "resize", "sise": 3}]}, ["recipe.0.resize.sise", "not permitted", "nearest is 'size'"]),
    (
        {"labels": LEVELS | {"abov": 1}},
        ["abov", "fields are: above, column, kind, missing, names, values; the nearest"],
    ),
    (
        {"policy": {"blank": {"decision": "drop", "reason": "x", "why": 1}}},
        ["blank.why", "fields are: decision, reason"],
    ),
    ({"positive": "broken"}, ["'broken'", "sound", "defective"]),
    ({"properties": "module_type"}, ["properties", "list"]),
    ({"recipe": [{"step": "sharpen"}]}, ["recipe.0", "sharpen", "'grey'"]),
    ({"recipe": []}, ["recipe"]),
    ({"group": {"kind": "blocks", "size": 0}}, ["group", "size"]),
    ({"group": {"kind": "patients"}}, ["group", "'blocks'", "'pattern'", "'column'", "'image'"]),
    ({"group": {"kind": "pattern", "pattern": "(a"}}, ["group", "pattern", "not a regular expression"]),
    ({"group": {"kind": "pattern", "pattern": "a"}}, ["group", "pattern", "parentheses"]),
    ({"group": {"kind": "pattern", "pattern": "(a)", "every": 0}}, ["every"]),
    ({"group": {"kind": "column"}}, ["group", "column", "required"]),
    ({"group": None}, ["group", "required"]),
    ({"labels": {"kind": "classes", "names": ["cat"]}}, ["labels", "names", "expected names with their values"]),
    ({"labels": {"kind": "levels"}}, ["labels", "above", "required"]),
    ({"labels": LEVELS | {"names": {"low": "sound"}}}, ["labels", "names", "number"]),
    ({"labels": LEVELS | {"values": {"4a": "high"}}}, ["labels", "values", "number"]),
    ({"labels": {"kind": "stars"}}, ["labels", "'classes'", "'levels'", "'none'"]),
    ({"labels": {"kind": "none"}}, ["without labels there are no classes"]),
    ({"labels": {"kind": "none"}, "classes": [], "positive": "", "selection": {"balanced": 4}}, ["no selection"]),
    ({"reader": {"kind": "cloud"}}, ["reader", "'files'", "'npz'"]),
    ({"reader": READER | {"layout": "(?P<image"}}, ["layout", "not a regular expression"]),
    ({"reader": READER | {"layout": "(?P<path>.*)"}}, ["layout", "no group may be called path"]),
    ({"reader": READER | {"layout": None}}, ["layout"]),
    ({"reader": READER | {"table": TABLE | {"separator": "||"}}}, ["separator", "one character or `whitespace`"]),
    ({"reader": READER | {"table": TABLE | {"separator": ""}}}, ["separator"]),
    ({"reader": READER | {"table": TABLE | {"rows": "[a"}}}, ["rows", "not a regular expression"]),
    ({"reader": READER | {"table": {"columns": ["image"]}}}, ["table", "path", "required"]),
    ({"official": {"train": ["learning"]}}, ["official.train.0", "'train'", "'tuning'"]),
    ({"official": {"train": []}}, ["official.train"]),
    ({"counts": {"all": 0}}, ["counts.all"]),
    ({"counts": {"all": "many"}}, ["counts.all"]),
    ({"selection": {"balanced": -1}}, ["selection.balanced"]),
    ({"selection": {"levels": ["high"]}}, ["selection.levels.0"]),
    ({"selection": {"ratio": RATIO | {"ratio": 0}}}, ["selection.ratio.ratio"]),
    ({"selection": {"ratio": RATIO | {"of": "cat"}}}, ["ratio 'cat' is not among the classes"]),
    ({"selection": {"ratio": RATIO | {"of": "defective"}}}, ["to itself; name two classes"]),
    ({"selection": {"random": 5}}, ["selection.random"]),
    (
        {"policy": {"near_copy": {"decision": "burn", "reason": "x"}}},
        ["policy.near_copy.decision", "'drop'", "'merge'"],
    ),
    ({"policy": {"near_copy": {"decision": "drop"}}}, ["policy.near_copy.reason", "required"]),
    ({"simulator": "dust"}, ["simulator", "'cracks'"]),
    (
        {"simulator": "cracks", "classes": ["a", "b", "c"], "labels": {"kind": "classes", "column": "module_type"}},
        ["simulator 'cracks' draws defects into sound images", "3, not two"],
    ),
]


@pytest.mark.parametrize(
    ("changes", "words"), WRONG, ids=[", ".join(changes) + " " + words[0] for changes, words in WRONG]
)
def test_wrong_card_names_file_field_and_what_is_allowed(write_card, changes, words):
    write_card(**changes)
    with pytest.raises(config.UserError) as caught:
        cards.load("mine")
    message = str(caught.value)
    assert message.startswith("params/datasets/mine.yml: ") and "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize("text", [b"", b"- a\n- b\n", b"title", b"a: [", b"a: \xff\xfe", b"a: b: c"])
def test_file_that_is_no_card_is_one_line(write_card, tmp_path, text):
    write_card()
    (tmp_path / "datasets" / "mine.yml").write_bytes(text)
    with pytest.raises(config.UserError, match=r"^params/datasets/mine.yml") as caught:
        cards.load("mine")
    assert "\n" not in str(caught.value)


def test_unknown_data_set_says_which_exist(write_card):
    write_card()
    assert cards.load("mine").name == "mine"
    with pytest.raises(config.UserError, match="DATASET='yours' does not exist; DATASET is one of: mine"):
        cards.load("yours")


def test_unknown_kind_of_a_policy_says_which_exist(book, write_card, tmp_path):
    from lib import custody

    write_card(policy={"nearly_copy": {"decision": "drop", "reason": "x"}})
    shutil.copy(config.REPOSITORY / "params" / "ledger.yml", tmp_path)
    shutil.copy(config.REPOSITORY / "params" / "cpu.yml", tmp_path)
    with pytest.raises(config.UserError, match="'nearly_copy' does not exist; .* near_copy"):
        custody.prepare("mine", "cpu")


def test_missing_package_says_what_to_do(write_card, monkeypatch):
    monkeypatch.delenv(config.DATA_VARIABLE, raising=False)
    write_card(reader=READER | {"package": "no_such_package"})
    with pytest.raises(config.UserError, match="card's package 'no_such_package' is not installed; correct its name"):
        cards.load("mine").reader.location()


def test_card_without_package_needs_data(write_card, monkeypatch):
    monkeypatch.delenv(config.DATA_VARIABLE, raising=False)
    write_card(reader=READER | {"package": None})
    with pytest.raises(config.UserError, match="^DATA is missing: name the folder"):
        cards.load("mine").rows()


def test_folder_that_is_laid_out_otherwise_says_what_it_lacks(book, monkeypatch, changeable_data):
    def refusal() -> str:
        with pytest.raises(config.UserError) as caught:
            cards.load("elpv").rows()
        assert "\n" not in str(caught.value)
        return str(caught.value)

    (changeable_data / "data" / "labels.csv").unlink()
    assert "data has no labels.csv; DATA must be a folder laid out as published" in refusal()
    shutil.rmtree(changeable_data / "data" / "images")
    assert "holds no image where the card expects them" in refusal()
    shutil.rmtree(changeable_data / "data")
    assert "changeable has no folder data; DATA must be laid out as published" in refusal()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"properties": ["colour"]}, "no column 'colour'; table and layout give: image, level, module_type"),
        ({"labels": LEVELS | {"column": "grade"}}, "no column 'grade'; table and layout give"),
        ({"group": {"kind": "column", "column": "patient"}}, "no column 'patient'"),
        ({"group": {"kind": "blocks", "size": 8, "within": "kind"}}, "no column 'kind'"),
        ({"official": {"train": ["train"]}}, "no column 'official'"),
        ({"reader": READER | {"layout": "images/.*"}}, "layout has no group `image`"),
        ({"reader": READER | {"layout": "pictures/(?P<image>.*)"}}, "holds no image where the card expects them"),
        (
            {"reader": READER | {"layout": "images/(?P<image>.*)"}},
            "its column 'image' holds 'images/cell0001.png', 'images/cell0002.png' and 126 more, the layout's",
        ),
        ({"group": {"kind": "pattern", "pattern": "(person)"}}, "is in no path, such as 'images/cell0001.png'"),
    ],
)
def test_card_that_does_not_fit_its_data_is_one_line(book, write_card, changes, words):
    write_card(**changes)
    with pytest.raises(config.UserError) as caught:
        cards.load("mine").rows()
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_unknown_published_part_is_one_line(book, write_card):
    layout = r"(?P<image>images/cell0(?P<official>[01])?.*)"
    write_card(reader=READER | {"layout": layout}, official={"1": ["train"]})
    with pytest.raises(config.UserError, match="published part '0' is not in the card; it knows: 1"):
        cards.load("mine").rows()


def test_an_image_of_several_rows_comes_once(book, changeable_data):
    table = changeable_data / "data" / "labels.csv"
    rows = table.read_text().splitlines()
    again, other = rows[0], rows[1].split()
    other[1] = "1.0" if float(other[1]) < 0.5 else "0.0"
    table.write_text("\n".join([*rows, again, "  ".join(other)]))
    listed, findings = cards.load("elpv").rows()
    assert len(listed) == 128 == listed["path"].nunique()
    found = findings.set_index("kind")["image"]
    assert (found["repeated_row"], found["label_conflict"]) == (again.split()[0], other[0])
    assert findings.loc[findings["kind"] == "label_conflict", "detail"].str.startswith("its rows say ").all()


def test_one_class_only_is_one_line(book, write_card, changeable_data):
    write_card(labels={"kind": "classes", "column": "module_type"}, classes=None, positive=None)
    assert (cards.load("mine").classes, cards.load("mine").positive) == (["mono", "poly"], "poly")
    table = changeable_data / "data" / "labels.csv"
    table.write_text(table.read_text().replace("poly", "mono"))
    with pytest.raises(config.UserError, match=r"data set mine has one class only \(mono\); two are needed"):
        cards.load("mine")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"classes": ["mono", "polly"]},
            "the class 'polly'; looked for 'polly' in 'module_type', which holds: 'mono', 'poly'",
        ),
        ({"classes": ["mono", "polly"]}, "; the nearest is 'poly'"),
        ({"classes": ["one", "two"], "names": {"mono": "one", "poli": "two"}}, "class 'two'; looked for 'poli' in"),
    ],
)
def test_class_that_no_image_has_is_one_line(book, write_card, changes, words):
    labels = {"kind": "classes", "column": "module_type", "names": changes.get("names", {})}
    write_card(labels=labels, classes=changes["classes"], positive=None)
    with pytest.raises(config.UserError) as caught:
        cards.load("mine").rows()
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_names_that_the_found_classes_lack_are_one_line(book, write_card):
    write_card(labels={"kind": "classes", "column": "module_type"}, classes=None, positive="amorphous")
    with pytest.raises(config.UserError, match="positive 'amorphous' is not among the classes"):
        cards.load("mine")


def test_levels_are_named_in_their_order():
    levels = pd.Series([1.0, 0.0, 1 / 3, 0.3333333333333333, 2 / 3])
    named = cards.load("elpv").named(pd.DataFrame({"label": 0, "level": levels}))
    assert named.tolist() == ["defective", "sound", "possibly defective", "possibly defective", "probably defective"]
    order = ["sound", "possibly defective", "probably defective", "defective"]
    assert named.cat.categories.tolist() == order and named.cat.ordered


def test_level_without_a_name_is_its_own(write_card):
    write_card(labels=LEVELS)
    assert cards.load("mine").named(pd.DataFrame({"level": [2.0, 0.5]})).tolist() == ["2.0", "0.5"]


def test_empty_table_is_refused_in_one_line(book, changeable_data):
    (changeable_data / "data" / "labels.csv").write_text("\n\n")
    with pytest.raises(config.UserError, match=r"labels\.csv has no row; expected columns: image level module_type$"):
        cards.load("elpv").rows()
