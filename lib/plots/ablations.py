"""Figures of many settings at once: what each change brought, all curves, times and scores."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import cycle, product

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from lib.estimates import Estimate, Inapplicable
from lib.plots.results import METRIC_TITLES, why
from lib.plots.style import DASHES, SERIES_COLOURS, legend_once, styled
from lib.texts import Sentence

CURVES = {
    "auc": "AUC",
    "loss": "loss, nats",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
}
ROW, LEGEND_ROW, BAR = 22, 21, 28  # pixels of a setting in a figure with a row each, in a legend, of a network
LEGEND_COLUMNS = 2
LEGEND_LETTERS = 34  # of a line in a legend
CURVE_COLOURS = (*SERIES_COLOURS, "#332288", "#44AA99", "#882255")  # Tol 2021: more that are told apart
DEPTH_COLOURS = ("#C6DBEF", "#6BAED6", "#08519C", "#021B36")  # the more is trained the darker; steps between them


def changes(
    estimates: Mapping[str, Estimate | Inapplicable],
    levels: Mapping[str, float | None],
    words: Mapping[str, str],
    unit: str,
) -> go.Figure | Sentence:
    """Differences to the parent with their intervals, a row a setting, coloured by what is said of them.

    levels: of each interval, words: its verdict, by the names of `estimates`. Where there is none, it is left out; none at
    all: a sentence says why.
    """
    known = {name: each for name, each in estimates.items() if isinstance(each, Estimate)}
    if not known:
        return why(estimates.values())
    figure = go.Figure()
    for colour, word in zip(cycle(SERIES_COLOURS), sorted({words[name] for name in known}), strict=False):
        rows = {name: each for name, each in known.items() if words[name] == word}
        values = np.array([each.value for each in rows.values()])
        limits = np.array([each.interval(levels[name]) for name, each in rows.items()])
        arms = {"array": limits[:, 1] - values, "arrayminus": values - limits[:, 0]}
        figure.add_scatter(
            x=values, y=list(rows), mode="markers", name=word, marker={"size": 7, "color": colour},
            error_x={"type": "data", "symmetric": False, "thickness": 1.2, **arms},
            hovertemplate="%{y}: %{x:.3f}<extra>" + word + "</extra>",
        )  # fmt: skip
    figure.add_vline(0, line_dash="dash", line_color="#888888")
    names = list(known)
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=names, range=[len(names) - 0.5, -0.5])
    figure.update_layout(xaxis_title=f"{unit} (adjusted interval)", height=130 + ROW * len(names))
    return styled(figure)


def four_panels(
    history: pd.DataFrame, shown: Sequence[str], parts: Sequence[str] = ("train", "validation")
) -> go.Figure:
    """Accuracy and loss of two parts through training, a line a setting: the mean over seeds (S3.39).

    history: columns setting, phase, epoch, part, accuracy, loss; a line is broken between phases. shown: settings drawn at
    once; the others are in the legend below, and come with a click there.
    """
    places = {(metric, part): place for place, (metric, part) in enumerate(product(("accuracy", "loss"), parts))}
    titles = [f"{CURVES[metric]}, {part}" for metric, part in places]
    figure = make_subplots(
        2, 2, shared_xaxes=True, subplot_titles=titles, vertical_spacing=0.09, horizontal_spacing=0.09
    )
    return _draw(figure, history, shown, {key: (place, {}) for key, place in places.items()}, 620)


def every_metric(
    history: pd.DataFrame, shown: Sequence[str], parts: Sequence[str] = ("train", "validation")
) -> go.Figure:
    """All metrics through training, a panel each, a line a setting; the first part dotted, the second solid (S0.8).

    history, shown: as `four_panels`, with all metrics of CURVES. A line is the mean over seeds.
    """
    figure = make_subplots(3, 2, shared_xaxes=True, subplot_titles=list(CURVES.values()), vertical_spacing=0.07)
    looks = dict(zip(parts, ({"width": 1, "dash": "dot"}, {"width": 2, "dash": "solid"}), strict=True))
    places = {(metric, part): (place, looks[part]) for place, metric in enumerate(CURVES) for part in parts}
    return _draw(figure, history, shown, places, 820)


def times(costs: pd.DataFrame) -> go.Figure:
    """Summed time of each network, coloured by what was trained, darker where it was more, a column an initialisation (S0.8).

    costs: a row a run: network, initialisation, trained (ordered categories, the least first), seconds.
    """
    panels, depths = costs["initialisation"].unique().tolist(), costs["trained"].cat.categories
    colours = sample_colorscale([*DEPTH_COLOURS], np.linspace(0, 1, max(2, len(depths))))
    titles = [f"initialisation: {name}" for name in panels]
    figure = make_subplots(1, len(panels), shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.03)
    for column, initialisation in enumerate(panels, start=1):
        found = costs[costs["initialisation"] == initialisation]
        for rank, (depth, colour) in enumerate(zip(depths, colours, strict=False)):
            seconds = found[found["trained"] == depth].groupby("network", sort=False)["seconds"].agg(["sum", "size"])
            if len(seconds):
                figure.add_bar(
                    y=seconds.index, x=seconds["sum"] / 60, orientation="h", name=f"{depth} trained", marker_color=colour,
                    customdata=seconds["size"], hovertemplate="%{x:.2f} minutes, %{customdata} runs<extra>%{y}</extra>",
                    legendrank=rank, row=1, col=column,
                )  # fmt: skip
    figure.update_yaxes(categoryorder="array", categoryarray=costs["network"].unique(), automargin=True)
    figure.update_yaxes(autorange="reversed", col=1).update_xaxes(title_text="minutes, all runs together")
    height = 190 + BAR * costs["network"].nunique()
    figure.update_layout(barmode="stack", height=height, margin={"l": 60, "r": 40, "t": 110, "b": 50})
    return styled(legend_once(figure)).update_layout(
        legend={"y": 1, "yref": "container", "yanchor": "top", "traceorder": "normal"}
    )


def scores(table: pd.DataFrame) -> go.Figure:
    """All metrics of every setting as numbers, a row a setting; darker is better within a metric (S0.8).

    table: a row a setting, a column a metric of `lib.scores`.
    """
    lower = [name for name in table if name in ("brier", "log_loss")]
    rank = table.rank(pct=True)
    rank[lower] = table[lower].rank(pct=True, ascending=False)
    titles = [
        METRIC_TITLES.get(name, name.replace("_", " ")).replace(", lower is better", ",<br>lower is better")
        for name in table
    ]
    figure = go.Figure(
        go.Heatmap(
            z=_single(rank), x=titles, y=table.index, text=table.round(3).astype(str), texttemplate="%{text}", colorscale="Blues",
            zmin=0, zmax=1.6, showscale=False, hovertemplate="%{y}<br>%{x}: %{text}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category").update_xaxes(side="top", automargin=True)
    return styled(figure.update_layout(height=180 + ROW * len(table), margin={"l": 60, "r": 40, "t": 120, "b": 20}))


def agreement(table: pd.DataFrame, unit: str) -> go.Figure:
    """Two numbers of every setting against each other, the two columns of a table; a name on hovering."""
    across, up = table.columns
    figure = go.Figure(
        go.Scatter(
            x=table[across], y=table[up], text=table.index, mode="markers", marker={"size": 9, "color": SERIES_COLOURS[0]},
            hovertemplate="%{text}<br>%{x:.3f}, %{y:.3f}<extra></extra>",
        )
    )  # fmt: skip
    return styled(figure.update_layout(xaxis_title=f"{unit}, {across}", yaxis_title=f"{unit}, {up}", height=420))


def _draw(
    figure: go.Figure,
    history: pd.DataFrame,
    shown: Sequence[str],
    places: Mapping[tuple[str, str], tuple[int, dict]],
    height: int,
) -> go.Figure:
    """Mean curves of all settings in panels of two columns, with one legend below them.

    places: (metric, part) -> panel, and how its lines look. height: pixels of the panels with their titles.
    """
    names = history["setting"].unique()
    looks = dict(zip(dict.fromkeys([*shown, *names]), cycle(product(DASHES, CURVE_COLOURS)), strict=False))
    entries = {name: "<br>".join(textwrap.wrap(name, LEGEND_LETTERS)) for name in names}
    for setting, rows in history.groupby("setting", sort=False):
        dash, colour = looks[setting]
        for number, ((metric, part), (panel, look)) in enumerate(places.items()):
            mean = _broken(rows[rows["part"] == part].groupby(["phase", "epoch"], as_index=False)[metric].mean())
            figure.add_scatter(
                x=mean["epoch"].to_numpy(dtype=np.int16), y=_single(mean[metric]), mode="lines",
                name=entries[setting], legendgroup=setting,
                line={"color": colour, "dash": dash, **look}, visible=True if setting in shown else "legendonly",
                showlegend=number == len(places) - 1, hovertemplate=f"%{{y:.3f}}<extra>{setting}, {part}</extra>",
                row=panel // 2 + 1, col=panel % 2 + 1,
            )  # fmt: skip
    figure.for_each_xaxis(lambda axis: axis.update(title_text="epoch") if axis.showticklabels is not False else None)
    lines = [1 + entry.count("<br>") for entry in entries.values()]
    below = (
        sum(max(lines[first : first + LEGEND_COLUMNS]) for first in range(0, len(lines), LEGEND_COLUMNS)) * LEGEND_ROW
    )
    legend = {"y": -60 / (height - 100), "yanchor": "top", "traceorder": "normal", "font_size": 11,
              "entrywidth": 1 / LEGEND_COLUMNS, "entrywidthmode": "fraction"}  # fmt: skip
    figure.update_layout(height=height + below, margin={"l": 60, "r": 40, "t": 50, "b": 50 + below})
    return styled(figure).update_layout(legend=legend)


def _broken(mean: pd.DataFrame) -> pd.DataFrame:
    """Rows by phase and epoch, with one without a value between two phases: there a line is interrupted."""
    first = mean[mean["phase"].diff() > 0]
    return pd.concat([mean, first.assign(phase=first["phase"] - 0.5)[["phase", "epoch"]]]).sort_values(
        ["phase", "epoch"]
    )


def _single(values: pd.Series | pd.DataFrame) -> np.ndarray:
    """Half the bytes on the page."""
    return values.to_numpy(dtype=np.float32)
