"""Figures show the numbers they were given, in one look and one palette, and can be stored as JSON."""

import base64
import warnings

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io
import pytest

from lib import intervals, plots
from lib.estimates import Inapplicable
from lib.texts import Sentence

GENERATOR = np.random.default_rng(7)
HISTORY = pd.DataFrame(
    [
        {"epoch": epoch, "part": part, "levels": levels, "loss": 1 / (1 + epoch) + seed / 10, "accuracy": 0.5}
        for epoch in range(3)
        for part in ("train", "tuning", "validation")
        for levels in ("extreme", "all")
        for seed in (0, 1)
    ]
)
TABLE = pd.DataFrame({"brightness": GENERATOR.normal(100, 10, 60), "level": ["sound", "defective", "odd"] * 20})
PROBABILITIES = GENERATOR.random((4, 6, 1))
COUNTS = pd.DataFrame({"train": [5, 3], "validation": [2, 1]}, index=pd.Index(["sound", "defective"], name="level"))
ESTIMATES = {"AUC": intervals.seed_mean_estimate([0.7, 0.8, 0.9]), "F1": intervals.seed_mean_estimate([0.4, 0.6])}
UNASKED = Inapplicable("nothing is graded")
THREE = np.tile([0.25, 0.6], (3, 4, 1))  # epochs, images, of the second and the third class
IMAGES = {"grey": [GENERATOR.integers(0, 256, (6, 5), np.uint8)] * 3, "colour": [np.full((4, 4, 3), 99, np.uint8)]}
POINTS = np.array([[0.123, 1], [2, 3], [4, 5], [6, 7]], np.float32)
LEVELS = pd.Series(["low", None, "high", "low"], name="level").astype(pd.CategoricalDtype(["low", "middle", "high"]))
KERNELS = {"before": np.linspace(-1, 1, 54).reshape(3, 3, 3, 2), "after": np.full((3, 3, 3, 2), 0.5)}
RATES = pd.DataFrame({"seed 1": [3, 1, 2.0], "seed 2": [1, 2, np.nan]}, index=pd.Index([0.01, 0.1, 1], name="rate"))
FIGURES = {
    "histograms": lambda: plots.histograms(TABLE, {"brightness": "grey value"}, "level"),
    "bars": lambda: plots.bars(COUNTS, "images", plots.PART_COLOURS),
    "pictures": lambda: plots.pictures(IMAGES, [["a", "b", "c"], ["d"]]),
    "curves": lambda: plots.curves(HISTORY, {"loss": "loss, nats", "accuracy": "accuracy"}, by="levels"),
    "compared": lambda: plots.compared(HISTORY, {"loss": "loss, nats", "accuracy": "accuracy"}, "levels"),
    "filters": lambda: plots.filters(KERNELS),
    "dynamics": lambda: plots.dynamics(PROBABILITIES, np.array([0, 1, 0, 1, 1, 0]), ["sound", "defective"]),
    "dynamics of three": lambda: plots.dynamics(THREE, np.array([0, 1, 2, 1]), ["low", "middle", "high"]),
    "intervals": lambda: plots.intervals(ESTIMATES, "score", 0.5),
    "metrics": lambda: plots.metrics({"auc": ESTIMATES["AUC"], "f1": UNASKED}, {"auc": 0.5, "accuracy": 0.7}),
    "scatter": lambda: plots.scatter(POINTS, LEVELS, ["a", "b", "c", "d"]),
    "strips": lambda: plots.strips({"zero": [0.7, 0.8], "prior": [0.6]}, "loss, nats", 0.65),
    "range test": lambda: plots.range_test(RATES, RATES - 0.1, pd.Series({"seed 1": 0.1, "seed 2": np.nan}), 0.03),
    "confusion": lambda: plots.confusion(np.array([[8, 2], [1, 9]]), ["sound", "defective"]),
}


@pytest.mark.parametrize("name", sorted(FIGURES))
def test_every_figure_has_the_common_look_and_can_be_stored(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = FIGURES[name]()
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert figure.to_json() == FIGURES[name]().to_json()
    assert len(plotly.io.from_json(figure.to_json()).data) == len(figure.data)


@pytest.mark.parametrize("name", sorted(set(FIGURES) - {"pictures", "filters"}))
def test_axes_of_every_chart_have_titles(name):
    layout = FIGURES[name]().layout
    assert any(layout[axis].title.text for axis in layout if axis.startswith(("xaxis", "yaxis")))


@pytest.mark.parametrize("palette", [plots.PART_COLOURS.values(), plots.SERIES_COLOURS, plots.LEVEL_COLOURS])
def test_colours_of_a_palette_differ(palette):
    assert len(set(palette)) == len(palette)


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (lambda: plots.intervals({"learning": UNASKED, "scoring": UNASKED}, "difference", 0), "nothing is graded"),
        (lambda: plots.side_by_side({"a": {"b": UNASKED}}, "AUC", 0.5), "nothing is graded"),
        (lambda: plots.intervals({}, "AUC"), "nothing was measured"),
        (lambda: plots.strips({}, "AUC", np.nan), "nothing to be drawn"),
        (lambda: plots.pictures({}), "no such image"),
        (lambda: plots.bars(COUNTS * np.nan, "images"), "no such number"),
    ],
)
def test_where_there_is_nothing_to_draw_a_sentence_stands(drawn, said):
    assert isinstance(drawn(), Sentence) and said in drawn().text


