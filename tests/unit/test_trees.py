"""The generated data sets are what they claim; checked with Pillow, pydicom, NumPy and csv, never with the library."""

import io
import re
from pathlib import Path

import numpy as np
import pydicom
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.data import TREES, Planted, files
from tests.data.looking import (
    contents,
    grey,
    is_misnamed,
    is_too_large,
    is_truncated,
    opened,
    pixels,
    properties,
    thumbnail,
)
from tests.data.planted import pair

BROKEN = {"truncated", "empty_file", "lfs_pointer", "not_an_image", "too_large", "unsupported", "unreadable", "junk"}
OUTLIERS = ["outlier_brightness", "outlier_contrast", "outlier_sharpness", "outlier_size", "outlier_aspect"]
COPIES = {"copy_of_bytes", "copy_of_pixels", "near_copy", "repeated_series"}
OTHER = {"wrong_extension", "blank", "no_group", "outside_layout", "repeated_tree", "label_conflict", "across_parts"}
TABLES = {
    "missing_file",
    "without_row",
    "repeated_row",
    "skipped_line",
    "missing_label",
    "unknown_label",
}
KINDS = BROKEN | {"empty_folder"} | set(OUTLIERS) | COPIES | OTHER | TABLES | {"imbalance", "shortcut", "label_error"}
LAYOUTS = {
    "chest_xray": r"(train|test|val)/(NORMAL|PNEUMONIA)/((person\d+_(bacteria|virus)|(NORMAL2-)?IM-\d{4})[-_]\d+)\.jpeg",
    "diabetic_retinopathy": r"train/\d+_(left|right)\.jpeg|trainLabels\.csv",
    "cats_and_dogs": r"PetImages/(Cat|Dog)/\d+\.jpg|readme\[1\]\.txt|MSR-LA - 3467\.docx",
    "mammograms": r"mdb\d{3}\.pgm|Info\.txt",
    "mammograms_dicom": r"AllDICOMs/\d{8}_[0-9a-f]{16}_MG_[RL]_(CC|ML)_ANON\.dcm|INbreast\.csv",
    "medmnist": r"pneumoniamnist\.npz",
    "nih_unlabelled": r"images_\d{3}/images/\d{8}_\d{3}\.png|Data_Entry_2017\.csv|train_val_list\.txt",
    "folder": r"(cats|dogs)/\d{3}\.png",
}
pytestmark = pytest.mark.filterwarnings("error")


def paths(tree: Planted) -> dict[str, set[str]]:
    """Kind -> the single paths planted, without those of an archive, of absent files and of names that are no text."""
    return {
        kind: {
            thing for thing in things if isinstance(thing, str) and thing and ".npz/" not in thing and "\\" not in thing
        }
        for kind, things in tree.defects.items()
        if kind != "missing_file"
    }


CHECKS = {
    "empty_file": lambda path, data: data == b"",
    "lfs_pointer": lambda path, data: data.startswith(b"version https://git-lfs") and len(data.splitlines()) == 3,
    "not_an_image": lambda path, data: data.startswith(b"<!DOCTYPE"),
    "truncated": lambda path, data: is_truncated(data),
    "too_large": lambda path, data: is_too_large(data),
    "unsupported": lambda path, data: pydicom.dcmread(io.BytesIO(data)).file_meta.TransferSyntaxUID.is_compressed,
    "wrong_extension": is_misnamed,
    "blank": lambda path, data: pixels(data).std() == 0,
    "junk": lambda path, data: Path(path).name.startswith("._") or Path(path).name in files.JUNK,
}


@pytest.mark.parametrize("name", TREES)
def test_the_same_seed_gives_the_same_bytes(name, planted, tmp_path):
    first, again, other = planted(name), TREES[name](tmp_path / "again", 7), TREES[name](tmp_path / "other", 8)
    assert contents(first.folder) == contents(again.folder)
    assert (first.images, first.defects, first.unusual) == (again.images, again.defects, again.unusual)
    assert contents(first.folder) != contents(other.folder) or first.images == 0


