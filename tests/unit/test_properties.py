"""Planted shortcuts are told, properties that say nothing are not, and odd columns break nothing."""

import numpy as np
import pandas as pd
import pytest

from lib import properties

pytestmark = pytest.mark.filterwarnings("error")


def files(seed=1, images=400, classes=2):
    """A development table of 40 groups in which nothing tells the label."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, images)
    table = pd.DataFrame(
        {
            "path": [f"pictures/cell{row}.png" for row in range(images)],
            "brightness": generator.normal(130, 20, images),
            "contrast": generator.gamma(9, 4, images),
            "sharpness": generator.lognormal(5, 0.8, images),
            "bytes": generator.integers(20000, 50000, images),
            "width": 300,
            "height": 300,
            "mode": "L",
            "format": "PNG",
            "kind": generator.choice(["mono", "poly"], images),
        }
    ).astype({"width": "Int32", "height": "Int32", "bytes": "Int64"})
    return table, labels, np.arange(images) // 10


def told(table, labels, groups, **options):
    return properties.association(properties.described(table, ["kind"], **options), labels, groups, seeds=[7])


@pytest.mark.parametrize("classes", [2, 3])
def test_properties_that_say_nothing(classes):
    table, labels, groups = files(classes=classes)
    found = told(table, labels, groups)
    assert found.findings().empty
    assert 0.4 < found.together.value < 0.6
    assert set(found.alone) == {"brightness", "contrast", "sharpness", "bytes", "kind"}
    assert set(found.constant) == {"width", "height", "aspect", "mode", "format", "name pattern"}
    assert max(found.strength.values()) < 0.2


@pytest.mark.parametrize(
    ("column", "plant"),
    [
        ("bytes", lambda table, one: table["bytes"] + 20000 * one),
        ("width", lambda table, one: table["width"] + 20 * one),
        ("mode", lambda table, one: np.where(one, "RGB", "L")),
        ("kind", lambda table, one: np.where(one, "mono", "poly")),
    ],
)
def test_a_planted_shortcut_is_told(column, plant):
    table, labels, groups = files(2)
    table[column] = plant(table, (labels == 1) & (np.arange(400) % 10 > 1))
    found = told(table, labels, groups)
    assert found.table().loc[0, "property"] in (column, "aspect")
    assert found.alone[column].value > 0.8 and found.strength[column] > 0.5
    said = found.findings()
    assert set(said["kind"]) == {"shortcut"} and said["detail"].str.startswith(f"{column}: ").any()
    assert said["detail"].str.startswith("all of file and picture: ").any()
    assert said["detail"].str.startswith("all of the file: ").any()
    assert not said["detail"].str.startswith("all of the picture: ").any()
    assert found.table().set_index("property").loc[column, ["of", "shortcut"]].tolist() == ["file", True]


def test_the_file_and_the_picture_are_told_apart():
    table, labels, groups = files(8)
    found = told(table.assign(contrast=table["contrast"] + 30 * labels), labels, groups)
    assert found.picture.value > 0.8 and found.together.value > 0.8
    assert found.file.interval()[0] < 0.6 and 0.4 < found.file.value < 0.6
    rows = found.table().set_index("property")
    assert rows["of"].to_dict() == {
        "contrast": "picture", "brightness": "picture", "sharpness": "picture", "bytes": "file", "kind": "file",
    }  # fmt: skip
    assert rows["shortcut"].tolist() == [True, False, False, False, False]
    flat = told(table.assign(bytes=30000, kind="mono"), labels, groups)
    assert flat.file.reason == "no property of the file varies" and flat.picture.value < 0.6


def test_what_is_surely_above_chance_is_no_shortcut_yet():
    """A property with a true AUC of about 0.57: told better than by chance, and less well than a shortcut."""
    labels, groups = np.random.default_rng(9).integers(0, 2, 4000), np.arange(4000) // 10
    sizes = np.random.default_rng(10).normal(30000 + 1250 * labels, 5000)
    found = properties.association(pd.DataFrame({"bytes": sizes}), labels, groups, seeds=[7])
    assert 0.5 < found.file.interval()[0] < found.file.interval()[1] < 0.6
    assert found.findings().empty and not found.table()["shortcut"].any()


def test_a_middle_that_differs_from_both_ends_is_told():
    table, labels, groups = files(3)
    table["brightness"] = np.where(labels == 1, 130, np.where(np.arange(400) % 2, 90, 170)) + table["contrast"] / 4
    assert told(table, labels, groups).alone["brightness"].value > 0.9


def test_names_and_folders_are_properties_of_files():
    table, labels, groups = files(4)
    table["path"] = [f"a/{'person' if one else 'IM-'}{row}.png" for row, one in enumerate(labels)]
    found = told(table, labels, groups, source=pd.Series(np.where(labels == 1, "north", "south")))
    assert found.alone["name pattern"].value == 1 and found.alone["source"].value == 1
    assert "source" not in properties.described(table)
    pattern = properties.described(table.assign(path="x.1/train/person12_bacteria_45.jpeg"))["name pattern"]
    assert set(pattern) == {"person#_bacteria_#"}


def test_groups_that_can_be_recognised_but_not_their_label():
    """A size a group, labels a group: nothing to be learned for groups that were not seen."""
    table, _, groups = files(5)
    rates = np.random.default_rng(5).random(40)
    labels = (np.random.default_rng(6).random(400) < rates[groups]).astype(int)
    table["width"] = 300 + groups * 7 % 40
    assert told(table, labels, groups).alone["width"].interval()[0] < 0.6


@pytest.mark.parametrize(
    "values",
    [
        [300.0] * 399 + [3000.0],
        np.random.default_rng(1).lognormal(15, 2, 400),
        np.random.default_rng(2).standard_cauchy(400) * 1e6,
        np.where(np.arange(400) % 3, np.nan, np.arange(400)),
    ],
)
def test_odd_numbers_break_nothing(values):
    table, labels, groups = files(6)
    found = told(table.assign(brightness=values), labels, groups)
    assert 0 <= found.alone["brightness"].value <= 1


def test_rare_and_missing_values_break_nothing():
    table, labels, groups = files(7)
    table["kind"] = [f"{row}" if row % 2 else None for row in range(400)]
    table["path"] = [f"{chr(97 + row % 26)}{chr(97 + row // 26)}.png" for row in range(400)]
    found = told(table, labels, groups)
    assert found.alone["name pattern"].value == pytest.approx(0.5)
    assert found.alone["kind"].value < 0.6


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda table, labels, groups: (table, labels * 0, groups),
            "the 400 images are of one class, or without labels",
        ),
        (lambda table, labels, groups: (table, labels, groups // 10), "4 groups for 5 folds"),
    ],
)
def test_what_cannot_be_told_has_a_reason(change, reason):
    found = told(*change(*files()))
    assert reason in found.together.reason and found.by("brightness") == found.together and found.findings().empty


def test_no_property_that_varies():
    table, labels, groups = files()
    found = properties.association(properties.described(table)[["width", "mode"]], labels, groups)
    assert (
        found.together == found.file == found.picture
        and "no property varies" in found.file.reason
        and found.constant == ("width", "mode")
    )


def test_normality():
    generator = np.random.default_rng(1)
    table = pd.DataFrame({"even": generator.normal(9, 1, 2000), "skewed": generator.lognormal(3, 1, 2000)})
    table = table.assign(constant=5.0, gaps=np.nan)
    table.loc[:99, "gaps"] = np.arange(100.0) ** 3
    found = properties.normality(table).set_index("property")
    assert found.index.tolist() == ["skewed", "gaps", "even"]  # the most skewed first; a constant has no shape
    assert found.loc["skewed", "skewness"] > 2 and abs(found.loc["skewed", "skewness after"]) < 0.1
    assert abs(found.loc["skewed", "exponent"]) < 0.2 and found.loc["skewed", "about"] == "logarithm"
    assert abs(found.loc["even", "skewness after"]) < 0.1
