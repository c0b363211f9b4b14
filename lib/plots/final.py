"""Figures of the final test: reliability, curves with bands, net benefit."""

from collections.abc import Mapping
from itertools import cycle

import pandas as pd
import plotly.graph_objects as go

from lib.estimates import Inapplicable
from lib.plots.results import why
from lib.plots.style import SERIES_COLOURS, styled
from lib.texts import Sentence

SHADE = 0.18  # opacity of a band


def reliability(tables: Mapping[str, pd.DataFrame]) -> go.Figure:
    """Share that is so against the probability that was said, a line a series; shaded is what a perfect model would show.

    tables: series -> images, probability, share, low, high, a row a bin.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dash", "color": "#888888"}, showlegend=False, hoverinfo="skip"
    )
    for colour, (name, table) in zip(cycle(SERIES_COLOURS), tables.items(), strict=False):
        _band(figure, table["probability"], table["low"], table["high"], colour)
        figure.add_scatter(
            x=table["probability"], y=table["share"], mode="lines+markers", name=name, text=table["images"],
            line={"color": colour}, hovertemplate="said %{x:.3f}, is so %{y:.3f}, %{text} images<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="probability, mean of a bin", range=[-0.02, 1.02])
    figure.update_yaxes(title_text="share that is so", range=[-0.02, 1.02])
    return styled(figure.update_layout(height=430))


def bands(
    curves: Mapping[str, pd.DataFrame | Inapplicable],
    across: str,
    up: str,
    shown: str,
    reference: float | None = None,
) -> go.Figure | Sentence:
    """Curves with their pointwise 95 % bands, a colour a series; a sentence where there is none.

    curves: series -> x, value, low, high. shown: the series whose band is drawn; that of another one is drawn once its
    entry of the legend is clicked. reference: what chance would give: a dashed line at that height; None: the
    diagonal.
    """
    known = {name: each for name, each in curves.items() if not isinstance(each, Inapplicable)}
    if not known:
        return why([each for each in curves.values() if isinstance(each, Inapplicable)])
    figure = go.Figure()
    ends = [0, 1] if reference is None else [reference, reference]
    figure.add_scatter(
        x=[0, 1], y=ends, mode="lines", line={"dash": "dash", "color": "#888888"}, showlegend=False, hoverinfo="skip"
    )
    for colour, (name, table) in zip(cycle(SERIES_COLOURS), known.items(), strict=False):
        _band(figure, table["x"], table["low"], table["high"], colour)
        figure.data[-1].update(name=f"band of {name}", showlegend=True, visible=True if name == shown else "legendonly")
        text = [f"[{low:.3f}, {high:.3f}]" for low, high in zip(table["low"], table["high"], strict=True)]
        figure.add_scatter(
            x=table["x"], y=table["value"], mode="lines", name=name, text=text, line={"color": colour},
            hovertemplate="%{x:.3f}: %{y:.3f} %{text}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text=across, range=[-0.02, 1.02])
    figure.update_yaxes(title_text=up, range=[-0.02, 1.02])
    return styled(figure.update_layout(height=430))


def benefit(curve: pd.DataFrame | Inapplicable, threshold: float | None) -> go.Figure | Sentence:
    """Net benefit of the model, of acting on all images and on none, by the probability from which one would act.

    curve: index threshold; columns model, all, none. threshold: of the operating point, a dotted line; None: there is none.
    """
    if isinstance(curve, Inapplicable):
        return why([curve])
    figure = go.Figure()
    for colour, name in zip(SERIES_COLOURS, curve, strict=False):
        figure.add_scatter(
            x=curve.index, y=curve[name], mode="lines", name=name, line={"color": colour},
            hovertemplate="%{x:.2f}: %{y:.3f}<extra>" + name + "</extra>",
        )  # fmt: skip
    if threshold is not None:
        figure.add_vline(threshold, line_dash="dot", line_color="#888888")
    top = float(curve[["model", "none"]].max(axis=None))
    figure.update_yaxes(title_text="net benefit, share of images", range=[-0.1 - 0.2 * top, 1.15 * top + 0.02])
    figure.update_xaxes(title_text="probability from which one would act")
    return styled(figure.update_layout(height=400))


def _band(figure: go.Figure, x: pd.Series, low: pd.Series, high: pd.Series, colour: str) -> None:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    figure.add_scatter(
        x=[*x, *x[::-1]], y=[*high, *low[::-1]], fill="toself", mode="lines", line={"width": 0},
        fillcolor=f"rgba({red},{green},{blue},{SHADE})", showlegend=False, hoverinfo="skip",
    )  # fmt: skip
