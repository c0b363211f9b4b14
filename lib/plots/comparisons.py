"""Figures that put several series or several matrices side by side."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lib.estimates import Estimate, Inapplicable
from lib.plots.results import why
from lib.plots.style import SERIES_COLOURS, styled
from lib.texts import Sentence

PANELS = 3  # in a row
LETTERS = 26  # of a line above a panel
LINE = 17  # pixels of such a line


def side_by_side(
    estimates: Mapping[str, Mapping[str, Estimate | Inapplicable]], unit: str, reference: float | None = None
) -> go.Figure | Sentence:
    """Series of estimates with their 95 % intervals: one colour a series, one row a name, series one below the other.

    estimates: series -> name -> estimate; where there is none it is not drawn; none at all: a sentence says why.
    reference: where nothing would be gained, a dashed line.
    """
    names = list(dict.fromkeys(name for series in estimates.values() for name in series))
    everything = [estimate for series in estimates.values() for estimate in series.values()]
    if not any(isinstance(estimate, Estimate) for estimate in everything):
        return why(everything)
    figure = go.Figure()
    for position, (colour, (series, found)) in enumerate(zip(cycle(SERIES_COLOURS), estimates.items(), strict=False)):
        offset = (position - (len(estimates) - 1) / 2) * 0.8 / len(estimates)
        known = {name: e for name, e in found.items() if isinstance(e, Estimate)}
        limits = np.array([e.interval() for e in known.values()]).reshape(-1, 2)
        values = np.array([e.value for e in known.values()])
        text = [
            f"{e.value:z.3f} [{low:z.3f}, {high:z.3f}]" for e, (low, high) in zip(known.values(), limits, strict=True)
        ]
        figure.add_scatter(
            x=values,
            y=[names.index(name) + offset for name in known],
            mode="markers",
            name=series,
            text=[f"{name}, {series}<br>{said}" for name, said in zip(known, text, strict=True)],
            hovertemplate="%{text}<extra></extra>",
            marker={"size": 8, "color": colour},
            error_x={"type": "data", "symmetric": False, "array": limits[:, 1] - values,
                     "arrayminus": values - limits[:, 0]},
        )  # fmt: skip
    if reference is not None:
        figure.add_vline(reference, line_dash="dash", line_color="#888888")
    ticks = {"tickvals": list(range(len(names))), "ticktext": names, "zeroline": False}
    figure.update_yaxes(**ticks, range=[max(1, len(names)) - 0.5, -0.5])
    rows = len(names) * len(estimates)
    figure.update_layout(xaxis_title=f"{unit} (95 % interval)", height=140 + 8 * len(names) + 16 * max(4, rows))
    return styled(figure)


def confusions(matrices: Mapping[str, np.ndarray], classes: Sequence[str]) -> go.Figure:
    """Confusion matrices side by side: counts, coloured by the share of the true class.

    matrices: name -> (classes, classes), rows true, columns predicted; none: an empty figure. What stands before the first
    comma of a name has a line of its own.
    """
    rows = max(1, -(-len(matrices) // PANELS))
    titles = [_lines(name) for name in matrices]
    extra = LINE * max((len(title) - 1 for title in titles), default=0)  # pixels, of a row of panels
    height = 100 + extra + (170 + extra + 20 * len(classes)) * rows
    figure = make_subplots(
        rows, PANELS, subplot_titles=["<br>".join(title) for title in titles], shared_yaxes=True, horizontal_spacing=0.04,
        vertical_spacing=0.24 / rows + extra / height,
    )  # fmt: skip
    for panel, matrix in enumerate(matrices.values()):
        share = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
        heat = go.Heatmap(
            z=share,
            x=list(classes),
            y=list(classes),
            text=[[f"{value:,.0f}" for value in row] for row in matrix],
            texttemplate="%{text}",
            coloraxis="coloraxis",
            hovertemplate="true %{y}, predicted %{x}<br>%{z:.1%} of the true class<extra></extra>",
        )
        figure.add_trace(heat, panel // PANELS + 1, panel % PANELS + 1)
    figure.update_annotations(font_size=13)
    figure.update_yaxes(autorange="reversed", type="category").update_yaxes(title_text="true", col=1)
    figure.update_xaxes(type="category").update_xaxes(title_text="predicted", row=rows)
    scale = {"colorscale": "Blues", "cmin": 0, "cmax": 1, "showscale": False}
    figure.update_layout(coloraxis=scale, height=height, margin={"l": 60, "r": 40, "t": 40 + extra, "b": 50})
    return styled(figure)


def _lines(title: str) -> list[str]:
    network, *others = title.split(", ", 1)
    return [network, *(line for other in others for line in textwrap.wrap(other, LETTERS))]
