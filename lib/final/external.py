"""How frozen models do on images of another data set, with nothing tuned on it."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import pandas as pd

from lib import config, external, metrics, pixels, runs, unpaired
from lib.custody.external import Outside
from lib.estimates import Estimate, Inapplicable
from lib.steps import Recipe

NOT_ASKED = "no other data set was named (EXTERNAL), so that nothing is known of images from elsewhere"
OWN, OTHER, DROP = "own test part", "other data set", "drop"


class Frozen(Protocol):
    """A model with every decision taken: it goes from pixels of its own recipe and size to probabilities."""

    recipe: Recipe
    image_size: int  # pixels per side

    def predict(self, cache: pixels.PixelCache) -> np.ndarray:
        """(n,) of class 1, or (n, classes), for every image of a cache, in its order."""


def predictions(
    model: Frozen, calibrate: Callable[[np.ndarray], np.ndarray], outside: Outside, context: config.Context
) -> runs.Predictions:
    """What a frozen model says of images of another data set, as one seed.

    calibrate: the frozen calibration, from probabilities to probabilities. The pixels go through the model's own recipe at
    its own size. Raises UserError for an image that the recipe cannot take.
    """
    folder = context.root.parent / "external" / "pixels"
    with external.images():
        cache = pixels.cached(folder, outside.card.read, outside.table, model.recipe, model.image_size)
        probability = calibrate(model.predict(cache))
    columns = (outside.table[name].to_numpy() for name in ("image", "group", "label"))
    return runs.Predictions(*columns, probability[None])


def compared(
    own: runs.Predictions, other: runs.Predictions, threshold: float
) -> dict[str, dict[str, Estimate | Inapplicable]]:
    """Every metric on the book's own test part and on the other data set, and how far it drops from one to the other.

    threshold: frozen before; two classes only. Losses (Brier, log loss) drop where they are negative. Of each metric the
    entries `own test part`, `other data set` and `drop`: own minus other, whose interval takes both as independent.
    """
    classes = 2 if own.probabilities.ndim == 2 else own.probabilities.shape[2]
    found = {}
    for name in metrics.fitting(classes):
        sides = [
            metrics.metric_estimate(name, side.labels, side.probabilities, side.groups, threshold)
            for side in (own, other)
        ]
        found[name] = {OWN: sides[0], OTHER: sides[1], DROP: unpaired.difference(*sides)}
    return found


def table(found: dict[str, dict[str, Estimate | Inapplicable]]) -> pd.DataFrame:
    """The comparison in words: a row a metric, each with its 95 % interval."""
    rows = {name.replace("_", " "): {side: str(each) for side, each in sides.items()} for name, sides in found.items()}
    return pd.DataFrame(rows).T.rename_axis("metric")


def record(outside: Outside, found: dict[str, dict[str, Estimate | Inapplicable]]) -> dict:
    """What the report pages read: the data set, how many images each step left, metrics with intervals."""
    return {
        "dataset": outside.card.name,
        "title": outside.card.title,
        "licence": outside.card.licence,
        "steps": outside.steps,
        "images": len(outside.table),
        "groups": int(outside.table["group"].nunique()),
        "metrics": {name: {side: each.record() for side, each in sides.items()} for name, sides in found.items()},
    }
