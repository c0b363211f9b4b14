"""Tables, folders and array files: nothing that lies there is lost, and a mistake is one line."""

import io
import os

import numpy as np
import pandas as pd
import pytest

from lib import cards, config, decode
from lib.readers.arrays import NpzReader
from lib.readers.files import FilesReader
from lib.readers.table import Table


@pytest.fixture
def read(tmp_path):
    """`read(content, **table)`: rows and findings of a table."""

    def make(content: bytes, **values) -> tuple[pd.DataFrame, pd.DataFrame]:
        (tmp_path / "labels.csv").write_bytes(content)
        return Table(path="labels.csv", **values).read(tmp_path)

    return make


WANTED = [["a.png", "cat"], ["b.png", "dog"]]


@pytest.mark.parametrize(
    "content",
    [
        b"image,label\na.png,cat\nb.png,dog\n",
        b"image,label\na.png,cat\nb.png,dog",
        b"\xef\xbb\xbfimage,label\na.png,cat\nb.png,dog\n",
        b"image,label\r\na.png,cat\r\nb.png,dog\r\n",
        b"image,label\ra.png,cat\rb.png,dog\r",
        b"\n\nimage,label\n\na.png,cat\n   \n,\nb.png,dog\n\n",
        b' image , label \n "a.png", cat \nb.png ,dog\n'.replace(b' "a', b'"a'),
        b'"image","label"\n"a.png","cat"\n"b.png","dog"\n',
        b"image,label,\na.png,cat,\nb.png,dog,,\n",
        b"image,label\na.png,cat\0\nb.png,dog\n",
    ],
)
def test_tables_are_read_however_they_were_saved(read, content):
    rows, skipped = read(content)
    assert rows.columns.tolist() == ["image", "label"] and rows.to_numpy().tolist() == WANTED and skipped.empty


def test_values_stay_texts_and_missing_ones_are_empty(read):
    rows, _ = read(b'image,label,note\n007,NA,"a, b"\n1e5,nan\n"line\nbreak",0.10,None\n')
    assert rows.to_numpy().tolist() == [["007", "NA", "a, b"], ["1e5", "nan", ""], ["line\nbreak", "0.10", "None"]]


def test_rows_of_too_many_values_and_prose_are_findings(read):
    rows, skipped = read(b"image,label\na.png,cat\nc.png,cat,left,eye\nb.png,dog\n")
    assert rows.to_numpy().tolist() == WANTED
    assert skipped.to_numpy().tolist() == [["skipped_line", "", "", "labels.csv: c.png cat left eye"]]
    rows, skipped = read(
        b"Truth data:\n\na  cat\n b dog  9 9\nThe end\n",
        separator="whitespace",
        columns=["image", "label"],
        rows=r"\s*\w\s",
    )
    assert rows.to_numpy().tolist() == [["a", "cat"]]
    assert skipped["detail"].tolist() == ["labels.csv: Truth data:", "labels.csv: The end", "labels.csv: b dog 9 9"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has no row; expected a line of headers, then rows"),
        (b"\n\n", "has no row"),
        (b"image,label\n", "has no row"),
        (b"a.png,cat\nb.png,dog\n", "has no column 'image'; its columns are: a.png, cat"),
        (b"Image,label\na.png,cat\n", "has no column 'image'; its columns are: Image, label"),
        (b"image;label\na.png;cat\n", "has no column 'image'; its columns are: image;label"),
        (b"image,image\na.png,cat\n", "has several columns 'image'"),
        (b"\xff\xfei\0m\0a\0g\0e\0", "has no column 'image'"),
        (b"image,label\n" + b'"' + b"x" * 200_000, "field larger than field limit"),
    ],
)
def test_table_without_what_is_needed_is_one_line(read, content, words):
    with pytest.raises(config.UserError) as caught:
        read(content)
    assert words in str(caught.value) and "\n" not in str(caught.value) and "labels.csv" in str(caught.value)


def test_table_that_is_not_there_is_one_line(tmp_path):
    for name in ("absent.csv", "."):
        with pytest.raises(
            config.UserError, match="DATA must be a folder laid out as published, with that table in it"
        ):
            Table(path=name).read(tmp_path)


@pytest.fixture
def listing(tmp_path, monkeypatch):
    """`listing(files, layout, table)`: rows and findings of a folder with these files (name -> content)."""
    monkeypatch.setenv(config.DATA_VARIABLE, str(tmp_path))

    def make(files: dict[str, bytes], layout: str, table: dict | None = None):
        for name, content in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        return FilesReader(kind="files", layout=layout, table=table).listing()

    return make


def kinds(findings: pd.DataFrame) -> dict[str, list[str]]:
    return {kind: sorted(rows["image"]) for kind, rows in findings.groupby("kind")}


