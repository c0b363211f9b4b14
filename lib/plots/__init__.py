"""Figures: one palette, one look; every function returns a plotly figure."""

from lib.plots.comparisons import compared, confusions
from lib.plots.data import bars, histograms, lines, pictures, scatter
from lib.plots.results import confusion, intervals, metrics, strips
from lib.plots.style import LEVEL_COLOURS, PART_COLOURS, SERIES_COLOURS
from lib.plots.training import curves, dynamics

__all__ = [
    "LEVEL_COLOURS", "PART_COLOURS", "SERIES_COLOURS", "bars", "compared", "confusion", "confusions",
    "curves", "dynamics", "histograms", "intervals", "lines", "metrics", "pictures", "scatter", "strips",
]  # fmt: skip
