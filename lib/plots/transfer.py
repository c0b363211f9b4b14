"""Figures of transfer learning: scores against depth or size, scores against time, and what time costs by a fitted law."""

from collections.abc import Collection, Mapping
from itertools import cycle

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lib.estimates import Estimate, Inapplicable
from lib.plots.results import why
from lib.plots.style import SERIES_COLOURS, legend_once, styled
from lib.texts import Sentence

BESIDE = 0.02  # of an axis
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")


def trends(
    estimates: Mapping[str, Mapping[float, Estimate | Inapplicable]],
    of: str,
    unit: str,
    hollow: Collection[float] = (),
    logarithmic: bool = False,
    reference: float | None = None,
) -> go.Figure | Sentence:
    """Estimates with their 95 % intervals against a number, a line a series; where there is none it is not drawn.

    Series stand a little beside each other, so that no bar hides another one.
    estimates: series -> number -> estimate, in the order of the numbers. of: title of the axis of the number. hollow: numbers
    whose markers are open. reference: what is reached without looking at an image: a dashed line at that height.
    """
    everything = [estimate for series in estimates.values() for estimate in series.values()]
    if not any(isinstance(estimate, Estimate) for estimate in everything):
        return why(everything)
    figure = go.Figure()
    numbers = list(dict.fromkeys(number for found in estimates.values() for number in found))
    places = _beside(numbers, len(estimates), logarithmic)
    for colour, beside, (series, found) in zip(cycle(SERIES_COLOURS), places, estimates.items(), strict=False):
        known = {number: each for number, each in found.items() if isinstance(each, Estimate)}
        values = np.array([each.value for each in known.values()])
        figure.add_scatter(
            x=[beside[number] for number in known], y=values, mode="lines+markers", name=series,
            line={"color": colour, "width": 1.5},
            error_y=_arms(known, values) | {"thickness": 1.2, "color": colour},
            marker={"size": 9, "color": colour, "symbol": [f"circle{'-open' * (x in hollow)}" for x in known]},
            text=[f"{number:g}: {each}" for number, each in known.items()],
            hovertemplate="%{text}<extra>" + series + "</extra>",
        )  # fmt: skip
    if reference is not None:
        figure.add_hline(reference, line_dash="dash", line_color="#888888")
    ticks = {"tickvals": numbers, "ticktext": [f"{number:g}" for number in numbers]}
    figure.update_xaxes(type="log" if logarithmic else "linear", title_text=of, **ticks)
    figure.update_layout(yaxis_title=f"{unit} (95 % interval)", height=420, showlegend=len(estimates) > 1)
    return styled(figure)


def trends_beside(
    panels: Mapping[str, Mapping[str, Mapping[float, Estimate | Inapplicable]]], of: str, unit: str
) -> go.Figure | Sentence:
    """As `trends`, a panel each with its title, on one scale and with one legend."""
    drawn = {title: trends(estimates, of, unit) for title, estimates in panels.items()}
    if sentences := [each for each in drawn.values() if isinstance(each, Sentence)]:
        return sentences[0]
    figure = make_subplots(1, len(drawn), subplot_titles=list(drawn), shared_yaxes=True, horizontal_spacing=0.04)
    for column, each in enumerate(drawn.values(), start=1):
        for trace in each.data:
            figure.add_trace(trace, 1, column)
        axis = each.layout.xaxis
        figure.update_xaxes(title_text=of, tickvals=axis.tickvals, ticktext=axis.ticktext, col=column)
    figure.update_yaxes(title_text=f"{unit} (95 % interval)", col=1)
    figure.update_layout(height=440, showlegend=True)
    return legend_once(styled(figure)).update_layout(legend_y=1.12, margin_t=80)  # above the titles


def tradeoff(
    estimates: Mapping[str, Estimate | Inapplicable], seconds: Mapping[str, float], kinds: Mapping[str, str], unit: str
) -> go.Figure | Sentence:
    """Estimates with their 95 % intervals against the time that a run takes, on a logarithmic axis; hover for names.

    seconds, kinds: by the names of `estimates`; a kind has its own colour and shape.
    """
    known = {name: each for name, each in estimates.items() if isinstance(each, Estimate)}
    if not known:
        return why(estimates.values())
    figure = go.Figure()
    styles = zip(cycle(SERIES_COLOURS), cycle(SYMBOLS), dict.fromkeys(kinds[name] for name in known), strict=False)
    for colour, symbol, kind in styles:
        rows = {name: each for name, each in known.items() if kinds[name] == kind}
        values = np.array([each.value for each in rows.values()])
        figure.add_scatter(
            x=[seconds[name] for name in rows], y=values, mode="markers", name=kind,
            marker={"size": 11, "color": colour, "symbol": symbol}, error_y=_arms(rows, values) | {"thickness": 1.2},
            text=[f"{name}<br>{each}" for name, each in rows.items()],
            hovertemplate="%{text}<br>%{x:.3g} s<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(type="log", title_text="seconds a run", **_plain_ticks([seconds[name] for name in known]))
    return styled(figure.update_layout(yaxis_title=f"{unit} (95 % interval)", height=440))


def fitted(points: pd.DataFrame, curves: pd.DataFrame, of: str, unit: str, logarithmic: bool = False) -> go.Figure:
    """Measured times as dots, with the law that was fitted to them as lines; a colour a series.

    points, curves: series, x, y. logarithmic: both axes.
    """
    figure = go.Figure()
    for colour, series in zip(cycle(SERIES_COLOURS), points["series"].unique(), strict=False):
        dots, line = (table[table["series"] == series] for table in (points, curves))
        looks = {"marker": {"size": 9, "color": colour, "opacity": 0.75}, "line": {"color": colour, "width": 1.5}}
        figure.add_scatter(
            x=line["x"], y=line["y"], mode="lines", line=looks["line"], showlegend=False, hoverinfo="skip"
        )
        figure.add_scatter(
            x=dots["x"], y=dots["y"], mode="markers", name=str(series), marker=looks["marker"],
            hovertemplate="%{x:g}: %{y:.3g}<extra>" + str(series) + "</extra>",
        )  # fmt: skip
    kind = "log" if logarithmic else "linear"
    numbers = sorted(points["x"].unique())
    figure.update_xaxes(type=kind, title_text=of, tickvals=numbers, ticktext=[f"{number:g}" for number in numbers])
    figure.update_yaxes(type=kind, title_text=unit)
    return styled(figure.update_layout(height=400))


def _beside(numbers: Collection[float], series: int, logarithmic: bool) -> list[dict[float, float]]:
    """Where each series draws each number: all within BESIDE of the axis, around the number itself."""
    shares = BESIDE * (np.arange(series) - (series - 1) / 2) / max(1, series - 1)
    low, high = min(numbers), max(numbers)
    if logarithmic:
        return [{number: number * (high / low) ** share for number in numbers} for share in shares]
    return [{number: number + share * (high - low) for number in numbers} for share in shares]


def _plain_ticks(values: Collection[float]) -> dict[str, list]:
    """Ticks of a logarithmic axis at 1, 2 and 5 of each power of ten, written out."""
    low, high = (int(np.floor(np.log10(end))) for end in (min(values), max(values)))
    ticks = [first * 10.0**power for power in range(low, high + 2) for first in (1, 2, 5)]
    return {"tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def _arms(estimates: Mapping[float | str, Estimate], values: np.ndarray) -> dict:
    limits = np.array([each.interval() for each in estimates.values()]).reshape(-1, 2)
    return {"type": "data", "symmetric": False, "array": limits[:, 1] - values, "arrayminus": values - limits[:, 0]}