@pytest.mark.parametrize("name", TREES)
def test_planted_files_are_what_they_claim(name, planted):
    tree = planted(name)
    for kind, things in paths(tree).items():
        for path in things:
            file = tree.folder / path
            assert file.is_symlink() or file.exists(), (kind, path)
            if kind in CHECKS:
                assert CHECKS[kind](path, file.read_bytes()), (kind, path)
    assert "medmnist" in name or all((tree.folder / path).exists() for path in tree.unusual.values())


def test_every_kind_is_planted_and_no_other(planted):
    assert {kind for name in TREES if "undecodable" not in name for kind in planted(name).defects} == KINDS


@pytest.mark.parametrize("name", TREES)
def test_whatever_is_not_broken_decodes(name, planted):
    tree = planted(name)
    broken = set().union(*(things for kind, things in paths(tree).items() if kind in BROKEN))
    suffixes = {".png", ".jpg", ".jpeg", ".pgm", ".dcm", ".PNG"}
    whole = {path: data for path, data in contents(tree.folder).items() if path not in broken}
    assert all(pixels(data).size for path, data in whole.items() if Path(path).suffix in suffixes)


@pytest.mark.parametrize("name", LAYOUTS)
def test_clean_trees_have_the_layout_and_distinct_images(name, planted):
    tree = planted(f"{name} clean")
    found = contents(tree.folder)
    assert tree.defects == {}
    assert [path for path in found if not re.fullmatch(LAYOUTS[name], path)] == []
    if name != "medmnist":
        images = {
            data for path, data in found.items() if Path(path).suffix in (".png", ".jpg", ".jpeg", ".pgm", ".dcm")
        }
        assert len(images) == tree.images >= 60


@pytest.mark.parametrize(
    "name", ["chest_xray leaks", *(name for name in LAYOUTS if name not in ("chest_xray", "medmnist"))]
)
def test_only_planted_copies_resemble_each_other(name, planted):
    tree = planted(name)
    excluded = set().union(*(things for kind, things in paths(tree).items() if kind in BROKEN | {"blank"}))
    suffixes = (".png", ".jpg", ".jpeg", ".pgm", ".dcm")
    images = {p: grey(d) for p, d in contents(tree.folder).items() if p not in excluded and Path(p).suffix in suffixes}
    small = np.stack([thumbnail(image) for image in images.values()])
    alike = np.argwhere(np.triu(small @ small.T / small.shape[1] > 0.85, 1))
    named = list(images)
    kinds = COPIES | {"label_conflict"}
    wanted = {thing for kind in kinds for thing in tree.defects.get(kind, ()) if isinstance(thing, frozenset)}
    assert {pair(named[first], named[second]) for first, second in alike} == wanted
    assert len(wanted) >= 3


@pytest.mark.parametrize("name", TREES)
def test_exact_copies_are_exact(name, planted):
    tree = planted(name)
    for kind in ("copy_of_bytes", "copy_of_pixels"):
        for both in tree.defects.get(kind, ()):
            if any(".npz/" in path for path in both):
                continue
            first, second = ((tree.folder / path).read_bytes() for path in both)
            assert (first == second) == (kind == "copy_of_bytes")
            assert np.array_equal(pixels(first), pixels(second))


def test_the_nested_tree_has_one_image_more(planted):
    tree = planted("chest_xray")
    found = contents(tree.folder)
    nested = {path.removeprefix("chest_xray/"): data for path, data in found.items() if path.startswith("chest_xray/")}
    new = {path for path, data in nested.items() if found.get(path) != data}
    assert new == {"val/NORMAL/IM-9999-0001.jpeg", "train/NORMAL/.DS_Store"}
    assert len(nested) == tree.images + 2


@pytest.mark.parametrize("kind", OUTLIERS)
def test_outliers_lie_far_out(kind, planted):
    tree = planted("cats_and_dogs")
    good = np.array(
        [properties(data) for path, data in contents(tree.folder).items() if re.search(r"/\d\d?\.jpg", path)]
    )
    (path,) = tree.defects[kind]
    column = OUTLIERS.index(kind)
    middle = np.median(good, axis=0)
    scale = 1.4826 * np.median(np.abs(good - middle), axis=0)
    assert len(good) == tree.images
    assert (np.abs(good - middle) / scale).max() < 4
    assert abs((properties((tree.folder / path).read_bytes()) - middle) / scale)[column] > 8


