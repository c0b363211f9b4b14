"""The stored outputs themselves: complete, and nothing in them that another machine would print otherwise."""

import re

import pytest

from lib import config
from tests.notebooks import references

FORBIDDEN = {
    "a number with decimals: it belongs into bands.yml": r"\d\.\d",
    "a key, a hash or an address": r"\b(?=\w*\d)[0-9a-f]{12,}\b|0x[0-9a-f]+",
    "a date or a time": r"\d{4}-\d\d-\d\d|\d\d:\d\d",
    "a verdict": r"\b(confirmed|refuted|undecided|not judged|not applicable)\b",
    "a path": r"(?<!\w)/\w+/\w+",
}
each_chapter = pytest.mark.parametrize("name", config.chapters())


def unstable(text: str) -> list[str]:
    """What a text holds that may differ between machines."""
    return [reason for reason, pattern in FORBIDDEN.items() if re.search(pattern, text)]


@each_chapter
def test_every_tagged_cell_has_a_reference_and_the_other_way_round(name):
    tagged = [cell.id for cell in references.tagged(references.current(name))]
    assert tagged, f"{name} has no cell tagged {references.TAG}; counts or shapes are worth one"
    assert sorted(references.load(name)) == tagged, "take the references anew: python -m tests.notebooks.references"
    assert all(references.load(name).values()), f"{name}: a stored output is empty"


def test_no_reference_is_left_over():
    assert sorted(path.stem for path in references.FOLDER.iterdir()) == config.chapters()


@each_chapter
def test_references_hold_counts_shapes_and_schemas_only(name):
    for cell, outputs in references.load(name).items():
        for output in outputs:
            texts = output.get("data", {}).get("text/plain", output.get("text"))
            assert texts, f"{name}, {cell}: {output['output_type']} has no plain text to compare"
            assert not unstable("".join(texts)), f"{name}, {cell}"


@pytest.mark.parametrize(
    "text",
    [
        "auc 0.87",
        "22534ca621b131324ad4",
        "2026-11-22",
        "17:02",
        "H1.1 confirmed",
        "AUC: not applicable",
        "<x at 0x7f>",
        "/tmp/data",
    ],
)
def test_unstable_text_is_caught(text):
    assert unstable(text)


def test_counts_and_shapes_are_not():
    assert not unstable("convolution_1    (16, 16, 32)  9248\nvalidation  47  5  feedfacade")
