"""Figures of results: estimates with their intervals, single values, errors by class."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from lib.estimates import Estimate, Inapplicable
from lib.plots.style import NOTHING, SERIES_COLOURS, styled
from lib.texts import Sentence

METRIC_TITLES = {
    "auc": "AUC",
    "auc_within_groups": "AUC within groups",
    "f1": "F1",
    "brier": "Brier, lower is better",
    "log_loss": "log loss, lower is better",
}


def intervals(
    estimates: Mapping[str, Estimate | Inapplicable],
    unit: str,
    reference: float | Mapping[str, float] | None = None,
    level: float = 0.95,
    cross: str = "without looking at the image",
) -> go.Figure | Sentence:
    """Estimates as points with their intervals; where there is none, the reason. A sentence where there is none at all.

    reference: where nothing would be gained, drawn as a dashed line; as a mapping, a cross for each name it holds.
    cross: what the crosses mean.
    """
    if all(isinstance(estimate, Inapplicable) for estimate in estimates.values()):
        return why(estimates.values())
    figure = go.Figure()
    for row, (name, estimate) in enumerate(estimates.items()):
        if isinstance(estimate, Inapplicable):
            figure.add_annotation(
                x=0.5, xref="paper", y=row, text=f"not applicable: {estimate.reason}", showarrow=False
            )
        else:
            _interval(figure, name, estimate, level)
    if isinstance(reference, Mapping):
        _crosses(figure, {name: reference[name] for name in estimates if name in reference}, cross)
    else:
        _dashed(figure, reference)
    figure.update_layout(xaxis_title=f"{unit} ({100 * level:g} % interval)", height=110 + 50 * len(estimates))
    _rows(figure, list(estimates))
    return styled(figure)


def metrics(
    estimates: Mapping[str, Estimate | Inapplicable],
    chance: Mapping[str, float],
    further: Mapping[str, Mapping[str, float]] | None = None,
) -> go.Figure | Sentence:
    """Metrics by their names in `lib.metrics`, with the value of each that is reached without looking at the image.

    further: meaning -> the same of something else to compare with, such as brightness alone; each has crosses of its own.
    """
    titles = {name: METRIC_TITLES.get(name, name.replace("_", " ")) for name in estimates}
    drawn = intervals(
        {titles[name]: estimate for name, estimate in estimates.items()}, "value", _titled(chance, titles)
    )
    if isinstance(drawn, go.Figure):
        for place, (meaning, values) in enumerate((further or {}).items(), start=1):
            _crosses(drawn, _titled(values, titles), meaning, SERIES_COLOURS[place])
    return drawn


def _titled(values: Mapping[str, float], titles: Mapping[str, str]) -> dict[str, float]:
    return {titles[name]: value for name, value in values.items() if name in titles}


def dependence(
    estimates: Mapping[float, Estimate | Inapplicable], of: str, unit: str, reference: float | None = None
) -> go.Figure | Sentence:
    """Estimates with their 95 % intervals against a number that was changed, on a logarithmic axis, joined by a line.

    estimates: number > 0 -> estimate, in the order of the numbers. of: title of the axis of the number. reference: what
    is reached without looking at the image, a dashed line.
    """
    known = {number: found for number, found in estimates.items() if isinstance(found, Estimate)}
    if not known:
        return why(estimates.values())
    limits = np.array([found.interval() for found in known.values()])
    values = np.array([found.value for found in known.values()])
    figure = go.Figure()
    figure.add_scatter(
        x=list(known),
        y=values,
        mode="lines+markers",
        marker={"size": 9, "color": SERIES_COLOURS[0]},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": limits[:, 1] - values,
            "arrayminus": values - limits[:, 0],
        },
        text=[f"{value:z.3f} [{low:z.3f}, {high:z.3f}]" for value, (low, high) in zip(values, limits, strict=True)],
        hovertemplate="%{x:,}: %{text}<extra></extra>",
    )
    figure.update_xaxes(type="log", title_text=of, tickvals=list(known), ticktext=[f"{number:,}" for number in known])
    figure.update_layout(yaxis_title=f"{unit} (95 % interval)", height=380)
    if reference is not None:
        figure.add_hline(reference, line_dash="dash", line_color="#888888")
    return styled(figure)


def strips(values: Mapping[str, Sequence[float]], unit: str, reference: float | None = None) -> go.Figure | Sentence:
    """Single values as dots, one row a name; a value that is not known is not drawn, and without any name there is a sentence."""
    if not values:
        return NOTHING
    figure = go.Figure()
    for position, (name, numbers) in enumerate(values.items()):
        colour = SERIES_COLOURS[position % len(SERIES_COLOURS)]
        marker = {"size": 8, "opacity": 0.7, "color": colour}
        figure.add_scatter(x=list(numbers), y=[name] * len(numbers), mode="markers", marker=marker, showlegend=False)
    _dashed(figure, reference)
    figure.update_layout(xaxis_title=unit, height=110 + 60 * min(len(values), 8) + 25 * max(0, len(values) - 8))
    _rows(figure, list(values))
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
    figure.update_layout(
        xaxis_title="predicted", yaxis_title="true", height=280 + 30 * len(classes), yaxis_autorange="reversed"
    )
    return styled(figure)


def why(estimates: Iterable[Estimate | Inapplicable]) -> Sentence:
    """Why there is nothing to draw."""
    reasons = dict.fromkeys(estimate.reason for estimate in estimates if isinstance(estimate, Inapplicable))
    return Sentence(f"Not applicable: {'; '.join(reasons) or 'nothing was measured'}.")


def _interval(figure: go.Figure, name: str, estimate: Estimate, level: float) -> None:
    low, high = estimate.interval(level)
    arms = {"array": [high - estimate.value], "arrayminus": [estimate.value - low]}
    figure.add_scatter(
        x=[estimate.value],
        y=[name],
        mode="markers",
        marker={"size": 10, "color": SERIES_COLOURS[0]},
        error_x={"type": "data", "symmetric": False, **arms},
        hovertemplate=f"{estimate.value:z.3f} [{low:z.3f}, {high:z.3f}]<extra>{name}</extra>",
        showlegend=False,
    )


def _crosses(figure: go.Figure, values: Mapping[str, float], meaning: str, colour: str = "#888888") -> None:
    marker = {"size": 9, "symbol": "x-thin", "line": {"width": 2, "color": colour}}
    figure.add_scatter(
        x=list(values.values()),
        y=list(values),
        mode="markers",
        marker=marker,
        name=meaning,
        hovertemplate="%{x:.3f}<extra>%{y}, " + meaning + "</extra>",
    )


def _dashed(figure: go.Figure, value: float | None) -> None:
    if value is not None and np.isfinite(value):
        figure.add_vline(value, line_dash="dash", line_color="#888888")


def _rows(figure: go.Figure, names: Sequence[str]) -> None:
    """Every name gets a row from the top down, also one without a point."""
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=list(names))
    figure.update_yaxes(range=[max(1, len(names)) - 0.5, -0.5])
