"""What a data set says of an image becomes a class, a level, or a finding."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from lib import labels

LABELS = TypeAdapter(labels.Labels)


def resolved(said: list[str], classes: list[str], **values) -> pd.DataFrame:
    texts = pd.Series(said, dtype=str, index=range(10, 10 + len(said)))
    table = LABELS.validate_python(values).resolve(texts, classes)
    assert table.index.equals(texts.index) and table["label"].dtype == "Int16" and table["level"].dtype == float
    return table


def test_classes_by_name_in_the_order_of_the_card():
    table = resolved(["dog", "cat", "", "cow", "Dog"], ["cat", "dog"], kind="classes")
    assert table["label"].fillna(-1).tolist() == [1, 0, -1, -1, -1] and table["level"].isna().all()


def test_classes_under_other_spellings_and_for_silence():
    names = {"Cat": "cat", "Dog": "dog"}
    table = resolved(["Dog", "Cat", "", "dog"], ["cat", "dog"], kind="classes", names=names, missing="cat")
    assert table["label"].fillna(-1).tolist() == [1, 0, 0, -1]


def test_classes_that_occur_are_sorted_with_numbers_in_their_order():
    said = pd.Series(["10", "9", "", "9", "a2", "a10"])
    assert LABELS.validate_python({"kind": "classes"}).classes(said) == ["9", "10", "a2", "a10"]
    assert LABELS.validate_python({"kind": "classes", "names": {"C": "cat", "D": "dog"}}).classes(said) == [
        "cat",
        "dog",
    ]


@given(st.lists(st.text(max_size=5), min_size=2, unique=True))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_texts_can_be_classes(texts):
    found = LABELS.validate_python({"kind": "classes"}).classes(pd.Series(texts, dtype=str))
    assert set(found) == set(texts) - {""}
    said = [text for text in texts if text]
    assert resolved(said, found, kind="classes")["label"].tolist() == [found.index(text) for text in said]


def test_levels_are_cut_in_two():
    table = resolved(["0", "1", "0.5", "2", "-1", "", "x", "nan"], ["no", "yes"], kind="levels", above=0.5)
    assert table["label"].fillna(-1).tolist() == [0, 1, 0, 1, 0, -1, -1, -1]
    assert table["level"].tolist()[:5] == [0, 1, 0.5, 2, -1] and table["level"][5:].isna().all()


def test_levels_that_the_card_does_not_name_are_none():
    names = {0: "none", 0.3333: "some", 1: "much"}
    table = resolved(["0.3333333333333333", "1.0", "0.5", "7"], ["no", "yes"], kind="levels", above=0.5, names=names)
    assert table["label"].fillna(-1).tolist() == [0, 1, -1, -1]


def test_levels_under_other_spellings_and_for_silence():
    values = {"4a": 4, "2": 2}
    table = resolved(["4a", "2", "4", ""], ["no", "yes"], kind="levels", above=3, values=values, missing=0)
    assert table["label"].fillna(-1).tolist() == [1, 0, -1, 0] and table["level"].tolist()[3] == 0


def test_without_labels_everything_is_missing():
    assert resolved(["x", ""], [], kind="none").isna().all(axis=None)


def test_silence_and_strange_texts_are_told_apart():
    said = pd.Series(["cat", "", "cow"])
    table = resolved(["cat", "", "cow"], ["cat", "dog"], kind="classes").set_axis(said.index)
    found = labels.without_label(said, pd.Series(["1.png", "2.png", "3.png"]), table)
    assert found.to_numpy().tolist() == [
        ["missing_label", "2.png", "", ""],
        ["unknown_label", "3.png", "", "says 'cow'"],
    ]