def test_every_file_is_a_row_or_a_finding(listing):
    names = ["in/1.png", "in/2.png", "in/3.JPG", "figure.png", "in/deep/4.png", "noending", ".hidden.png", "in/Thumbs.db",
             "__MACOSX/in/._1.png", "readme.txt", "in/.DS_Store"]  # fmt: skip
    rows, findings = listing({name: b"x" for name in names}, r"in/[^/]+\.(png|JPG)")
    inside, outside = rows[~rows["outside"]]["path"].tolist(), rows[rows["outside"]]["path"].tolist()
    assert inside == ["in/1.png", "in/2.png", "in/3.JPG"] and outside == ["figure.png", "in/deep/4.png", "noending"]
    told = kinds(findings)
    assert told["outside_layout"] == outside and sorted([*inside, *outside, *told["junk"]]) == sorted(names)


def test_table_and_folder_are_held_against_each_other(listing):
    table = b"file,label,path,identity\na,cat,x,1\nb,dog,y,2\nc,cat,z,3\nb,dog,y,2\n"
    rows, findings = listing(
        {"a.png": b"x", "b.png": b"x", "d.png": b"x", "labels.csv": table},
        r"(?P<image>\w)\.png",
        {"path": "labels.csv", "image": "file"},
    )
    assert rows["path"].tolist() == ["a.png", "b.png", "b.png"] and rows["label"].tolist() == ["cat", "dog", "dog"]
    assert kinds(findings) == {"missing_file": ["c"], "without_row": ["d.png"]} and rows["outside"].dtype == bool
    assert rows["identity"].nunique() == 2


def test_thousands_of_absent_files_are_normal_and_all_of_them_a_mistake(listing):
    rows = "".join(f"{number},0\n" for number in range(3000)).encode()
    files = {"7.png": b"x", "labels.csv": b"image,level\n" + rows}
    found, findings = listing(files, r"(?P<image>\d+)\.png", {"path": "labels.csv"})
    assert found["path"].tolist() == ["7.png"] and len(findings) == 2999 and set(findings["kind"]) == {"missing_file"}
    files["labels.csv"] = b"image,level\n" + rows.replace(b"\n7,0\n", b"\n")
    with pytest.raises(
        config.UserError,
        match="none of the 2999 images .* is there: its column 'image' holds '0', '1' and 2,997 more",
    ):
        listing(files, r"(?P<image>\d+)\.png", {"path": "labels.csv"})


@pytest.mark.parametrize(
    ("group", "names"),
    [(r"(?P<image>[^/]+)\.jpg", ["a.jpg", "b.v2.JPG", "c.png"]), (r"(?P<image>[^/]+\.jpg)", ["a", "b.v2", "c"])],
)
def test_names_are_found_with_and_without_their_ending(listing, group, names):
    table = "".join(f"{name},{label}\n" for name, label in zip(names, "xyz", strict=True))
    files = {"photos/a.jpg": b"x", "photos/b.v2.jpg": b"x", "labels.csv": f"file,label\n{table}".encode()}
    rows, findings = listing(files, f"photos/{group}", {"path": "labels.csv", "image": "file"})
    assert rows[["path", "label"]].to_numpy().tolist() == [["photos/a.jpg", "x"], ["photos/b.v2.jpg", "y"]]
    assert kinds(findings) == {"missing_file": ["c"]}


def test_two_images_of_one_name_are_told_apart_or_refused(listing):
    files = {"a.jpg": b"x", "a.png": b"x", "labels.csv": b"image,label\na,x\n"}
    with pytest.raises(
        config.UserError, match="'a.jpg' and 'a.png' are one name in labels.csv, which gives no endings"
    ):
        listing(files, r"(?P<image>.*\.(jpg|png))", {"path": "labels.csv"})
    files["labels.csv"] = b"image,label\na.jpg,x\na.png,y\n"
    rows, _ = listing(files, r"(?P<image>.*\.(jpg|png))", {"path": "labels.csv"})
    assert rows["label"].tolist() == ["x", "y"]


def test_links_are_told_and_what_is_no_file_is_passed_over(listing, tmp_path):
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / "gone.png").symlink_to("nowhere")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    rows, findings = listing({"1.png": b"x"}, r".*\.png")
    assert rows["path"].tolist() == ["1.png", "gone.png"]
    assert dict(zip(findings["kind"], findings["detail"], strict=True)) == {
        "empty_folder": "empty",
        "unreadable": "loop: a link to a folder is not followed",
    }


def test_folder_that_the_system_does_not_list_is_told(listing, tmp_path, monkeypatch):
    real = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    _, findings = listing({"1.png": b"x", "closed/2.png": b"x"}, r".*\.png")
    assert findings[["kind", "detail"]].to_numpy().tolist() == [
        ["unreadable", "closed: the system does not list this folder"]
    ]


def test_name_that_is_no_text_is_told(listing, tmp_path):
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"x")
    except OSError as error:
        pytest.skip(f"this file system refuses such names: {error}")
    rows, findings = listing({"1.png": b"x"}, r".*\.png")
    assert rows["path"].tolist() == ["1.png"] and kinds(findings) == {"unreadable": ["caf\\udce9.png"]}


