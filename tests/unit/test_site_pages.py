"""The pieces that pages are made of."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from lib import config
from lib.site import fragments, notebook, results
from lib.site.catalogue import unusual, usual_settings
from lib.site.contents import read_chapters, read_studies, table_of_contents
from lib.site.mime import PLOTLY, PlotlyRenderer, plotly_box
from lib.site.verdicts import NOT_APPLICABLE, VERDICTS, claim, error_sentence


def verdict(chapter: str, outcome: str, alpha: float = 0.05) -> dict:
    return {"chapter": chapter, "verdict": outcome, "alpha": alpha}


def test_a_plotly_figure_becomes_a_box_with_its_data() -> None:
    figure = go.Figure(go.Scatter(y=[1, 2], name="</script><b>"), layout={"width": 2000, "height": 300})
    box = plotly_box(json.loads(figure.to_json()))
    assert box.count("</script>") == 1 and "min-height:300px" in box
    content = json.loads(re.search(r"<script[^>]*>(.*)</script>", box).group(1))
    assert content["data"][0]["name"] == "</script><b>"
    assert "width" not in content["layout"] and content["config"]["responsive"]


def test_other_outputs_are_left_to_myst_nb() -> None:
    assert PlotlyRenderer.handle_mime(None, SimpleNamespace(mime_type="text/html", content=""), False) is None
    figure = {"data": [], "layout": {}}
    nodes = PlotlyRenderer.handle_mime(None, SimpleNamespace(mime_type=PLOTLY, content=figure), False)
    assert "book-plotly" in nodes[0].astext()


def test_contents_follow_the_numbers_of_the_notebooks(tmp_path: Path) -> None:
    for name in ("10_late", "02_early", "train"):
        (tmp_path / f"{name}.py").write_text(f"# %% [markdown]\n# # Is {name} good?\n# More.\n")
    chapters = read_chapters(tmp_path)
    assert [chapter.heading for chapter in chapters] == ["2. Is 02_early good?", "10. Is 10_late good?"]
    files = [entry["file"] for part in table_of_contents(chapters)["subtrees"] for entry in part["entries"]]
    assert files == ["02_early", "10_late", "hypotheses", "catalogue", "references", "model_card", "datasheet", "claim"]


def test_studies_stand_apart_from_chapters(tmp_path: Path) -> None:
    for name in ("02_early", "study_other", "train"):
        (tmp_path / f"{name}.py").write_text(f"# %% [markdown]\n# # Is {name} good?\n# More.\n")
    chapters, studies = read_chapters(tmp_path), read_studies(tmp_path)
    assert [study.heading for study in studies] == ["Is study_other good?"]
    trees = table_of_contents(chapters, studies)["subtrees"]
    assert [(tree["caption"], tree["entries"][0]["file"]) for tree in trees[:2]] == [
        ("Chapters", "02_early"),
        ("Studies", "study_other"),
    ]
    assert [tree["caption"] for tree in table_of_contents(chapters)["subtrees"]] == ["Chapters", "Results", "Report"]


def test_a_chapter_without_a_title_is_named(tmp_path: Path) -> None:
    (tmp_path / "01_none.py").write_text("# %%\n1\n")
    with pytest.raises(ValueError, match=r"01_none\.py has no title"):
        read_chapters(tmp_path)


def test_parameters_cells_say_which_ones_counted(tmp_path: Path) -> None:
    script = '# %% [markdown]\n# # Is it?\n\n# %% tags=["parameters"]\nSIZE = 1\n\n# %%\nSIZE\n'
    (tmp_path / "01_is.py").write_text(script)
    injected = nbformat.v4.new_code_cell("SIZE = 2", execution_count=2, id="injected-parameters")
    cells = [nbformat.v4.new_code_cell("SIZE = 1", execution_count=1), injected]
    cells.append(nbformat.v4.new_code_cell("SIZE", execution_count=3))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "run.ipynb")
    page = notebook.chapter_page(read_chapters(tmp_path)[0], tmp_path / "run.ipynb", "<p>foot</p>")
    assert [cell.source for cell in page.cells[1:4]] == ["SIZE = 1", "SIZE = 2", "SIZE"]
    labels = [cell.metadata.get("mystnb", {}).get("code_prompt_show") for cell in page.cells[1:4]]
    assert labels == [notebook.DEFAULTS_LABEL, notebook.INJECTED_LABEL, None]
    assert all("hide-input" in cell.metadata["tags"] for cell in page.cells[1:4])
    assert page.cells[0].source == "# 1. Is it?" and "foot" in page.cells[-1].source


def test_false_confirmations_are_counted_by_chapter() -> None:
    records = [verdict("a", "confirmed"), verdict("a", "refuted"), verdict("b", "undecided")]
    records += [verdict("c", "confirmed", 0.1), verdict("d", "not judged (smoke)")]
    sentence = error_sentence(records)
    assert "4 of 5 hypotheses were judged, in 3 chapters; 2 of them confirmed" in sentence
    assert "at 5 % or 10 %" in sentence and "at most 0.2." in sentence


def test_what_is_not_applicable_is_counted_apart() -> None:
    records = [verdict("a", "confirmed"), verdict("a", "not applicable"), verdict("b", "not applicable")]
    sentence = error_sentence(records)
    assert "1 of 3 hypotheses were judged, in 1 chapter;" in sentence
    assert sentence.endswith(" 2 hypotheses cannot be put to this data set.")
    assert error_sentence(records[1:2]).endswith(" 1 hypothesis cannot be put to this data set.")


def test_nothing_judged_has_no_false_verdict() -> None:
    assert "None of the 1 hypotheses was judged" in error_sentence([verdict("a", "not judged (smoke)")])


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("greater", "AUC > 0.02"), ("less", "AUC < 0.02"), ("equivalent", "AUC within ± 0.02")],
)
def test_claims_name_direction_and_margin(direction: str, expected: str) -> None:
    text = claim({"metric": "AUC", "direction": direction, "margin": 0.02})
    plain = re.sub(r"<[^>]+>", "", text).replace("&gt;", ">").replace("&lt;", "<").replace("&#8239;", " ")
    assert plain == expected


def test_badges_carry_the_class_of_their_verdict() -> None:
    assert fragments.verdict_badge("confirmed") == '<span class="verdict verdict-confirmed">confirmed</span>'
    assert 'verdict-not-judged">not judged (smoke)<' in fragments.verdict_badge("not judged (smoke)")
    assert 'verdict-not-applicable">not applicable<' in fragments.verdict_badge("not applicable")


@pytest.mark.parametrize("outcome", [*VERDICTS, NOT_APPLICABLE, "not judged"])
def test_every_verdict_has_a_look_and_a_line_in_the_legend(outcome: str) -> None:
    kind = f"verdict-{outcome.replace(' ', '-')}"
    style = (config.REPOSITORY / "book" / "_static" / "book.css").read_text(encoding="utf-8")
    assert f".{kind} {{" in style or f"--{kind}-back:" in style
    assert f'class="verdict {kind}">{outcome}<' in (config.REPOSITORY / "book" / "intro.md").read_text(encoding="utf-8")


def test_estimates_show_their_interval_and_what_is_unknown() -> None:
    full = {"value": 0.5, "low": -0.25, "high": None, "level": 0.975}
    assert fragments.interval(full) == "0.500<br><small>[−0.250, –] 97.5&nbsp;%</small>"
    assert fragments.interval({"value": None}) == fragments.interval(None) == "–"
    assert fragments.interval({"value": None, "reason": "1 < 2"}) == '<small class="reason">1 &lt; 2</small>'


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1.26, "1.3 s"), (59.7, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (None, "–")],
)
def test_durations_are_said_as_people_say_them(seconds: float | None, expected: str) -> None:
    assert fragments.duration(seconds) == expected


def test_only_settings_that_are_not_as_usual_are_shown() -> None:
    first = {"network": {"family": "simple"}, "phases": [{"epochs": 1}], "seed": 7, "sizes": [1, 2]}
    second = {"network": {"family": "simple"}, "phases": [{"epochs": 2}], "seed": 8, "sizes": [1, 2]}
    usual = usual_settings([first, second, first, {"seed": 7, "l2": 0.1}])
    assert unusual(first, usual) == {} and unusual(second, usual) == {"phases.1.epochs": 2, "seed": 8}
    assert usual["l2"] == 0.1  # of the runs that have it


def test_results_are_those_of_the_validation_part_and_kept(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    table = pd.DataFrame({"label": np.tile([0, 1], 60), "group": np.repeat([f"g{i}" for i in range(12)], 10)})
    table["probability"] = np.where(table["label"] == 1, 0.9, 0.1)
    other = table.assign(probability=random.uniform(size=len(table)), part="train")
    pd.concat([table.assign(part="validation"), other]).to_parquet(tmp_path / "predictions.parquet")
    record = {"key": "k", "files": {"predictions.parquet": "first"}}
    found = results.run_results(tmp_path, record, tmp_path / "cache")
    assert found["accuracy"]["value"] == found["auc"]["value"] == 1.0
    (tmp_path / "predictions.parquet").unlink()
    assert results.run_results(tmp_path, record, tmp_path / "cache") == found
    record["files"]["predictions.parquet"] = "second"
    with pytest.raises(FileNotFoundError):
        results.run_results(tmp_path, record, tmp_path / "cache")


@pytest.mark.parametrize("rows", [1, 60])
def test_results_of_several_classes_and_of_a_class_that_is_absent(tmp_path: Path, rows: int) -> None:
    label = np.tile([0, 1, 2], 60)[:rows]
    table = pd.DataFrame({"label": label, "group": [f"g{i % 12}" for i in range(rows)], "part": "validation"})
    probability = np.where(np.eye(3)[label] == 1, 0.8, 0.1)
    for index in range(3):
        table[f"probability_{index}"] = probability[:, index]
    table.to_parquet(tmp_path / "predictions.parquet")
    found = results.measure_run(tmp_path / "predictions.parquet")
    if rows == 1:
        assert found["auc"]["value"] is None and "label 1" in found["auc"]["reason"]
        assert found["accuracy"]["reason"] == "all 1 images are of one group"
    else:
        assert found["accuracy"]["value"] == found["auc"]["value"] == 1.0
