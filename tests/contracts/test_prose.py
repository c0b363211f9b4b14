"""No measured number is typed into prose: it would go on being claimed when the measurement has changed."""

import re

import pytest

from lib import chapters, config
from lib.site import contents

REFERENCES = re.compile(
    r"\b[HS]\d+\.\d+(\s*[-–]\s*(?:[HS]?\d+\.)?\d+)?\b"  # hypotheses and sources: H1.1, S3.25-S3.29
    r"|\{[\w:]+\}`[^`]*`"  # roles of the book: {doc}`...`
    r"|\barXiv:\d+\.\d+|\bdoi:\S+|https?://\S+|\]\([^)]*\)"
)
NUMBERS = {
    "a percentage": r"\d+(?:[.,]\d+)*\s*(?:%|per\s?cent\b|percentage\b|‰)",
    "a decimal number": r"(?<![\w.])\d*\.\d+",
    "a power of ten": r"\b\d+e[-+]?\d+\b",
    "a long number": r"\b\d{1,3}(?:[,' \u00a0\u202f]\d{3})+\b|\b(?!(?:19|20)\d\d\b)\d{4,}\b",
    "a count of something measured": r"\b\d+\s(?:images?|groups?|seconds?|minutes?|hours?|points?|times)\b",
}
PATTERN = re.compile("|".join(f"(?P<{name.replace(' ', '_')}>{rule})" for name, rule in NUMBERS.items()))
# Published design constants that prose may name: (text, number) -> reason. A line that matches nothing must go.
ALLOWED: dict[tuple[str, str], str] = {
    ("README", "3.11"): "the oldest Python that is supported",
    ("README", "3.13"): "the newest Python that is supported",
    ("README", "4.0"): "version of a licence",
    ("README", "8765"): "the port that is asked for first",
}
FILES = {"intro": "book/intro.md", "README": "README.md", "decisions": "book/decisions.md"}
FILES |= {name: f"book/report/{name}.md" for name in contents.REPORT}


def typed_numbers(text: str) -> list[str]:
    """Numbers in a text that look measured: decimals, percentages, long numbers, counts of images and the like."""
    return [match.group().strip() for match in PATTERN.finditer(REFERENCES.sub(" ", text))]


def prose(name: str) -> str:
    """A text file, or the text cells of a chapter and the captions of its figures."""
    if name in FILES:
        return (config.REPOSITORY / FILES[name]).read_text(encoding="utf-8")
    cells = chapters.read(config.NOTEBOOKS / f"{name}.py").cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    captions = [cell.metadata.get("mystnb", {}).get("figure", {}).get("caption", "") for cell in cells]
    return "\n\n".join([*texts, *captions])


@pytest.mark.parametrize("name", [*FILES, *config.chapters(), *(f"study_{name}" for name in config.studies())])
def test_no_typed_numbers(name):
    found = [number for number in typed_numbers(prose(name)) if (name, number) not in ALLOWED]
    assert not found, (
        f"{name} types {found}; let a cell show what was measured, or params/literature.yml what was published"
    )


def test_every_exception_is_needed_and_explained():
    for (name, number), reason in ALLOWED.items():
        assert reason and number in typed_numbers(prose(name)), f"{name}: {number} is not there any more"


@pytest.mark.parametrize(
    "text",
    ["an AUC of 0.87", "87 % of them", "87% are", "12.5 per cent", ".5 of all", "1e-3", "2,624 pictures", "10177 weights",
     "lost 3 percentage points", "`0.71` (validation)", "took 17 seconds", "for 320 images", "H1.1 at 0.9."],
)  # fmt: skip
def test_measured_numbers_are_caught(text):
    assert typed_numbers(text)


@pytest.mark.parametrize(
    "text",
    ["hypotheses H1.1-H1.3", "hypothesis H12.10", "sources S3.19, S3.25-S3.29, S0.5", "Chapter 5, then chapter 12",
     "between 0 and 1", "the same 32 tuning images", "8-bit grey", "in 2020, and 1997", "see {doc}`05_simple_network`",
     "arXiv:1610.02391", "[Holm](https://doi.org/10.1016/j.x)", "grey values 0-255", "64 px", "five per cent"],
)  # fmt: skip
def test_names_and_design_are_not(text):
    assert not typed_numbers(text)
