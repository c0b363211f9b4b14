"""The finalists: what each said of tuning and validation when it was made, and what it says of images without labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from lib import atomic, backbones, cards, classical, config, custody, features, networks, pixels
from lib.custody.openings import KEY_LENGTH
from lib.runs import Predictions, Run, part_of, predictions_by_seed
from lib.steps import Recipe

PARTS = ("tuning", "validation")
CHECKED_IMAGES = 16
TOLERANCE = 2e-3  # of a probability, between two ways through the same network
UNKNOWN = -1  # stands for a label that nobody has seen


class NotTheSameModel(RuntimeError):
    """A model that says something else of validation images than it said when it was trained."""


@dataclass(frozen=True, eq=False)
class Finalist:
    """One frozen model.

    known: part -> what it says of `tuning` and `validation`, one seed, uncalibrated. of_pixels: (rows of a pixel cache) ->
    the same of any images, (n,) of class 1 or (n, classes). facts: for the record: chapter, seed, network, image_size, run ...
    """

    name: str
    title: str
    key: str  # hash of all that decides what it says, the code included
    declared: str  # the same without code: what an edit changes shows in temperature and threshold
    recipe: Recipe
    image_size: int  # pixels per side
    known: Mapping[str, Predictions]
    of_pixels: Callable[[pixels.PixelCache, pd.DataFrame], np.ndarray]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def predict(self, cache: pixels.PixelCache) -> np.ndarray:
        """(n,) of class 1, or (n, classes), uncalibrated, for every image of a pixel cache of its recipe and size."""
        return self.of_pixels(cache, pd.DataFrame({"image": cache.names, "group": cache.names}))

    def of_images(self, context: config.Context, images: pd.DataFrame, read: Callable[[str], bytes]) -> np.ndarray:
        """The same for images in their order: columns image, path, sha256, group; labels are not looked at.

        read: gives the content of a path.
        """
        cache = pixels.cached(context.root / "pixels", read, images, self.recipe, self.image_size)
        return self.of_pixels(cache, images)


def of_run(name: str, run: Run, facts: Mapping[str, Any]) -> Finalist:
    """A trained network. facts: of the record, beside what the run says itself: family, setting, chapter."""
    used = run.configuration
    network = backbones.name_of(used.network)
    known = {part: predictions_by_seed([run], part) for part in PARTS}
    own = {"run": True, "network": network, "image_size": used.image_size, "seed": used.seed}
    title = (
        f"{network.replace('_', ' ')}, {used.image_size} px: {facts['setting']} of chapter {int(facts['chapter'][:2])}"
    )

    def of_pixels(cache: pixels.PixelCache, images: pd.DataFrame) -> np.ndarray:
        from lib.training import measure

        part = part_of(cache, images.assign(label=UNKNOWN))
        found = measure.probabilities(measure.logits(measure.traced(run.model()), part))
        return found[:, 1] if found.shape[1] == 2 else found

    started = networks.weights_file(used.network.family, used.network.parameters)
    parts = [used.model_dump(mode="json"), started and atomic.file_sha256(started)]
    declared = atomic.value_sha256(parts)[:KEY_LENGTH]
    return Finalist(name, title, run.key, declared, used.recipe, used.image_size, known, of_pixels, {**facts, **own})


def of_model(name: str, model: str, described: features.Features, context: config.Context, seed: int) -> Finalist:
    """A classical model on frozen features, fitted on the training part.

    model: one of `classical.models`. described: features of all development images. A margin is squashed: calibration
    makes a probability of it. Raises UserError for a model that does not exist.
    """
    models = classical.models(seed)
    chosen = models[config.one_of("CLASSICAL", model, list(models))]
    development, settings = custody.development(context), features.Settings(**described.record["settings"])
    by_part = {part: rows for part, rows in development.groupby("part")}
    fitted = _fitted(chosen, described.of(by_part["train"]["image"]), by_part["train"]["label"].to_numpy())
    known = {part: _of_rows(rows, _said(fitted, described.of(rows["image"]))) for part, rows in by_part.items()}
    made = [described.record["key"], custody.data_sha256(context), model, str(chosen.get_params()), seed]
    key = atomic.value_sha256(made)[:KEY_LENGTH]
    facts = {
        "run": False,
        "chapter": "04_classical_baselines",
        "seed": seed,
        "network": backbones.start(settings.backbone)[0],
    }

    def of_pixels(cache: pixels.PixelCache, images: pd.DataFrame) -> np.ndarray:
        found = features.cached(context.root / "features", cache, settings)
        return _said(fitted, found.of(images["image"]))

    title = f"{model} on features of {facts['network'].replace('_', ' ')}, {settings.image_size} px"
    size = {"image_size": settings.image_size}
    return Finalist(
        name, title, key, key, settings.recipe, settings.image_size, {part: known[part] for part in PARTS}, of_pixels,
        facts | size,
    )  # fmt: skip


def check_same(finalist: Finalist, context: config.Context) -> None:
    """Raises NotTheSameModel where the model now says something else of some validation images than it did when it was made."""
    development, seen = custody.development(context), finalist.known["validation"]
    some = seen.images[:: max(1, len(seen.images) // CHECKED_IMAGES)]
    cache = pixels.cached(
        context.root / "pixels", cards.load(context.dataset).read, development, finalist.recipe, finalist.image_size
    )
    rows = development.set_index("image", drop=False).loc[some]
    moved = np.abs(finalist.of_pixels(cache, rows) - seen.aligned(some)[0]).max()
    if not moved <= TOLERANCE:
        raise NotTheSameModel(f"{finalist.name}: a probability on validation moved by {moved:.3g}; train the run again")


def explained(finalist: Finalist, networks: Mapping[str, Any]) -> str:
    """Whether a finalist is one of the networks that are explained: a sentence. networks: title -> with its `run`."""
    titles = ", ".join(title.replace("_", " ") for title in networks) or "none"
    if any(each.run.key == finalist.key for each in networks.values()):
        return f"The chosen finalist is one of the networks that chapter 15 explains ({titles})."
    return f"The chosen finalist is not among the networks that chapter 15 explains ({titles}): its maps say nothing of it."


def _fitted(model: BaseEstimator, matrix: np.ndarray, labels: np.ndarray) -> BaseEstimator:
    with threadpool_limits(1):
        return clone(model).fit(matrix, labels)


def _said(model: BaseEstimator, matrix: np.ndarray) -> np.ndarray:
    with threadpool_limits(1):
        if not hasattr(model, "predict_proba"):
            return classical.squashed(model.decision_function(matrix))
        found = model.predict_proba(matrix)
    return found[:, 1] if found.shape[1] == 2 else found


def _of_rows(rows: pd.DataFrame, said: np.ndarray) -> Predictions:
    return Predictions(*(rows[name].to_numpy() for name in ("image", "group", "label")), said[None])
