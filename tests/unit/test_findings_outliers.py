"""Odd images are found among even ones; skewed and heavy-tailed properties do not raise a flood of alarms."""

import numpy as np
import pandas as pd
import pytest

from lib.findings.outliers import distances, outliers

pytestmark = pytest.mark.filterwarnings("error")


def manifest(seed=1, images=1000, **changes):
    generator = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "path": [f"{row}.png" for row in range(images)],
            "brightness": generator.normal(130, 20, images),
            "contrast": generator.gamma(9, 4, images),
            "sharpness": generator.lognormal(5, 0.8, images),
            "width": np.full(images, 300),
            "height": np.full(images, 300),
        }
    ).astype({"width": "Int32", "height": "Int32"})
    for column, (row, value) in changes.items():
        table.loc[row, column] = value
    return table


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"brightness": (4, 3.1)}, "outlier_brightness", "brightness 3.1, 95 % lie between "),
        ({"brightness": (4, 251.0)}, "outlier_brightness", "brightness 251.0, "),
        ({"contrast": (4, 120.0)}, "outlier_contrast", "contrast 120.0, "),
        ({"sharpness": (4, 0.0)}, "outlier_sharpness", "sharpness 0.0, "),
        ({"sharpness": (4, 30000.0)}, "outlier_sharpness", "sharpness 30000.0, "),
        ({"width": (4, 150), "height": (4, 150)}, "outlier_size", "size 22,500 pixels, nearly all have 90,000 pixels"),
    ],
)
def test_one_planted_outlier_is_the_farthest_of_its_kind(changes, kind, said):
    found = outliers(manifest(**changes))
    first = found[found["kind"] == kind].iloc[0]
    assert first["image"] == "4.png" and first["detail"].startswith(said)
    assert len(found) <= 8


def test_an_odd_shape_of_the_same_size_is_found():
    found = outliers(manifest(width=(7, 600), height=(7, 150)))
    assert found.loc[found["kind"] == "outlier_aspect", ["image", "detail"]].to_numpy().tolist() == [
        ["7.png", "aspect 4.00, nearly all have 1.00"]
    ]
    assert "outlier_size" not in set(found["kind"])


def test_a_common_second_size_is_no_outlier():
    table = manifest()
    table.loc[:299, ["width", "height"]] = 512
    assert not {"outlier_size", "outlier_aspect"} & set(outliers(table)["kind"])
    table.loc[999, ["width", "height"]] = 8
    found = outliers(table)
    assert found.loc[found["kind"] == "outlier_size", "image"].tolist() == ["999.png"]


@pytest.mark.parametrize("seed", range(5))
def test_few_false_alarms(seed):
    """Normal, gamma and log-normal values: under one image in a hundred in all, at four deviations."""
    assert len(outliers(manifest(seed, 3000))) < 30


def test_many_outliers_do_not_hide_one_another():
    table = manifest()
    table.loc[:79, "brightness"] = 0.0  # 8 % of the images are black
    found = outliers(table)
    assert (found["kind"] == "outlier_brightness").sum() >= 80


def test_gaps_and_empty_manifests():
    table = manifest()
    table.loc[:9, ["brightness", "contrast", "sharpness", "width", "height"]] = None
    assert not set(outliers(table)["image"]) & {f"{row}.png" for row in range(10)}
    table[["brightness", "contrast", "sharpness", "width", "height"]] = None
    assert outliers(table).empty and outliers(table.iloc[:0]).empty


def test_distances_are_in_standard_deviations():
    values = np.random.default_rng(3).normal(10, 2, 20000)
    np.testing.assert_allclose(distances(values), np.abs(values - 10) / 2, atol=0.15)
    assert (distances(np.full(5, 3.0)) == 0).all()


def test_the_long_side_of_skewed_values_is_measured_by_itself():
    values = np.random.default_rng(4).lognormal(0, 0.5, 5000)
    one_spread = np.abs(values - 1) / (1.4826 * np.median(np.abs(values - 1)))
    assert (distances(values) > 4).mean() < 0.01 < 0.012 < (one_spread > 4).mean()
