"""The tables and the archive of the generated data sets say what was planted in them."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest

from tests.data import mammograms_dicom, medmnist
from tests.data.looking import contents, thumbnail

pytestmark = pytest.mark.filterwarnings("error")


def test_table_of_diabetic_retinopathy(planted):
    tree = planted("diabetic_retinopathy")
    rows = list(csv.reader(io.StringIO((tree.folder / "trainLabels.csv").read_text())))
    assert rows[0] == ["image", "level"]
    assert sum(len(row) != 2 for row in rows) == len(tree.defects["skipped_line"])
    named = [f"train/{row[0]}.jpeg" for row in rows[1:] if len(row) == 2]
    held = {path for path in contents(tree.folder) if path.startswith("train/")}
    assert {Path(path).stem for path in set(named) - held} == tree.defects["missing_file"]
    assert held - set(named) == tree.defects["without_row"]
    labels = {path: [row[1] for row in rows if f"train/{row[0]}.jpeg" == path] for path in held}
    kinds = ("repeated_row", "label_conflict", "missing_label", "unknown_label")
    of = {kind: [labels[path] for path in tree.defects[kind] if path in labels] for kind in kinds}
    assert of["repeated_row"] == [["0", "0"]] and of["label_conflict"] == [["0", "4"]]
    assert of["missing_label"] == [[""]] and of["unknown_label"] == [["7"]]
    assert labels[tree.unusual["label with spaces"]] == [" 2 "]
    headless = (planted("diabetic_retinopathy headless").folder / "trainLabels.csv").read_text()
    assert headless.startswith("10_left,0\n")


def test_table_of_mammograms(planted):
    tree = planted("mammograms")
    lines = (tree.folder / "Info.txt").read_text().splitlines()
    rows = [line.split() for line in lines if re.match(r"mdb\d{3} ", line)]
    assert not lines[0].startswith("mdb") and all(line.startswith("mdb") for line in lines[-len(rows) :])
    classes = {f"{number}.pgm": [row[2:4] for row in rows if row[0] == number] for number in {row[0] for row in rows}}
    (conflict,), (repeated,) = tree.defects["label_conflict"], tree.defects["repeated_row"]
    assert [kind[0] for kind in classes[conflict]] == ["NORM", "SPIC"]
    assert len([line for line in lines if line.startswith(repeated[:6])]) == 2
    assert len({line for line in lines if line.startswith(repeated[:6])}) == 1
    held = {path for path in contents(tree.folder) if path.endswith(".pgm")}
    assert held - set(classes) == tree.defects["without_row"]
    assert {path.removesuffix(".pgm") for path in set(classes) - held} == tree.defects["missing_file"]
    assert any(
        len(kinds) == 2 and kinds[0] == kinds[1] != ["NORM"] for path, kinds in classes.items() if path != conflict
    )


def test_table_of_dicom_mammograms(planted):
    tree = planted("mammograms_dicom")
    rows = list(csv.DictReader(io.StringIO((tree.folder / "INbreast.csv").read_text()), delimiter=";"))
    assert ";".join(rows[0]) == mammograms_dicom.HEADER
    labels = {}
    for row in rows:
        labels.setdefault(row["File Name"], []).append(row["Bi-Rads"])
    held = {Path(path).name.split("_")[0].removesuffix(".dcm"): path for path in contents(tree.folder) if "dcm" in path}
    assert {held[number] for number in set(held) - set(labels)} == tree.defects["without_row"]
    assert set(labels) - set(held) == tree.defects["missing_file"]
    assert {held[number] for number, given in labels.items() if given == ["7"]} == tree.defects["unknown_label"]
    assert {held[number] for number, given in labels.items() if given == ["  "]} == tree.defects["missing_label"]
    assert {held[number] for number, given in labels.items() if given == ["1", "5"]} == tree.defects["label_conflict"]
    patients = {path.split("_")[1] for path in held.values() if "_" in path}
    assert len(patients) >= mammograms_dicom.PATIENTS


def test_archive_of_medmnist(planted):
    tree, short, colour = (planted(name) for name in ("medmnist", "medmnist short", "medmnist colour"))
    arrays, lengths, colours = (dict(np.load(each.folder / medmnist.NAME)) for each in (tree, short, colour))
    assert list(arrays) == [f"{part}_{what}" for part in medmnist.SIZES for what in ("images", "labels")]
    assert all(array.dtype == np.uint8 for array in arrays.values())
    assert arrays["train_images"].shape[1:] == (28, 28) and arrays["train_labels"].shape[1:] == (1,)

    def of(path: str, what: str = "images") -> np.ndarray:
        _, part, row = path.split("/")
        return arrays[f"{part}_{what}"][int(row)]

    assert all(np.array_equal(*(of(path) for path in both)) for both in tree.defects["copy_of_bytes"])
    for both in tree.defects["label_conflict"]:
        assert np.array_equal(*(of(path) for path in both)) and len({of(path, "labels").item() for path in both}) == 2
    assert all(
        np.prod([thumbnail(of(path)) for path in both], axis=0).mean() > 0.9 for both in tree.defects["near_copy"]
    )
    assert len(lengths["val_images"]) == len(lengths["val_labels"]) + 1
    assert colours["test_images"].shape == (30, 28, 28, 3)