ARRAYS = {
    f"{part}_{name}": values
    for part, size in {"train": 12, "val": 4, "test": 4}.items()
    for name, values in {
        "images": np.arange(size * 784, dtype=np.uint32).reshape(size, 28, 28).astype(np.uint8),
        "labels": (np.arange(size) % 2)[:, None],
    }.items()
}


@pytest.fixture
def npz(tmp_path, monkeypatch):
    """`npz(**changes)`: the card of a MedMNIST file with these arrays; None leaves one out."""

    def make(**changes) -> cards.Card:
        arrays = {name: values for name, values in (ARRAYS | changes).items() if values is not None}
        np.savez(tmp_path / "mine.npz", **arrays)
        monkeypatch.setenv(config.DATA_VARIABLE, str(tmp_path / "mine.npz"))
        return cards.load("medmnist")

    return make


def test_array_file_gives_images_labels_and_parts(npz, tmp_path, monkeypatch):
    card = npz()
    for place in (tmp_path / "mine.npz", tmp_path):
        monkeypatch.setenv(config.DATA_VARIABLE, str(place))
        rows, findings = cards.load("medmnist").rows()
        assert rows["path"].tolist()[::12] == ["mine.npz/train/00000", "mine.npz/val/00000"] and findings.empty
        assert rows["official"].value_counts().to_dict() == {"train": 12, "val": 4, "test": 4}
    assert card.classes == ["0", "1"] and rows["label"].tolist() == [0, 1] * 10 and rows["identity"].nunique() == 20
    np.testing.assert_array_equal(decode.decode(card.read("mine.npz/val/00001")).pixels, ARRAYS["val_images"][1])
    for absent in ("mine.npz/val/00004", "mine.npz/dev/00000", "mine.npz/val/x"):
        with pytest.raises(FileNotFoundError):
            card.read(absent)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"val_labels": None}, "has val_images without val_labels; one label an image is needed"),
        ({"val_labels": np.zeros((4, 14))}, "val_images of shape (4, 28, 28), val_labels of shape (4, 14)"),
        ({"val_labels": np.zeros(3)}, "one label an image is needed"),
        ({"val_images": np.array(7)}, "val_images of shape ()"),
        ({"val_labels": np.array(["a", None, 1, 2], dtype=object)}, "is no .npz file of plain arrays"),
        ({name: None for name in ARRAYS} | {"x": np.zeros(2)}, "has no array <part>_images; its arrays are: 'x'"),
        (
            {f"{part}_labels": np.zeros(size) for part, size in (("train", 12), ("val", 4), ("test", 4))},
            "one class only (0.0)",
        ),
        (
            {"extra_images": np.zeros((1, 28, 28)), "extra_labels": np.zeros(1)},
            "published part 'extra' is not in the card",
        ),
    ],
)
def test_array_file_without_what_is_needed_is_one_line(npz, changes, words):
    with pytest.raises(config.UserError) as caught:
        npz(**changes).rows()
    assert words in str(caught.value) and "\n" not in str(caught.value)


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


PICKLED = saved(np.array([{}], dtype=object))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut", saved(np.arange(3)), PICKLED])
def test_file_that_is_no_archive_is_one_line(tmp_path, monkeypatch, content):
    (tmp_path / "mine.npz").write_bytes(content)
    monkeypatch.setenv(config.DATA_VARIABLE, str(tmp_path / "mine.npz"))
    with pytest.raises(config.UserError, match=r"mine.npz is no .npz file of plain arrays") as caught:
        cards.load("medmnist").rows()
    assert "\n" not in str(caught.value)


def test_array_that_would_fill_the_memory_is_refused_from_its_header(npz, monkeypatch):
    card = npz()
    monkeypatch.setattr("lib.readers.arrays.MOST_ARRAY_BYTES", 1000)
    with pytest.raises(config.UserError, match="train_images.npy would take .* bytes, more than 1,000"):
        NpzReader(kind="npz").listing()
    assert card.name == "medmnist"


@pytest.mark.parametrize("names", [[], ["a.npz", "b.npz"]])
def test_folder_with_none_or_several_archives_is_one_line(tmp_path, monkeypatch, names):
    for name in names:
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setenv(config.DATA_VARIABLE, str(tmp_path))
    with pytest.raises(
        config.UserError, match=f"must hold one .npz file, or be one; found: {', '.join(names) or 'none'}"
    ):
        cards.load("medmnist").rows()


def test_no_data_says_how_to_name_it(monkeypatch):
    monkeypatch.delenv(config.DATA_VARIABLE, raising=False)
    with pytest.raises(config.UserError, match="DATA is missing: name the .npz file"):
        cards.load("medmnist")


def test_array_file_for_a_card_of_files_is_one_line(npz):
    npz()
    with pytest.raises(config.UserError, match=r"mine.npz is no folder; DATA must be laid out as published"):
        cards.load("cats_and_dogs").rows()
