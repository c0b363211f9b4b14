"""Figures: one palette, one look; every function returns a plotly figure, or a sentence where nothing is to be drawn."""

from lib.plots.ablations import agreement, changes, every_metric, four_panels, scores, times
from lib.plots.comparisons import confusions, side_by_side
from lib.plots.data import bars, filters, histograms, lines, pictures, scatter
from lib.plots.diagram import diagram
from lib.plots.final import bands, benefit, reliability
from lib.plots.overlays import chooser, maps
from lib.plots.results import confusion, dependence, intervals, metrics, strips
from lib.plots.style import LEVEL_COLOURS, PART_COLOURS, SERIES_COLOURS
from lib.plots.training import compared, curves, dynamics, range_test
from lib.plots.transfer import fitted, tradeoff, trends, trends_beside

__all__ = [
    "LEVEL_COLOURS", "PART_COLOURS", "SERIES_COLOURS", "agreement", "bands", "bars", "benefit", "changes", "chooser",
    "compared", "confusion", "confusions", "curves", "dependence", "diagram", "dynamics", "every_metric", "filters",
    "fitted", "four_panels", "histograms", "intervals", "lines", "maps", "metrics", "pictures", "range_test",
    "reliability", "scatter", "scores", "side_by_side", "strips", "times", "tradeoff", "trends",
    "trends_beside",
]  # fmt: skip
