"""How well networks fit, for chapters 7 and 8: the gap to validation, sweeps of a constant, support for a rate."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib import effects, metrics
from lib.estimates import Estimate, Inapplicable
from lib.intervals import difference_between_parts, seed_mean_estimate
from lib.metrics import metric_statistic
from lib.runs import Run, predictions_by_seed
from lib.sanity import by_seed, training_loss
from lib.texts import Sentence
from lib.training.data import Data

LATE_EPOCHS = 5


def gap(runs: Sequence[Run]) -> Estimate | Inapplicable:
    """Log loss on validation minus that on the images that were learned from, nats; over seeds and the groups of both parts.

    Inapplicable where each seed learned from other images: the two samples would not be the same for all.
    """
    images = [run.predictions.query("part == 'train'")["image"].to_numpy() for run in runs]
    if not all(np.array_equal(images[0], other) for other in images[1:]):
        return Inapplicable("each seed learned from other images")
    scored, learned = (predictions_by_seed(runs, part) for part in ("validation", "train"))
    losses = [metric_statistic("log_loss", part.labels, part.probabilities) for part in (scored, learned)]
    return difference_between_parts(losses[0], scored.groups, losses[1], learned.groups)


def unlearned(data: Data) -> float:
    """The gap of what looks at no image, the class shares of the training part given to every image, nats."""
    return effects.blind(data)["log_loss"] - effects.blind(data, "train")["log_loss"]


def without_images(data: Data) -> Sentence:
    """That gap in words: where two parts would count as alike."""
    return Sentence(
        f"The class shares, given to every image, have a gap of {unlearned(data):z.3f} nats, because the parts hold other "
        "shares of the classes: a network that tells nothing apart lies there, not at zero."
    )


def late(runs: Sequence[Run], metric: str) -> np.ndarray:
    """A column of the history on the training part, mean over the last epochs, five at most, of each run: (seeds,).

    The untrained network takes no part.
    """
    return by_seed(runs, "train", metric).loc[1:].tail(LATE_EPOCHS).mean().to_numpy()


def losses(finished: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """Mean over seeds of the log loss after training, nats: a row a setting, columns train, tuning, validation."""
    table = pd.DataFrame({"train": {name: training_loss(runs).mean() for name, runs in finished.items()}})
    for part in ("tuning", "validation"):
        scored = {name: predictions_by_seed(runs, part) for name, runs in finished.items()}
        table[part] = [
            metrics.by_seed("log_loss", found.labels, found.probabilities).mean() for found in scored.values()
        ]
    return table


def support(rate: float, suggestions: pd.Series) -> Estimate | Inapplicable:
    """log10 of a rate over those that range tests suggest, over seeds: 0.5 is a factor of three.

    suggestions: seed -> rate, NaN where a test suggests none.
    """
    known = suggestions.dropna()
    if known.empty:
        return Inapplicable("no range test suggests a rate")
    return seed_mean_estimate(np.log10(rate / known))
