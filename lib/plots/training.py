"""Figures of training: curves, and predictions on their way."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from pandas.api.typing import SeriesGroupBy
from plotly.subplots import make_subplots

from lib.plots.style import NOTHING, PART_COLOURS, SERIES_COLOURS, legend_once, styled
from lib.texts import Sentence


def curves(
    history: pd.DataFrame,
    metrics: Mapping[str, str],
    by: str | None = None,
    references: Mapping[str, float] | None = None,
) -> go.Figure:
    """Measured training curves, the parts together: the mean over seeds with the range from lowest to highest.

    history: columns epoch, part, the metrics, one row a run and epoch. metrics: column -> axis title.
    by: a column whose values get a row of panels each. references: metric -> what is reached without looking at the
    image, a dashed line.
    """
    settings = history[by].unique().tolist() if by else [None]
    names = [name for setting in settings for name in [setting or ""] + [""] * (len(metrics) - 1)]
    figure = make_subplots(
        len(settings),
        len(metrics),
        shared_xaxes=True,
        subplot_titles=names,
        horizontal_spacing=0.13,
        vertical_spacing=0.12,
    )
    figure.update_annotations(x=0, xanchor="left", font_size=13)
    for row, setting in enumerate(settings, start=1):
        rows = history[history[by] == setting] if by else history
        for column, (metric, title) in enumerate(metrics.items(), start=1):
            for part, values in rows.groupby("part"):
                _band(figure, values.groupby("epoch")[metric], PART_COLOURS[part], part, row, column)
            if metric in (references or {}):
                figure.add_hline(references[metric], line_dash="dash", line_color="#888888", row=row, col=column)
            figure.update_yaxes(title_text=title, matches=f"y{column if column > 1 else ''}", row=row, col=column)
    figure.update_xaxes(title_text="epoch", row=len(settings))
    figure.update_layout(
        height=100 + 260 * len(settings), hovermode="x unified", margin={"l": 60, "r": 40, "t": 70, "b": 50}
    )
    _whole_epochs(figure, history["epoch"].max())
    return styled(legend_once(figure)).update_layout(legend_y=1 + 0.1 / len(settings))


def compared(history: pd.DataFrame, metrics: Mapping[str, str], by: str) -> go.Figure | Sentence:
    """Measured curves of several settings in the same panels, one a part and metric: mean over seeds, range as a band.

    history: columns epoch, part, `by` and the metrics, one row a run and epoch; none: a sentence. metrics: column -> axis
    title. With a column phase, as `epochs.through`, every phase is a line of its own, and a later one begins at a dotted line.
    """
    if history.empty:
        return NOTHING
    parts, names = history["part"].unique().tolist(), history[by].unique().tolist()
    titles = parts + [""] * len(parts) * (len(metrics) - 1)
    figure = make_subplots(
        len(metrics), len(parts), shared_xaxes=True, shared_yaxes=True, subplot_titles=titles, vertical_spacing=0.08
    )
    for row, (metric, title) in enumerate(metrics.items(), start=1):
        for column, part in enumerate(parts, start=1):
            for colour, name in zip(cycle(SERIES_COLOURS), names, strict=False):
                values = history[(history[by] == name) & (history["part"] == part)]
                for _, stretch in values.groupby("phase") if "phase" in values else [(1, values)]:
                    _band(figure, stretch.groupby("epoch")[metric], colour, str(name), row, column)
        figure.update_yaxes(title_text=title, row=row, col=1)
    if "phase" in history:
        for begins in history[history["phase"] > 1].groupby("phase")["epoch"].min():
            figure.add_vline(begins, line_dash="dot", line_color="#888888")
    figure.update_xaxes(title_text="epoch", row=len(metrics))
    figure.update_layout(height=140 + 240 * len(metrics), margin={"l": 60, "r": 40, "t": 90, "b": 50})
    _whole_epochs(figure, history["epoch"].max())
    return styled(legend_once(figure)).update_layout(legend_y=1.07)


def range_test(raw: pd.DataFrame, smooth: pd.DataFrame, suggested: pd.Series, pinned: float) -> go.Figure:
    """Curves of a range test, a colour a seed: dotted as measured, solid smoothed, a diamond at the suggestion.

    raw, smooth: index rate, a column a seed, nats. suggested: by the same names, NaN where there is none. pinned: a rate,
    dashed.
    """
    figure = go.Figure()
    for colour, name in zip(cycle(SERIES_COLOURS), raw.columns, strict=False):
        line = {"color": colour, "width": 2}
        figure.add_scatter(x=raw.index, y=raw[name], mode="lines", line=line | {"width": 1, "dash": "dot"},
                           opacity=0.6, legendgroup=name, showlegend=False, name=f"{name}, as measured")  # fmt: skip
        figure.add_scatter(x=smooth.index, y=smooth[name], mode="lines", line=line, legendgroup=name, name=name)
        if np.isfinite(suggested[name]):
            marker = {"symbol": "diamond", "size": 12, "color": colour, "line": {"width": 1, "color": "white"}}
            figure.add_scatter(x=[suggested[name]], y=[smooth[name][suggested[name]]], mode="markers", marker=marker,
                               legendgroup=name, showlegend=False, name=f"{name}, suggested")  # fmt: skip
    figure.add_vline(pinned, line_dash="dash").update_xaxes(type="log", exponentformat="power", dtick=1)
    return styled(figure.update_layout(xaxis_title="learning rate", yaxis_title="loss, nats"))


def dynamics(probabilities: np.ndarray, labels: Sequence[int], names: Sequence[str]) -> go.Figure:
    """Predictions on one fixed batch through training, one line an image, coloured by its true class (S3.17).

    probabilities: (epochs + 1, images, classes - 1) float in [0, 1], of every class but the first. labels: (images,) int.
    names: of the classes. Two classes: the probability of the second is drawn; more: that of each image's true class.
    """
    labels = np.asarray(labels)
    drawn, title = probabilities[..., 0], f"predicted probability of {names[1]}"
    if len(names) > 2:
        whole = np.concatenate([1 - probabilities.sum(axis=2, keepdims=True), probabilities], axis=2)
        drawn, title = whole[:, np.arange(len(labels)), labels], "predicted probability of the true class"
    figure = go.Figure()
    for image in np.argsort(labels, kind="stable"):
        colour = SERIES_COLOURS[labels[image] % len(SERIES_COLOURS)]
        figure.add_scatter(
            y=drawn[:, image],
            mode="lines",
            name=names[labels[image]],
            legendgroup=str(labels[image]),
            line={"width": 1, "color": colour},
            opacity=0.7,
        )
    figure.update_layout(xaxis_title="epoch", yaxis_title=title, yaxis_range=[0, 1])
    _whole_epochs(figure, len(probabilities) - 1)
    return styled(legend_once(figure))


def _band(figure: go.Figure, grouped: SeriesGroupBy, colour: str, name: str, row: int, column: int) -> None:
    mean, low, high = grouped.mean(), grouped.min(), grouped.max()
    around = {"x": [*mean.index, *mean.index[::-1]], "y": [*high, *low[::-1]]}
    figure.add_scatter(
        **around, mode="lines", fill="toself", fillcolor=colour, opacity=0.18, line={"width": 0}, hoverinfo="skip",
        showlegend=False, legendgroup=name, row=row, col=column,
    )  # fmt: skip
    figure.add_scatter(
        x=mean.index, y=mean, mode="lines", name=name, legendgroup=name, line={"color": colour}, row=row, col=column,
        hovertemplate="%{y:.3f}",
    )  # fmt: skip


def _whole_epochs(figure: go.Figure, epochs: int) -> None:
    if epochs <= 10:
        figure.update_xaxes(dtick=1)
