"""How well networks fit, for chapters 7 and 8: the gap to validation, sweeps of a constant, support for a rate."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.estimates import Estimate, Inapplicable
from lib.intervals import difference_between_parts, seed_mean_estimate
from lib.metrics import by_seed, decisions, metric_statistic
from lib.runs import Run, predictions_by_seed
from lib.sanity import training_loss


def gap(runs: Sequence[Run]) -> Estimate | Inapplicable:
    """Log loss on validation minus that on the images that were learned from, nats; over seeds and the groups of both parts."""
    scored, learned = (predictions_by_seed(runs, part) for part in ("validation", "train"))
    losses = [metric_statistic("log_loss", part.labels, part.probabilities) for part in (scored, learned)]
    return difference_between_parts(losses[0], scored.groups, losses[1], learned.groups)


def training_accuracy(runs: Sequence[Run]) -> np.ndarray:
    """Share of the training images whose class a run decides for after training: (seeds,)."""
    learned = predictions_by_seed(runs, "train")
    return np.array([(decisions(seed) == learned.labels).mean() for seed in learned.probabilities])


def losses(finished: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """Mean over seeds of the log loss after training, nats: a row a setting, columns train, tuning, validation."""
    table = pd.DataFrame({"train": {name: training_loss(runs).mean() for name, runs in finished.items()}})
    for part in ("tuning", "validation"):
        scored = {name: predictions_by_seed(runs, part) for name, runs in finished.items()}
        table[part] = [by_seed("log_loss", found.labels, found.probabilities).mean() for found in scored.values()]
    return table


def support(rate: float, suggestions: pd.Series) -> Estimate | Inapplicable:
    """log10 of a rate over those that range tests suggest, over seeds: 0.5 is a factor of three.

    suggestions: seed -> rate, NaN where a test suggests none.
    """
    known = suggestions.dropna()
    if known.empty:
        return Inapplicable("no range test suggests a rate")
    return seed_mean_estimate(np.log10(rate / known))
