"""Whatever the classes of test images are called and whichever they are, nothing in `data/` differs by a byte."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from lib import atomic, config, custody, splits
from lib.custody import hiding
from lib.findings import copies, frame, of_kind

EACH = {"train": 30, "val": 6, "test": 8}  # images of a class


def write(folder: Path, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    """`{train,val,test}/<class>/NNN.png`, noise from a seed: no image tells its class."""
    generator = np.random.default_rng(7)
    for part, each in EACH.items():
        for name in classes:
            (folder / part / name).mkdir(parents=True)
            for number in range(each):
                image = generator.integers(0, 256, (24, 24), dtype=np.uint8)
                cv2.imwrite(str(folder / part / name / f"{number:03d}.png"), image)
    return folder


@pytest.fixture
def prepared(tmp_path, monkeypatch):
    """`prepared(profile)`: every file that the data step leaves for the folder as it is, by its name."""
    monkeypatch.setenv(config.DATA_VARIABLE, str(write(tmp_path / "animals")))
    monkeypatch.setenv(config.BUILD_VARIABLE, str(tmp_path / "build"))
    monkeypatch.setattr(config, "profile_settings", lambda name: config.Profile(images=40 if name == "smoke" else None))

    def prepare(profile: str) -> dict[str, bytes]:
        (dataset,) = config.own_dataset()
        custody.prepare(dataset, profile)
        return {
            path.name: path.read_bytes() for path in sorted((config.book_root(dataset, profile) / "data").iterdir())
        }

    return prepare


def context(profile: str) -> config.Context:
    (dataset,) = config.own_dataset()
    return config.Context("test", dataset, profile, config.book_root(dataset, profile), Path())


def exchanged(part: Path) -> None:
    """The two class folders of a part change their names."""
    (part / "cat").rename(part / "aside")
    (part / "dog").rename(part / "cat")
    (part / "aside").rename(part / "dog")


@pytest.mark.parametrize("profile", ["smoke", "cpu"])
def test_exchanging_the_classes_of_test_images_changes_not_a_byte(prepared, tmp_path, profile):
    before = prepared(profile)
    exchanged(tmp_path / "animals" / "test")
    assert prepared(profile) == before
    exchanged(tmp_path / "animals" / "train")
    assert prepared(profile) != before


def test_so_does_moving_single_test_images_under_other_names(prepared, tmp_path):
    before = prepared("cpu")
    test = tmp_path / "animals" / "test"
    (test / "cat" / "000.png").rename(test / "aside.png")
    (test / "dog" / "005.png").rename(test / "cat" / "zzz.png")
    (test / "aside.png").rename(test / "dog" / "a.png")
    assert prepared("cpu") == before


def test_renaming_where_copies_and_bad_files_lie_too(prepared, tmp_path, monkeypatch):
    """Near copies within and across parts, let through; a cut and a blank image; a test image twice."""
    folder = tmp_path / "animals"
    (folder / "train" / "cat" / "000.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    cv2.imwrite(str(folder / "val" / "dog" / "000.png"), np.zeros((24, 24), np.uint8))
    shutil.copy(folder / "test" / "dog" / "005.png", folder / "test" / "dog" / "again.png")
    found_by_content(monkeypatch, folder)
    let_through(monkeypatch, tmp_path)
    before = prepared("cpu")
    told = custody.ledger(context("cpu"))
    assert {"near_copy", "across_parts"} <= set(told["kind"]) and told["hidden"].any()
    exchanged(folder / "test")
    assert prepared("cpu") == before


def found_by_content(monkeypatch, folder: Path) -> None:
    """Near copies between fixed images, wherever they lie."""
    pairs = [("train/cat/021.png", "train/cat/020.png"), ("test/cat/003.png", "test/cat/002.png"),
             ("train/cat/005.png", "test/cat/006.png"), ("val/dog/001.png", "test/dog/004.png")]  # fmt: skip
    content = [tuple(atomic.file_sha256(folder / path) for path in pair) for pair in pairs]

    def near(manifest: pd.DataFrame) -> pd.DataFrame:
        path = manifest.set_index("sha256")["path"]
        return frame(("near_copy", path[image], path[other], "") for image, other in content)

    def across(manifest: pd.DataFrame, part: pd.Series, _: pd.DataFrame) -> pd.DataFrame:
        place = pd.Series(part.to_numpy(), manifest["path"])
        pairs = near(manifest)
        return pairs[place[pairs["image"]].to_numpy() != place[pairs["other"]].to_numpy()].reset_index(drop=True)

    def exact(manifest: pd.DataFrame) -> pd.DataFrame:
        first = manifest.drop_duplicates("sha256").set_index("sha256")["path"]
        again = manifest[manifest["sha256"].duplicated()]
        return of_kind("copy_of_bytes", again["path"], others=first[again["sha256"]].tolist())

    monkeypatch.setattr(copies, "exact", exact)
    monkeypatch.setattr(copies, "near", near)
    monkeypatch.setattr(copies, "across", across)


def let_through(monkeypatch, tmp_path: Path, decision: str = "keep", *more: str) -> None:
    parameters = shutil.copytree(config.PARAMETERS, tmp_path / "params")
    (dataset,) = config.own_dataset()
    lines = ["kind,image,decision,reason", f"across_parts,*,{decision},as published", *more]
    (parameters / "datasets" / f"{dataset}.csv").write_text("\n".join(lines))
    monkeypatch.setattr(config, "PARAMETERS", parameters)


@pytest.mark.parametrize("profile", ["smoke", "cpu"])
@pytest.mark.parametrize("decision", ["keep", "drop"])
def test_no_name_of_a_test_image_or_of_its_copies_is_written(prepared, tmp_path, monkeypatch, profile, decision):
    folder = tmp_path / "animals"
    found_by_content(monkeypatch, folder)
    let_through(monkeypatch, tmp_path, decision)
    prepared(profile)
    root = config.book_root(*config.own_dataset(), profile) / "data"
    tables = [pd.read_parquet(root / f"{name}.parquet") for name in ("manifest", "ledger")]
    text = "\n".join([*(table.to_csv() for table in tables), (root / "data.json").read_text()])
    text += "".join(str(path.read_bytes()) for path in root.iterdir())
    assert "test/" not in text and "train/cat" in text
    pictures = custody.images(context(profile))
    real = {atomic.file_sha256(path) for path in (folder / "test").rglob("*.png")}
    assert (profile == "cpu") == bool(real & set(pictures["sha256"]))
    if decision == "drop":  # copies of test images that left the development parts
        assert "train/cat/005.png" not in text and "val/dog/001.png" not in text
    hidden = pictures[pictures["part"] == "test"]
    assert hidden[["path", "label", "level"]].isna().all(axis=None) and len(hidden)


def test_development_images_of_a_group_with_a_test_image_do_not_tell_its_name(prepared, tmp_path, monkeypatch):
    found_by_content(monkeypatch, tmp_path / "animals")
    let_through(monkeypatch, tmp_path)
    prepared("cpu")
    table = custody.images(context("cpu")).set_index("image")
    shared = table.loc["train/cat/005.png", "group"]
    assert shared.startswith("test-") and (table["group"] == shared).sum() == 2
    assert table.loc["train/cat/021.png", "group"] == "train/cat/020.png"


def test_a_folder_that_stands_in_the_test_part_twice_tells_nothing(prepared, tmp_path):
    """With the copies that are truly found."""
    test = tmp_path / "animals" / "test"
    for name in ("cat", "dog"):
        shutil.copytree(test / name, test / name / "again")
    before = prepared("cpu")
    told = custody.ledger(context("cpu"))
    repeated = told[told["kind"] == "repeated_tree"]
    assert len(repeated) == 2 * EACH["test"] and repeated["hidden"].all()
    assert b"again" not in before["ledger.parquet"] and "test/" not in told.to_csv()
    exchanged(test)
    assert prepared("cpu") == before


def test_a_training_folder_gives_way_to_its_copy_in_the_test_part(prepared, tmp_path):
    shutil.copytree(tmp_path / "animals" / "test" / "cat", tmp_path / "animals" / "train" / "cat" / "a")
    prepared("cpu")
    table = custody.images(context("cpu"))
    assert (table["part"] == "test").sum() == 2 * EACH["test"] and not table["image"].str.startswith(
        "train/cat/a"
    ).any()


def test_labels_of_test_images_contradict_nobody(prepared, tmp_path, monkeypatch):
    """Copies across parts, kept and let through: the label of the one in test is not held against the other's."""
    folder = tmp_path / "animals"
    shutil.copy(folder / "train" / "cat" / "005.png", folder / "test" / "dog" / "again.png")
    let_through(monkeypatch, tmp_path, "keep", "copy_of_bytes,*,keep,as published")
    before = prepared("cpu")
    assert "label_conflict" not in set(custody.ledger(context("cpu"))["kind"])
    exchanged(folder / "test")
    assert prepared("cpu") == before


