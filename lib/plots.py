"""Figures: one palette, one look; every function returns a plotly figure."""

import base64
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from pandas.api.typing import SeriesGroupBy
from plotly.subplots import make_subplots

from lib.intervals import Estimate

# Okabe and Ito 2008: told apart by colour-blind readers too.
PART_COLOURS = {"train": "#0072B2", "tuning": "#E69F00", "validation": "#D55E00", "test": "#009E73"}
SERIES_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#888888")
GRID_WIDTH = 720  # pixels of a row of pictures
LEVEL_COLOURS = ("#56B4E9", "#E69F00", "#D55E00", "#AA4499")
METRIC_TITLES = {"auc": "AUC", "f1": "F1", "brier": "Brier, lower is better", "log_loss": "log loss, lower is better"}


def histogram(table: pd.DataFrame, column: str, by: str, unit: str, bins: int = 24) -> go.Figure:
    """Distribution of a column as shares within each value of `by`, drawn over one another."""
    figure = go.Figure()
    edges = np.histogram_bin_edges(table[column].dropna().astype(float), bins)
    for colour, (name, values) in zip(LEVEL_COLOURS, table.groupby(by, observed=True)[column], strict=False):
        share = np.histogram(values.astype(float), edges)[0] / max(1, len(values))
        line = {"color": colour, "shape": "hv"}
        figure.add_scatter(x=edges, y=[*share, 0], name=str(name), mode="lines", line=line)
    figure.update_layout(xaxis_title=unit, yaxis_title="share of images", hovermode="x unified", legend_title=by)
    return styled(figure)


def lines(table: pd.DataFrame, unit: str, value: str) -> go.Figure:
    """One line a column over the table's index."""
    figure = go.Figure()
    for colour, column in zip(LEVEL_COLOURS, table.columns, strict=False):
        line = {"color": colour, "width": 1.5}
        figure.add_scatter(x=table.index, y=table[column], name=str(column), mode="lines", line=line)
    figure.update_layout(xaxis_title=unit, yaxis_title=value, hovermode="x unified")
    return styled(figure)


def bars(counts: pd.DataFrame, unit: str, colours: Mapping[str, str] | None = None) -> go.Figure:
    """Grouped bars: one group a row, one bar a column, the number on it."""
    figure = go.Figure()
    for position, column in enumerate(counts.columns):
        colour = (colours or {}).get(column, LEVEL_COLOURS[position % len(LEVEL_COLOURS)])
        values = counts[column].tolist()
        figure.add_bar(x=[str(i) for i in counts.index], y=values, name=str(column), marker_color=colour, text=values)
    figure.update_traces(textposition="outside", textangle=0, cliponaxis=False)
    figure.update_layout(yaxis_title=unit, xaxis_title=counts.index.name, legend_title=counts.columns.name)
    return styled(figure)


