"""Figures of the final test draw what they are given, and say why where nothing can be drawn."""

import numpy as np
import plotly.graph_objects as go

from lib import plots
from lib.estimates import Inapplicable
from lib.final import calibration, curves, decision
from lib.texts import Sentence

LABEL = np.arange(60) % 2
PROBABILITY = np.clip(0.3 * LABEL + 0.6 * np.random.default_rng(1).random(60), 0, 1)
GROUPS = np.arange(60) // 10
NONE = Inapplicable("all images are of one class")


def lines(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data if trace.name and not trace.fill}


def test_reliability_shows_what_was_said_and_what_is_so():
    table = calibration.reliability(LABEL, PROBABILITY, bins=5)
    (line,) = lines(figure := plots.reliability({"test": table})).values()
    assert list(line.x) == table["probability"].tolist() and list(line.y) == table["share"].tolist()
    assert sum(trace.fill == "toself" for trace in figure.data) == 1


def test_curves_have_a_band_each_and_a_reference():
    found = {"good": curves.roc(LABEL, PROBABILITY, GROUPS), "none": NONE}
    figure = plots.bands(found, "false positives", "sensitivity", "good")
    assert list(lines(figure)) == ["good"] and list(figure.data[0].y) == [0, 1]
    band = next(trace for trace in figure.data if trace.fill == "toself")
    assert len(band.x) == 2 * len(curves.GRID)
    flat = plots.bands(
        {"good": curves.precision_recall(LABEL, PROBABILITY, GROUPS)}, "recall", "precision", "good", 0.4
    )
    assert list(flat.data[0].y) == [0.4, 0.4]


def test_the_band_of_another_curve_waits_for_a_click():
    found = dict.fromkeys(("good", "other"), curves.roc(LABEL, PROBABILITY, GROUPS))
    figure = plots.bands(found, "false positives", "sensitivity", "good")
    assert {trace.visible for trace in figure.data if trace.fill == "toself"} == {True, "legendonly"}


def test_net_benefit_has_a_line_for_everything_one_could_do():
    figure = plots.benefit(decision.curve(LABEL, PROBABILITY), 0.3)
    assert list(lines(figure)) == ["model", "all", "none"] and len(figure.layout.shapes) == 1
    assert not plots.benefit(decision.curve(LABEL, PROBABILITY), None).layout.shapes
    assert isinstance(lines(figure)["all"].y, tuple | np.ndarray) and figure.layout.yaxis.range[0] > -0.5


def test_where_nothing_can_be_drawn_a_sentence_says_why():
    for shown in (plots.bands({"a": NONE, "b": NONE}, "x", "y", "a"), plots.benefit(NONE, 0.3)):
        assert isinstance(shown, Sentence) and shown.text == "Not applicable: all images are of one class."
