"""How well masks fit what they are taught to find: both kinds, with full effort, on phantoms that no training saw (S1.2)."""

from typing import get_args

from benchmarks import report
from lib import masking, masks

GOAL = report.Goal("at least", 0.95)  # mean intersection over union


def measure(effort: str = "full") -> list[report.Figure]:
    """The mean of each kind between the ends of its 95 % interval, single phantoms, and what teaching took.

    A network of this code that was taught before is found, with the seconds that it took then. `quick` is for a look.
    """
    return [figure for kind in get_args(masks.Kind) for figure in _figures(kind, masking.finder(kind, effort))]


def _figures(kind: str, network: masks.Network) -> list[report.Figure]:
    fit = masking.fit(network)
    low, high = fit.interval()
    return [
        report.Figure(f"{kind}: mean, between the ends of its interval", "IoU", [low, fit.value, high], GOAL),
        report.Figure(f"{kind}: single phantoms", "IoU", network.iou.tolist()),
        report.Figure(f"{kind}: one mask for all phantoms", "IoU", network.constant_iou.tolist()),
        report.Figure(f"{kind}: taught in", "seconds", [network.record["seconds"]]),
    ]