def test_what_stands_below_a_picture_stands_below_it():
    figure = plots.pictures(IMAGES, below=[["a.png<br>cat", "b.png", "c.png"], ["d.png"]])
    notes = {note.text: (note.xref, note.yref, note.y) for note in figure.layout.annotations if note.text in
             ("a.png<br>cat", "d.png")}  # fmt: skip
    assert notes == {"a.png<br>cat": ("x domain", "y domain", 0), "d.png": ("x6 domain", "y6 domain", 0)}
    assert figure.data[3].xaxis == "x6"  # the first picture of the second row
    assert figure.layout.height > FIGURES["pictures"]().layout.height


def test_histograms_show_shares_of_each_level():
    figure = FIGURES["histograms"]()
    assert {trace.name for trace in figure.data} == {"sound", "defective", "odd"}
    for trace in figure.data:
        assert sum(trace.y) == pytest.approx(1)


def test_points_of_a_map_carry_label_and_name():
    figure = FIGURES["scatter"]()
    found = {trace.name: (list(trace.text), list(trace.x.round(2)), list(trace.y)) for trace in figure.data}
    assert found == {
        "low": (["a", "d"], [pytest.approx(0.12), 6], [1, 7]),
        "high": (["c"], [4], [5]),
        "without label": (["b"], [2], [3]),
    }
    assert [trace.name for trace in figure.data] == ["low", "high", "without label"]
    assert all(trace.type == "scatter" for trace in figure.data), "WebGL prints blank"
    assert len({trace.marker.color for trace in figure.data}) == 3


def test_bars_show_the_counts():
    figure = FIGURES["bars"]()
    assert {trace.name: list(trace.y) for trace in figure.data} == {"train": [5, 3], "validation": [2, 1]}
    assert all(trace.marker.color == plots.PART_COLOURS[trace.name] for trace in figure.data)


def shown(trace: go.Image) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(trace.source.split(",")[1]), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    return image[..., ::-1] if image.ndim == 3 else image


def test_pictures_are_shown_as_they_are():
    coloured = GENERATOR.integers(0, 256, (5, 7, 3), np.uint8)
    figure = plots.pictures({"grey": IMAGES["grey"], "colour": [coloured]}, [["a", "b", "c"], ["d"]])
    np.testing.assert_array_equal(shown(figure.data[0]), IMAGES["grey"][0])
    np.testing.assert_array_equal(shown(figure.data[3]), coloured)
    assert [trace.hovertemplate.split("<extra>")[0] for trace in figure.data] == ["a", "b", "c", "d"]
    assert figure.layout.xaxis.domain[1] < 0.2
    wide = plots.pictures({"grey": IMAGES["grey"][:2]}, fewest_columns=3)
    assert wide.layout.xaxis.domain[1] > 0.32 and wide.layout.height > 240 and wide.data[0].zsmooth is False


def lines(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.fill != "toself"]


def test_curves_are_means_over_seeds_with_their_range():
    figure = plots.curves(HISTORY[HISTORY["levels"] == "all"], {"loss": "loss, nats"})
    assert [trace.name for trace in lines(figure)] == ["train", "tuning", "validation"]
    for trace in lines(figure):
        np.testing.assert_allclose(trace.y, [1.05, 0.55, 1 / 3 + 0.05])
        assert trace.line.color == plots.PART_COLOURS[trace.name]
    band = next(trace for trace in figure.data if trace.fill == "toself")
    np.testing.assert_allclose(band.y, [1.1, 0.6, 1 / 3 + 0.1, 1 / 3, 0.5, 1.0])


def test_settings_are_compared_in_a_panel_a_part_and_metric():
    higher = HISTORY.assign(loss=HISTORY["loss"] + (HISTORY["levels"] == "all"))
    figure = plots.compared(higher, {"loss": "loss, nats", "accuracy": "accuracy"}, "levels")
    drawn = {(trace.name, trace.xaxis, trace.line.color) for trace in lines(figure)}
    assert len(drawn) == 12 and {name for name, _, _ in drawn} == {"extreme", "all"}
    colours = {name: {colour for other, _, colour in drawn if other == name} for name, _, _ in drawn}
    assert all(len(found) == 1 for found in colours.values()) and colours["all"] != colours["extreme"]
    for trace, more in zip(lines(figure)[:2], (0, 1), strict=True):
        np.testing.assert_allclose(trace.y, [1.05 + more, 0.55 + more, 1 / 3 + 0.05 + more])


