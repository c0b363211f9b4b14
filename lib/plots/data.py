"""Figures of the data: distributions, counts, pictures."""

import base64
from collections.abc import Mapping, Sequence
from itertools import cycle, product

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lib.plots.style import DASHES, LEVEL_COLOURS, legend_once, styled
from lib.texts import Sentence

GRID_WIDTH = 720  # pixels of a row of pictures
UNLABELLED = "#BBBBBB"
FEWEST_COLUMNS = 5  # so that two pictures are not drawn larger than they are


def histograms(table: pd.DataFrame, columns: Mapping[str, str], by: str, bins: int = 24) -> go.Figure:
    """Distributions of several columns, a panel each, as shares within each value of `by`.

    columns: column -> its unit. Missing values take no part.
    """
    figure = make_subplots(-(-len(columns) // 2), 2, vertical_spacing=0.18, horizontal_spacing=0.12)
    for panel, (column, unit) in enumerate(columns.items()):
        place = {"row": panel // 2 + 1, "col": panel % 2 + 1}
        edges = np.histogram_bin_edges(table[column].dropna().astype(float), bins)
        for colour, (name, values) in zip(cycle(LEVEL_COLOURS), table.groupby(by, observed=True)[column], strict=False):
            share = np.histogram(values.dropna().astype(float), edges)[0] / max(1, values.notna().sum())
            line = {"color": colour, "shape": "hv"}
            figure.add_scatter(
                x=edges, y=[*share, 0], name=str(name), legendgroup=str(name), mode="lines", line=line, **place
            )
        figure.update_xaxes(title_text=unit, **place)
    figure.update_yaxes(title_text="share of images", col=1)
    figure.update_layout(height=100 + 230 * -(-len(columns) // 2), legend_title=by)
    return styled(legend_once(figure))


def lines(table: pd.DataFrame, unit: str, value: str) -> go.Figure:
    """One line a column over the table's index; dashed where the colours are used up."""
    figure = go.Figure()
    for (dash, colour), column in zip(cycle(product(DASHES, LEVEL_COLOURS)), table.columns, strict=False):
        line = {"color": colour, "width": 1.5, "dash": dash}
        figure.add_scatter(x=table.index, y=table[column], name=str(column), mode="lines", line=line)
    figure.update_layout(xaxis_title=unit, yaxis_title=value, hovermode="x unified")
    return styled(figure)


def scatter(points: np.ndarray, labels: pd.Series, names: Sequence[str]) -> go.Figure:
    """A map of images: a point each, coloured by label, its name and label on hovering.

    points: (n, 2). labels: (n,) text or categorical, then in the order of its categories; missing ones are grey. names: (n,).
    The axes carry no unit, one step is as long on both. Drawn without WebGL, so that it prints.
    """
    figure, names = go.Figure(), np.asarray(names)
    values = labels.astype("category")
    shown = {"mode": "markers", "hovertemplate": "%{text}<extra>%{fullData.name}</extra>"}
    colours = [*zip(values.cat.categories, cycle(LEVEL_COLOURS), strict=False), (None, UNLABELLED)]
    for label, colour in colours:
        rows = np.flatnonzero(values.isna() if label is None else values == label)
        if len(rows):
            x, y = points[rows].round(2).T
            marker = {"color": colour, "size": 5, "opacity": 0.75}
            name = "without label" if label is None else str(label)
            figure.add_scatter(x=x, y=y, text=names[rows].tolist(), name=name, marker=marker, **shown)
    figure.update_xaxes(title_text="place on the map, without unit", showticklabels=False, zeroline=False)
    figure.update_yaxes(title_text="place on the map", showticklabels=False, zeroline=False, scaleanchor="x")
    figure.update_layout(height=560, legend_title=labels.name, legend_itemsizing="constant")
    return styled(figure)


def bars(counts: pd.DataFrame, unit: str, colours: Mapping[str, str] | None = None) -> go.Figure | Sentence:
    """Grouped bars: one group a row, one bar a column, the number on it; none at all: a sentence says so."""
    if counts.isna().all(axis=None):
        return Sentence("These images give no such number.")
    figure = go.Figure()
    for position, column in enumerate(counts.columns):
        colour = (colours or {}).get(column, LEVEL_COLOURS[position % len(LEVEL_COLOURS)])
        values = counts[column].tolist()
        text = [value or "" for value in values]  # a missing bar says 0 by itself
        figure.add_bar(x=[str(i) for i in counts.index], y=values, name=str(column), marker_color=colour, text=text)
    figure.update_traces(textposition="outside", textangle=0, cliponaxis=False)
    figure.update_layout(yaxis_title=unit, xaxis_title=counts.index.name, legend_title=counts.columns.name)
    return styled(figure)


def pictures(
    rows: Mapping[str, Sequence[np.ndarray]],
    titles: Sequence[Sequence[str]] | None = None,
    below: Sequence[Sequence[str]] | None = None,
    fewest_columns: int = FEWEST_COLUMNS,
) -> go.Figure | Sentence:
    """A grid of images, a labelled row each; enlarged, a pixel stays a square.

    rows: label -> images (height, width) or (height, width, 3) uint8; none: a sentence says so. titles: what hovering over
    each image says. below: what stands under each image; `<br>` begins a second line. fewest_columns: that the width is
    divided into, so that few images are not drawn too large: 3 draws each 240 pixels wide.
    """
    if not rows:
        return Sentence("There is no such image here.")
    columns = max(fewest_columns, *(len(images) for images in rows.values()))
    high = GRID_WIDTH // columns + 35 + (34 if below else 0)  # pixels of a row with its name and what stands below
    figure = make_subplots(
        len(rows),
        columns,
        horizontal_spacing=0.006,
        vertical_spacing=(1 - GRID_WIDTH / columns / high) / len(rows) if len(rows) > 1 else 0,
        subplot_titles=[title for name in rows for title in [name] + [""] * (columns - 1)],
    )
    side = 2 * GRID_WIDTH // columns  # twice what is shown, for dense screens; more only makes the page heavy
    for row, images in enumerate(rows.values(), start=1):
        for column, image in enumerate(images, start=1):
            text = titles[row - 1][column - 1] if titles else ""
            figure.add_trace(
                go.Image(source=data_address(image, side), zsmooth=False, hovertemplate=text + "<extra></extra>"),
                row,
                column,
            )
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    figure.update_annotations(x=0, xanchor="left", font_size=13)  # a row's name stands above its first image
    for row, lines in enumerate(below or [], start=1):
        for column, line in enumerate(lines, start=1):
            _under(figure, line, (row - 1) * columns + column)
    figure.update_layout(height=40 + high * len(rows), margin={"l": 5, "r": 5, "t": 30, "b": 40 if below else 5})
    return styled(figure)


def filters(rows: Mapping[str, np.ndarray], most: int = 10) -> go.Figure:
    """Weights of a convolution as pictures, a labelled row each, all on one scale: mid-grey is zero.

    rows: label -> (height, width, channels, filters) float; the first `most` filters are drawn, of one or three channels,
    else the mean over channels.
    """
    drawn = {
        name: kernel if kernel.shape[2] in (1, 3) else kernel.mean(2, keepdims=True) for name, kernel in rows.items()
    }
    largest = max(np.abs(kernel[..., :most]).max() for kernel in drawn.values()) or 1.0
    shades = {name: np.uint8(np.round(127.5 + 127.5 * kernel / largest)) for name, kernel in drawn.items()}
    return pictures({name: [_flat(grey[..., i]) for i in range(grey.shape[3])][:most] for name, grey in shades.items()})


def _under(figure: go.Figure, text: str, panel: int) -> None:
    number = panel if panel > 1 else ""
    place = {
        "xref": f"x{number} domain",
        "yref": f"y{number} domain",
        "x": 0,
        "y": 0,
        "xanchor": "left",
        "yanchor": "top",
    }
    figure.add_annotation(text=text, align="left", showarrow=False, font_size=11, **place)


def _flat(image: np.ndarray) -> np.ndarray:
    return image[..., 0] if image.shape[-1] == 1 else image


def data_address(image: np.ndarray, side: int) -> str:
    """A PNG data address of an image of at most `side` pixels."""
    factor = side / max(image.shape[:2])
    if factor < 1:
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    ordered = image[..., ::-1] if image.ndim == 3 and image.shape[-1] == 3 else image
    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", ordered)[1]).decode()
