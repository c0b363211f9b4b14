"""One palette and one look for all figures."""

import plotly.graph_objects as go

from lib.texts import Sentence

# Okabe and Ito 2008: told apart by colour-blind readers too.
PART_COLOURS = {"train": "#0072B2", "tuning": "#E69F00", "validation": "#D55E00", "test": "#009E73"}
SERIES_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#888888")
LEVEL_COLOURS = ("#56B4E9", "#E69F00", "#D55E00", "#AA4499", "#0072B2", "#009E73", "#888888")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")  # after the colours are used up
NOTHING = Sentence("There is nothing to be drawn here.")


def styled(figure: go.Figure) -> go.Figure:
    """The look all figures share: transparent, light grid, the palette."""
    figure.update_layout(
        template="plotly_white",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=SERIES_COLOURS,
        font={"size": 13},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        modebar={"orientation": "v", "bgcolor": "rgba(0,0,0,0)"},  # beside the figure: above it stands the legend
    )
    if figure.layout.margin.t is None:
        figure.update_layout(margin={"l": 60, "r": 40, "t": 40, "b": 50})
    return figure


def legend_once(figure: go.Figure) -> go.Figure:
    """Each name once in the legend, however many traces carry it."""
    seen: set[str] = set()
    for trace in figure.data:
        if trace.showlegend is not False:
            trace.showlegend = trace.name not in seen
            seen.add(trace.name)
    return figure