def test_filters_share_one_scale_with_zero_in_the_middle():
    first, second = (shown(FIGURES["filters"]().data[i]) for i in (0, 2))
    assert first.shape == (3, 3, 3) and first.min() == 0 and (second == 191).all()
    zero = plots.filters({"dead": np.zeros((3, 3, 5, 4))})
    assert len(zero.data) == 4 and (shown(zero.data[0]) == 128).all()


def test_each_name_stands_once_in_the_legend():
    for name, number in {"curves": 3, "compared": 2, "dynamics": 2}.items():
        named = [trace.name for trace in FIGURES[name]().data if trace.showlegend]
        assert len(named) == len(set(named)) == number


def test_dynamics_draw_a_line_an_image():
    probabilities, labels = GENERATOR.random((4, 3)), np.array([1, 0, 1])
    figure = plots.dynamics(probabilities[..., np.newaxis], labels, ["sound", "defective"])
    drawn = {(trace.name, tuple(trace.y)) for trace in figure.data}
    expected = {(["sound", "defective"][label], tuple(y)) for label, y in zip(labels, probabilities.T, strict=True)}
    assert drawn == expected


def test_dynamics_of_several_classes_are_those_of_the_true_one():
    figure = FIGURES["dynamics of three"]()
    drawn = {trace.name: list(trace.y) for trace in figure.data}
    assert {name: pytest.approx(y) for name, y in drawn.items()} == {
        "low": [0.15] * 3, "middle": [0.25] * 3, "high": [0.6] * 3,
    }  # fmt: skip
    assert "true class" in figure.layout.yaxis.title.text


def test_more_classes_than_colours_are_all_drawn():
    table = pd.DataFrame({"brightness": np.arange(40.0), "level": [f"level {number % 10}" for number in range(40)]})
    assert len(plots.histograms(table, {"brightness": "grey value"}, "level").data) == 10
    assert len(plots.dynamics(np.full((2, 10, 9), 0.1), np.arange(10), [str(name) for name in range(10)]).data) == 10


def test_metrics_stand_beside_what_is_reached_without_looking():
    figure = FIGURES["metrics"]()
    points, crosses = figure.data
    assert (points.y, crosses.y) == (("AUC",), ("AUC",)) and crosses.x == (0.5,)
    assert [note.text for note in figure.layout.annotations] == ["not applicable: nothing is graded"]
    assert figure.layout.yaxis.categoryarray == ("AUC", "F1") and figure.layout.annotations[0].y == 1


def test_intervals_are_those_of_the_estimates():
    trace = FIGURES["intervals"]().data[0]
    low, high = ESTIMATES["AUC"].interval(0.95)
    assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(low)
    assert trace.x[0] + trace.error_x.array[0] == pytest.approx(high) and trace.x[0] == pytest.approx(0.8)


def test_confusion_of_a_class_without_images_draws_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = plots.confusion(np.array([[0, 0], [1, 3]]), ["sound", "defective"])
    np.testing.assert_allclose(figure.data[0].z, [[0, 0], [0.25, 0.75]])
    assert figure.data[0].text[1][1] == "3"


def test_a_dependence_is_drawn_at_its_numbers_and_skips_what_has_no_estimate():
    estimate = ESTIMATES["AUC"]
    figure = plots.dependence({360: estimate, 720: Inapplicable("one group"), 1440: estimate}, "images", "AUC")
    assert list(figure.data[0].x) == [360, 1440] and figure.layout.xaxis.type == "log"
    assert figure.data[0].y[0] + figure.data[0].error_y.array[0] == pytest.approx(estimate.interval()[1])
    assert "one group" in str(plots.dependence({360: Inapplicable("one group")}, "images", "AUC"))


def test_a_range_test_shows_what_was_measured_and_marks_what_is_suggested():
    figure = FIGURES["range test"]()
    marked = [trace for trace in figure.data if trace.mode == "markers"]
    assert [(trace.x[0], trace.y[0]) for trace in marked] == [(0.1, 0.9)]
    assert [trace.line.dash for trace in figure.data if trace.name == "seed 1, as measured"] == ["dot"]


def test_more_lines_than_colours_differ_by_their_dashes():
    table = pd.DataFrame({f"recipe {number}": [0.0, 1] for number in range(9)})
    looks = {(trace.line.color, trace.line.dash) for trace in plots.lines(table, "grey", "share").data}
    assert len(looks) == 9


def test_what_is_reached_without_an_image_is_a_dashed_line():
    drawn = plots.curves(HISTORY, {"loss": "loss, nats", "accuracy": "accuracy"}, references={"loss": 0.6})
    assert [(shape.y0, shape.xref) for shape in drawn.layout.shapes] == [(0.6, "x domain")]
    assert plots.dependence({1: ESTIMATES["AUC"]}, "images", "AUC", 0.5).layout.shapes[0].y0 == 0.5
