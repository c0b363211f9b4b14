"""How a frozen model does on images of another data set, with nothing tuned on it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from lib import config, external, metrics, texts, unpaired
from lib.custody.external import Outside, outside
from lib.estimates import Estimate, Inapplicable
from lib.final import frozen
from lib.final.scoring import of_predictions
from lib.runs import Predictions

NOT_ASKED = "no other data set was named (make book EXTERNAL=...)"
OWN, OTHER, DROP = "own test part", "other data set", "drop"


@dataclass(frozen=True, eq=False)
class Tried:
    """What came out: which images, and each metric here, there, and its drop; nothing of both where none was asked for."""

    images: Outside | None
    scores: dict[str, dict[str, Estimate | Inapplicable]]

    def gain(self, metric: str) -> Estimate | Inapplicable:
        """A metric on the other data set less the same on the own test part; below 0 the model does worse there."""
        if self.images is None:
            return Inapplicable(NOT_ASKED)
        return unpaired.difference(self.scores[metric][OTHER], self.scores[metric][OWN])

    def table(self) -> texts.Table | texts.Sentence:
        """For people: a row a metric, each number with its 95 % interval; a sentence where nothing was asked for."""
        if self.images is None:
            return texts.sentence(f"Not tried: {NOT_ASKED}.")
        rows = {
            name.replace("_", " "): {side: str(each) for side, each in sides.items()}
            for name, sides in self.scores.items()
        }
        return texts.table(pd.DataFrame.from_dict(rows, orient="index").rename_axis("metric"))

    def told(self) -> texts.Sentence:
        """Which images, and how many each step left."""
        if self.images is None:
            return texts.sentence("Nothing is known of images from elsewhere.")
        steps = "; ".join(f"{step}: {count:,}" for step, count in self.images.steps.items())
        groups = self.images.table["group"].nunique()
        return texts.sentence(
            f"{self.images.card.title}: {len(self.images.table):,} images in {groups:,} groups.",
            f"Images left ({steps}).",
            "All its labels were read here, so that it is no unseen test part for whoever goes on from this page.",
        )

    def record(self) -> dict[str, Any] | None:
        """What the report pages read: the data set, what each step left, metrics with intervals; None: not asked for."""
        if self.images is None:
            return None
        return {
            "dataset": self.images.card.name,
            "title": self.images.card.title,
            "licence": self.images.card.licence,
            "steps": self.images.steps,
            "images": len(self.images.table),
            "groups": int(self.images.table["group"].nunique()),
            "metrics": {
                name: {side: each.record() for side, each in sides.items()} for name, sides in self.scores.items()
            },
        }


def tried(model: frozen.Frozen, name: str, context: config.Context, own: Predictions) -> Tried:
    """Try a frozen model on another data set: same weights, recipe, temperature and threshold.

    name: of the other data set, "" for none. own: what the model says of the opened test part, calibrated.
    Raises UserError as `custody.external.outside`, and for an image that the recipe cannot take.
    """
    if not name:
        return Tried(None, {})
    images = outside(context, name)
    with external.images():
        said = model.finalist.of_images(context, images.table, images.card.read)
    other = model.calibrated(frozen.labelled(images.table, said))
    return Tried(images, compared(own, other, model.threshold))


def compared(own: Predictions, other: Predictions, threshold: float) -> dict[str, dict[str, Estimate | Inapplicable]]:
    """Every metric on the book's own test part and on the other data set, and how far it drops from one to the other.

    threshold: frozen before; two classes only. Of each metric the entries `own test part`, `other data set` and `drop`: own
    minus other, both taken as independent. Of losses (Brier, log loss) a drop below 0 is the bad news.
    """
    classes = 2 if own.probabilities.ndim == 2 else own.probabilities.shape[2]
    found = {}
    for name in metrics.fitting(classes):
        here, there = (of_predictions(name, side, threshold) for side in (own, other))
        found[name] = {OWN: here, OTHER: there, DROP: unpaired.difference(here, there)}
    return found
