"""Figures: one palette, one look; every function returns a plotly figure, or a sentence where nothing is to be drawn."""

from lib.plots.comparisons import confusions, side_by_side
from lib.plots.data import bars, filters, histograms, lines, pictures, scatter
from lib.plots.diagram import diagram
from lib.plots.results import confusion, intervals, metrics, strips
from lib.plots.style import LEVEL_COLOURS, PART_COLOURS, SERIES_COLOURS
from lib.plots.training import compared, curves, dynamics

__all__ = [
    "LEVEL_COLOURS", "PART_COLOURS", "SERIES_COLOURS", "bars", "compared", "confusion", "confusions", "curves", "diagram",
    "dynamics", "filters", "histograms", "intervals", "lines", "metrics", "pictures", "scatter", "side_by_side", "strips",
]  # fmt: skip