def pictures(rows: Mapping[str, Sequence[np.ndarray]], titles: Sequence[Sequence[str]] | None = None) -> go.Figure:
    """A grid of images, a labelled row each.

    rows: label -> images (height, width) or (height, width, 3) uint8. titles: what hovering over each image says.
    """
    columns = max(len(images) for images in rows.values())
    figure = make_subplots(
        len(rows),
        columns,
        horizontal_spacing=0.006,
        vertical_spacing=0.25 / len(rows),
        subplot_titles=[title for name in rows for title in [name] + [""] * (columns - 1)],
    )
    side = 2 * GRID_WIDTH // columns  # twice what is shown, for dense screens; more only makes the page heavy
    for row, images in enumerate(rows.values(), start=1):
        for column, image in enumerate(images, start=1):
            text = titles[row - 1][column - 1] if titles else ""
            figure.add_trace(
                go.Image(source=_data_address(image, side), hovertemplate=text + "<extra></extra>"), row, column
            )
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    figure.update_annotations(x=0, xanchor="left", font_size=13)  # a row's name stands above its first image
    figure.update_layout(height=40 + (35 + GRID_WIDTH // columns) * len(rows), margin={"l": 5, "r": 5, "t": 30, "b": 5})
    return styled(figure)


def curves(history: pd.DataFrame, metrics: Mapping[str, str], by: str | None = None) -> go.Figure:
    """Measured training curves, train and tuning together: the mean over seeds with the range from lowest to highest.

    history: columns epoch, part, the metrics, one row a run and epoch. metrics: column -> axis title.
    by: a column whose values get a row of panels each.
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
            figure.update_yaxes(title_text=title, matches=f"y{column if column > 1 else ''}", row=row, col=column)
    figure.update_xaxes(title_text="epoch", row=len(settings))
    figure.update_layout(
        height=100 + 260 * len(settings), hovermode="x unified", margin={"l": 60, "r": 20, "t": 70, "b": 50}
    )
    _whole_epochs(figure, history["epoch"].max())
    return styled(_legend_once(figure)).update_layout(legend_y=1 + 0.1 / len(settings))


def dynamics(probabilities: np.ndarray, labels: Sequence[int], names: Sequence[str]) -> go.Figure:
    """Predictions on one fixed batch through training, one line an image (S3.17).

    probabilities: (epochs + 1, images) float in [0, 1]. labels: (images,) 0 or 1. names: two class names.
    """
    figure = go.Figure()
    for image in np.argsort(labels, kind="stable"):
        figure.add_scatter(
            y=probabilities[:, image],
            mode="lines",
            name=names[labels[image]],
            legendgroup=str(labels[image]),
            line={"width": 1, "color": SERIES_COLOURS[labels[image]]},
            opacity=0.7,
        )
    figure.update_layout(xaxis_title="epoch", yaxis_title=f"predicted probability of {names[1]}", yaxis_range=[0, 1])
    _whole_epochs(figure, len(probabilities) - 1)
    return styled(_legend_once(figure))


def intervals(
    estimates: Mapping[str, Estimate], unit: str, reference: float | None = None, level: float = 0.95
) -> go.Figure:
    """Estimates as points with their intervals, and a dashed line where nothing would be gained."""
    figure = go.Figure()
    for name, estimate in estimates.items():
        low, high = estimate.interval(level)
        figure.add_scatter(
            x=[estimate.value],
            y=[name],
            mode="markers",
            marker={"size": 10, "color": SERIES_COLOURS[0]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - estimate.value],
                "arrayminus": [estimate.value - low],
            },
            hovertemplate=f"{estimate.value:.3f} [{low:.3f}, {high:.3f}]<extra>{name}</extra>",
            showlegend=False,
        )
    if reference is not None:
        figure.add_vline(reference, line_dash="dash", line_color="#888888")
    figure.update_layout(xaxis_title=f"{unit} ({100 * level:g} % interval)", height=110 + 50 * len(estimates))
    figure.update_yaxes(autorange="reversed")
    return styled(figure)


def strips(values: Mapping[str, Sequence[float]], unit: str, reference: float | None = None) -> go.Figure:
    """Single values as dots, one row a name."""
    figure = go.Figure()
    for position, (name, numbers) in enumerate(values.items()):
        colour = SERIES_COLOURS[position % len(SERIES_COLOURS)]
        marker = {"size": 8, "opacity": 0.7, "color": colour}
        figure.add_scatter(x=list(numbers), y=[name] * len(numbers), mode="markers", marker=marker, showlegend=False)
    if reference is not None:
        figure.add_vline(reference, line_dash="dash", line_color="#888888")
    figure.update_layout(xaxis_title=unit, height=110 + 60 * len(values))
    figure.update_yaxes(range=[len(values) - 0.5, -0.5])
    return styled(figure)


def confusion(matrix: np.ndarray, classes: Sequence[str]) -> go.Figure:
    """Confusion matrix: counts, with the share of each true class on hovering.

    matrix: (classes, classes), rows true, columns predicted.
    """
    share = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    figure = go.Figure(
        go.Heatmap(
            z=share,
            x=list(classes),
            y=list(classes),
            text=[[f"{value:,.0f}" for value in row] for row in matrix],
            texttemplate="%{text}",
            colorscale="Blues",
            zmin=0,
            zmax=1,
            colorbar_title="share of<br>true class",
            hovertemplate="true %{y}, predicted %{x}<br>%{z:.1%} of the true class<extra></extra>",
        )
    )
    figure.update_layout(xaxis_title="predicted", yaxis_title="true", height=340, yaxis_autorange="reversed")
    return styled(figure)


def styled(figure: go.Figure) -> go.Figure:
    """The look all figures share: transparent, light grid, the palette."""
    figure.update_layout(
        template="plotly_white",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=SERIES_COLOURS,
        font={"size": 13},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
    )
    if figure.layout.margin.t is None:
        figure.update_layout(margin={"l": 60, "r": 20, "t": 40, "b": 50})
    return figure


def _band(figure: go.Figure, grouped: SeriesGroupBy, colour: str, name: str, row: int, column: int) -> None:
    mean, low, high = grouped.mean(), grouped.min(), grouped.max()
    around = {"x": [*mean.index, *mean.index[::-1]], "y": [*high, *low[::-1]]}
    figure.add_scatter(
        **around, fill="toself", fillcolor=colour, opacity=0.18, line={"width": 0}, hoverinfo="skip", showlegend=False,
        legendgroup=name, row=row, col=column,
    )  # fmt: skip
    figure.add_scatter(
        x=mean.index, y=mean, mode="lines", name=name, legendgroup=name, line={"color": colour}, row=row, col=column,
        hovertemplate="%{y:.3f}",
    )  # fmt: skip


def _whole_epochs(figure: go.Figure, epochs: int) -> None:
    if epochs <= 10:
        figure.update_xaxes(dtick=1)


def _legend_once(figure: go.Figure) -> go.Figure:
    seen: set[str] = set()
    for trace in figure.data:
        if trace.showlegend is not False:
            trace.showlegend = trace.name not in seen
            seen.add(trace.name)
    return figure


def _data_address(image: np.ndarray, side: int) -> str:
    """A PNG data address of an image of at most `side` pixels."""
    factor = side / max(image.shape[:2])
    if factor < 1:
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    ordered = image[..., ::-1] if image.ndim == 3 and image.shape[-1] == 3 else image
    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", ordered)[1]).decode()