def test_unusual_files_are_unusual(planted):
    tree, films = planted("folder"), planted("mammograms")
    image = {kind: opened(tree.folder / path) for kind, path in tree.unusual.items()}
    modes = {"sixteen_bit": "I;16", "palette": "P", "rgba": "RGBA", "cmyk": "CMYK", "rotated": "L"}
    assert {kind: picture.mode for kind, picture in image.items()} == modes
    assert image["rotated"].getexif()[0x0112] == files.ROTATED
    upright = pixels(files.rotated(np.arange(48 * 64, dtype=np.uint8).reshape(48, 64)))
    assert upright.shape == (48, 64)
    assert opened(films.folder / films.unusual["sixteen_bit_pgm"]).mode.startswith("I")


def test_the_inverted_twin_shows_the_same_picture(planted):
    tree = planted("mammograms_dicom")
    (twin,) = (both for both in tree.defects["near_copy"] if tree.unusual["inverted"] in both)
    shown = [pixels((tree.folder / path).read_bytes()).astype(int) for path in twin]
    assert abs(shown[0] - shown[1]).max() <= 1
    assert len({pydicom.dcmread(tree.folder / path).PhotometricInterpretation for path in twin}) == 2
    windowed = pydicom.dcmread(tree.folder / tree.unusual["windowed"])
    assert (windowed.RescaleSlope, windowed.RescaleIntercept, windowed.WindowWidth) == (2, -1024, 4096)


def test_variants_of_the_folder_tree(planted):
    hostile = [path.name for path in planted("folder hostile").folder.rglob("*.png")]
    assert {"line\nbreak.png", "-leading-dash.png", "<img src=x onerror=alert(1)>&amp;.png", 'double"quote.png'} <= set(
        hostile
    )
    assert list((planted("folder empty_class").folder / "birds").iterdir()) == []
    links = planted("folder links").folder
    assert (links / "cats" / "loop").resolve() == links.resolve()
    assert not (links / "cats" / "linked.png").resolve().is_relative_to(links.resolve())
    counts = [len(list((planted("folder imbalanced").folder / name).iterdir())) for name in ("cats", "dogs")]
    assert counts == [8, 96]
    formats = {
        name: {path.suffix for path in (planted("folder shortcut").folder / name).iterdir()}
        for name in ("cats", "dogs")
    }
    assert formats == {"cats": {".png"}, "dogs": {".jpg"}}


@pytest.mark.parametrize(
    ("name", "positive"), [("chest_xray", "PNEUMONIA"), ("cats_and_dogs", "Dog"), ("folder", "dogs")]
)
def test_pictures_tell_the_class_and_file_sizes_do_not(name, positive, planted):
    found = contents(planted(f"{name} clean").folder)
    images = {path: data for path, data in found.items() if path.endswith((".png", ".jpg", ".jpeg"))}
    labels = np.array([positive in path for path in images])
    shown = [thumbnail(grey(data)).reshape(8, 8, 8, 8).mean(axis=(1, 3)).ravel() for data in images.values()]
    told = {"picture": np.array(shown), "size": np.array([[len(data)] for data in images.values()])}
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
    votes = {what: cross_val_predict(model, x, labels, cv=5, method="decision_function") for what, x in told.items()}
    assert roc_auc_score(labels, votes["picture"]) > 0.9
    assert abs(roc_auc_score(labels, votes["size"]) - 0.5) < 0.2


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("chest_xray", r"train/NORMAL/(.*)-\d{4}\.jpeg"),
        ("chest_xray", r"train/PNEUMONIA/(person\d+)_"),
        ("diabetic_retinopathy", r"train/(\d+)_"),
        ("mammograms_dicom", r"_([0-9a-f]{16})_"),
        ("nih_unlabelled", r"(\d{8})_"),
    ],
)
def test_there_are_enough_patients_with_several_images(name, patient, planted):
    found = re.findall(patient, "\n".join(contents(planted(f"{name} clean").folder)))
    assert len(set(found)) >= 16
    assert min(found.count(one) for one in set(found)) >= 2