@pytest.mark.parametrize("train", ["train", "Training"])
def test_of_two_copies_the_one_in_the_published_test_part_stays(prepared, tmp_path, train):
    folder = tmp_path / "animals"
    (folder / "train").rename(folder / train)  # before `test` in the order of names, or behind it
    shutil.copy(folder / train / "cat" / "005.png", folder / "test" / "dog" / "again.png")
    prepared("cpu")
    table = custody.images(context("cpu")).set_index("sha256")
    assert table.loc[atomic.file_sha256(folder / train / "cat" / "005.png"), "part"] == "test"


def test_part_that_is_left_without_images_is_one_line(prepared, tmp_path):
    for image in (tmp_path / "animals" / "val").rglob("*.png"):
        image.write_bytes(b"")
    with pytest.raises(config.UserError, match="no image is left for the part 'validation'; correct `official`"):
        prepared("cpu")


def test_official_parts_keep_their_use(prepared, tmp_path):
    prepared("cpu")
    table = custody.images(context("cpu"))
    place = {atomic.file_sha256(path): path.parts[-3] for path in (tmp_path / "animals").rglob("*.png")}
    parts = {part: set(rows.map(place)) for part, rows in table.groupby("part")["sha256"]}
    assert parts == {"train": {"train"}, "tuning": {"train"}, "validation": {"val"}, "test": {"test"}}
    assert set(splits.PARTS) == set(parts)


