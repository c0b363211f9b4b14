"""What parts are made of."""

import pandas as pd

from lib import composition


def test_parts_are_described_by_the_shares_of_class_and_kind():
    parts = ["train"] * 4 + ["validation"] * 2
    images = pd.DataFrame({"part": parts, "label": [0, 0, 0, 1, 1, 1]})
    images = images.assign(cell_type=["mono", "poly"] * 3, age=range(6))
    found = composition.shares(images, ["sound", "broken"], ["cell_type"])
    assert found.columns.tolist() == ["train", "validation"]
    assert found.loc[("class", "broken")].tolist() == [25, 100] and found.loc[("cell type", "mono")].tolist() == [
        50,
        50,
    ]


def test_a_property_of_one_or_of_many_values_has_no_shares():
    images = pd.DataFrame({"part": "train", "label": 0, "age": range(20), "maker": "one", "kind": ["a", "b"] * 10})
    assert composition.usable(images, ["age", "maker", "kind"]) == ["kind"]
