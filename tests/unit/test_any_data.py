"""The chapter on the simple network runs unchanged on other questions than ELPV's: more classes, no levels, lone images."""

import re
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest

from lib import atomic, cards, chapters, config, custody, steps

SIZE = 20
PARTS = ["train"] * 5 + ["tuning"] * 2 + ["validation"] * 3 + ["test"] * 2
CASES = {  # class of each image of a group by its position in it, more about the table, what is not applicable
    "two classes": ([0, 0, 1], {}, {"H5.3", "H5.5"}),
    "five levels": ([0, 0, 1, 1, 1], {"level": [0, 1, 2, 3, 4]}, set()),
    "three classes of lone images": ([0, 0, 1, 2], {"lone": True}, {"H5.2", "H5.3", "H5.5"}),
    "a class of three that validation lacks": (
        [0, 1, 2],
        {"lacks": 2},
        {"H5.2", "H5.3", "H5.4", "H5.5", "H5.7"},
    ),
    "a class of two that validation lacks": ([0, 1], {"lacks": 1}, {"H5.3", "H5.4", "H5.5", "H5.7"}),
    "one group for validation": ([0, 0, 1], {"one_group": True}, {"H5.3", "H5.4", "H5.5", "H5.7"}),
}


def table(folder, of_group: list[int], more: dict) -> pd.DataFrame:
    """A manifest of 12 groups of 2 rounds of `of_group`, with its images below `folder`; the brighter, the higher."""
    generator = np.random.default_rng(3)
    rows = []
    for group, part in enumerate(PARTS):
        for position in range(2 * len(of_group)):
            label, name = of_group[position % len(of_group)], f"{group}_{position}.png"
            if part == "validation" and label == more.get("lacks"):
                continue
            image = generator.normal(90 + 30 * label, 10, (24, 24, 3)).clip(0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / name), image)
            level = more["level"][position % len(of_group)] if "level" in more else np.nan
            own = name if more.get("lone") else part if more.get("one_group") else f"group{group}"
            rows.append((name, name, atomic.sha256(image), own, part, label, float(level), image.mean()))
    return pd.DataFrame(rows, columns=["image", "path", "sha256", "group", "part", "label", "level", "brightness"])


def card(folder, classes: int, levels: list[int]) -> SimpleNamespace:
    recipe = (steps.Grey(), steps.Resize(), steps.RepeatChannels(count=3))
    if classes == 3:
        recipe = recipe[1:]  # colour
    return SimpleNamespace(
        name="other",
        classes=["none", "some", "much"][:classes],
        graded=bool(levels),
        level_names={float(level): str(level) for level in levels},
        properties=[],
        positive="some",
        recipe=recipe,
        reader=SimpleNamespace(folder=lambda: folder),
        read=lambda path: (folder / path).read_bytes(),
    )


@pytest.fixture(params=CASES)
def case(request, tmp_path, monkeypatch) -> set[str]:
    """A data set in place of ELPV's; the ids of the hypotheses that cannot be put to it."""
    of_group, more, inapplicable = CASES[request.param]
    rows = table(tmp_path, of_group, more)
    hidden = rows["part"] == "test"
    monkeypatch.setenv(config.BUILD_VARIABLE, str(tmp_path / "build"))
    monkeypatch.delenv(config.OUTPUT_VARIABLE, raising=False)
    monkeypatch.setattr(cards, "load", lambda _: card(tmp_path, max(of_group) + 1, more.get("level", [])))
    monkeypatch.setattr(custody, "images", lambda _: rows.assign(label=rows["label"].where(~hidden)))
    monkeypatch.setattr(custody, "development", lambda _: rows[~hidden].reset_index(drop=True))
    return inapplicable


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_chapter_runs_and_says_what_is_not_applicable(case):
    cells = chapters.code_cells(chapters.read(config.NOTEBOOKS / "05_simple_network.py"))
    code = "\n".join(cell.source for cell in cells)
    for name, value in {"IMAGE_SIZE": SIZE, "EPOCHS": 1}.items():
        code = re.sub(rf"(?m)^{name} = \d+", f"{name} = {value}", code)
    run = {}
    exec(compile(code, "05_simple_network", "exec"), run)
    records = atomic.read_json(run["context"].output / "hypotheses.json")
    assert {record["id"] for record in records if record["verdict"] == "not applicable"} == case
    for record in records:
        estimate = record["estimate"]
        assert (estimate["value"] is None) == (record["id"] in case)
        assert record["id"] not in case or len(estimate["reason"]) > 10
