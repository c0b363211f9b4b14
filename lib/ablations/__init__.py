"""All runs that the chapters of a book used: settings, the one change that each makes, and what it brought (S3.39, S0.8)."""

from lib.ablations.claims import (
    average_effect,
    beyond_seeds,
    loss_changes,
    narrowing,
    order_as,
    order_kept,
    regularising,
    tuned,
)
from lib.ablations.costs import costs, effort
from lib.ablations.parts import apart
from lib.ablations.settings import (
    Setting,
    differences,
    history,
    of_study,
    once,
    parents,
    read,
    scores,
    strongest,
    table,
    verdicts,
)

__all__ = [
    "Setting", "apart", "average_effect", "beyond_seeds", "costs", "differences", "effort", "history", "loss_changes",
    "narrowing", "of_study", "once", "order_as", "order_kept", "parents", "read", "regularising", "scores", "strongest",
    "table", "tuned", "verdicts",
]  # fmt: skip