def by_hand(monkeypatch, tmp_path: Path, line: str) -> None:
    parameters = shutil.copytree(config.PARAMETERS, tmp_path / "params")
    (dataset,) = config.own_dataset()
    (parameters / "datasets" / f"{dataset}.csv").write_text(f"kind,image,decision,reason\n{line}\n")
    monkeypatch.setattr(config, "PARAMETERS", parameters)


def test_a_person_may_decide_on_a_test_image_by_its_path(prepared, tmp_path, monkeypatch):
    by_hand(monkeypatch, tmp_path, "manual,test/cat/003.png,drop,a finger is in it")
    prepared("cpu")
    gone = atomic.file_sha256(tmp_path / "animals" / "test" / "cat" / "003.png")
    table = custody.images(context("cpu"))
    assert gone not in set(table["sha256"]) and (table["part"] == "test").sum() == 15


@pytest.mark.parametrize("path", ["test/003.png", "test/cats/003.png"])
def test_what_is_said_of_a_misspelt_decision_names_no_test_image(prepared, tmp_path, monkeypatch, path):
    by_hand(monkeypatch, tmp_path, f"manual,{path},drop,why")
    with pytest.raises(config.UserError, match="line 2: nothing of the kind manual was found") as caught:
        prepared("cpu")
    told = str(caught.value).replace(repr(path), "")
    assert "the nearest is 'train/cat/" in told or "test" not in told


EVERYTHING = pd.DataFrame(
    {
        "path": list("abcdef"),
        "sha256": ["1" * 64, "2" * 64, "3" * 64, "4" * 64, "5" * 64, None],
        "pixels_sha256": ["9" * 64, "9" * 64, "8" * 64, "7" * 64, None, None],
    }
)


def secrets(tested: str, development: str, *pairs: str) -> dict[str, str]:
    found = of_kind("copy_of_pixels", [pair[0] for pair in pairs], others=[pair[1] for pair in pairs])
    return hiding.secret_names(EVERYTHING, set(tested), set(development), found).to_dict()


def test_names_come_from_the_content_and_are_told_apart():
    assert secrets("ab", "c") == {"a": "test-999999999999", "b": "test-999999999999-2"}
    assert secrets("e", "c") == {"e": "test-555555555555"}


def test_whatever_is_linked_to_a_test_image_has_no_name_either():
    assert set(secrets("a", "c", "bd", "da", "ef")) == {"a", "b", "d"}


def test_development_images_keep_their_names_and_link_nothing():
    assert set(secrets("a", "b", "ab", "bc")) == {"a"}


def test_details_that_name_labels_are_left_out_on_hidden_rows():
    table = pd.DataFrame({"path": ["a", "c"], "part": ["test", "train"], "group": "g", "label": 1, "level": 2.0})
    table["row"] = [4, 7]
    decided = of_kind("label_conflict", ["a", "c"], details="labelled cat, elsewhere dog")
    shown, told = hiding.visible(table, decided, pd.Series({"a": "test-1"}))
    assert shown["row"].tolist() == [0, pd.NA]  # not 3, which would count the rows of test images
    assert told[["image", "detail", "hidden"]].to_numpy().tolist() == [
        ["c", "labelled cat, elsewhere dog", False],
        ["test-1", "", True],
    ]
    assert shown["image"].tolist() == ["c", "test-1"] and set(shown["group"]) == {"test-0000"}
