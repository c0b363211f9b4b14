"""Shortcuts: how well the label, or the source of an image, is told by what should not suffice (Geirhos et al. 2020)."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from lib import baselines, cards, classical, preprocessing, properties
from lib.effects import validation_estimate
from lib.estimates import Estimate, Inapplicable
from lib.grids import Study
from lib.runs import Run
from lib.training.data import Data

CHANCE = 0.5  # AUC of what tells nothing
MARGIN = round(properties.SHORTCUT - CHANCE, 10)  # an AUC that lies so near to chance is near to it
FOLDS = 5
SEEDS = (7, 8, 9)  # of the folds
SMALL = 24  # pixels per side that the small model takes as they are
BATCH = 256  # images
OTHER = "other"  # of sources with few images


def above_chance(runs: Sequence[Run]) -> Estimate | Inapplicable:
    """AUC on the validation part less that of chance, over seeds and groups, in [-0.5, 0.5]."""
    return validation_estimate("auc", runs).shifted(-CHANCE)


def by_file(card: cards.Card, images: pd.DataFrame) -> Estimate | Inapplicable:
    """AUC less chance of what is known of files before a pixel is looked at, on groups that the model did not see.

    images: the development rows of the manifest, with their labels.
    """
    if images["label"].isna().any():
        return Inapplicable("not all images have labels")
    known = properties.described(images, card.properties, card.source(images))
    return properties.of_file(known, images["label"].to_numpy(int), images["group"].to_numpy()).shifted(-CHANCE)


def source(card: cards.Card, images: pd.DataFrame) -> pd.Series | Inapplicable:
    """Where each image comes from: (n,) text, named after what says it.

    That is the first property that the card names, else the folder, where folders are no classes. Sources of a few images
    count as one. Inapplicable where the card tells of one source only.
    """
    folder = card.source(images)
    if card.properties:
        said = images[card.properties[0]].astype(str)
    elif folder is not None:
        said = folder.rename("folder")
    else:
        return Inapplicable("the card names no property, and folders are the classes: nothing tells sources apart")
    counts = said.map(said.value_counts())
    said = said.mask(counts < properties.RARE, OTHER)
    if said.nunique() < 2:
        return Inapplicable(f"all images are of one source, as far as {said.name} says")
    return said


def by_small_model(data: Data) -> Estimate | Inapplicable:
    """AUC less chance of a small model that tells the label from what a setting leaves of the pictures.

    A logistic regression on pixels and gradients, scored on the groups of all parts in turn, none of which it saw: weaker
    than a network, but judged on more images, so surer.
    """
    return _told(np.concatenate([part.labels for part in data.parts().values()]), data)


def by_brightness(data: Data) -> Estimate | Inapplicable:
    """AUC less chance of the same model on the mean value of each picture alone: what it need not look into a picture for."""
    labels = np.concatenate([part.labels for part in data.parts().values()])
    means = [batch.mean(axis=(1, 2, 3)) for part in data.parts().values() for batch in part.batches(BATCH)]
    return _of_features(np.concatenate(means)[:, None], labels, data)


def in_words(found: Mapping[str, Estimate | Inapplicable], bright: Estimate | Inapplicable) -> str:
    """Which settings the small model finds a way in, and how far brightness alone gets: two sentences.

    found: setting -> as `by_small_model`. bright: as `by_brightness`.
    """
    known = {name: each for name, each in found.items() if isinstance(each, Estimate)}
    if not known:
        return next(f"The small model could not be asked: {each.reason}." for each in found.values())
    told = {name: each for name, each in known.items() if each.interval()[0] > MARGIN}
    each = ", ".join(f"{name} {value}" for name, value in (told or known).items())
    way = "finds a way around" if told else "was not shown to find a way around"
    said = f"The small model {way} the content (AUC above chance, each by itself: {each})."
    if isinstance(bright, Inapplicable):
        return f"{said} Of brightness alone: {bright}."
    further = max(each.value for each in known.values()) - bright.value
    return (
        f"{said} The mean brightness of whole images alone reaches {bright}, and no setting takes it away; the setting that "
        f"tells most lies {further:+.3f} from that."
    )


def naming(said: pd.Series | Inapplicable, images: pd.DataFrame, data: Data) -> Estimate | Inapplicable:
    """AUC less chance of the same model when it is to name the source of a picture, one source against the others.

    said: as `source` gives, a row an image of `images`, the development rows, in which those of `data` are.
    """
    if isinstance(said, Inapplicable):
        return said
    names = np.concatenate([part.names for part in data.parts().values()])
    return _told(pd.factorize(said.set_axis(images["image"]).loc[names], sort=True)[0], data)


def pictures(study: Study, originals: Sequence[np.ndarray]) -> dict[str, list[np.ndarray]]:
    """What each setting's network sees of some decoded images, as it can be drawn: setting -> images uint8."""
    recipes = {name: runs[0].recipe for name, runs in study.items()}
    return preprocessing.results(recipes, originals, next(iter(study.values()))[0].image_size)


def _told(labels: np.ndarray, data: Data) -> Estimate | Inapplicable:
    """AUC less chance of the small model. labels: (n,) int from 0, of the images of all parts, one part after the other."""
    return _of_features(_features(data), labels, data)


def _of_features(features: np.ndarray, labels: np.ndarray, data: Data) -> Estimate | Inapplicable:
    """The same of any features: (n, d) float, in the order of the labels. The seeds draw folds and nothing else."""
    groups = np.concatenate([part.groups for part in data.parts().values()])
    study = baselines.study({"picture": features}, labels, groups, SEEDS, FOLDS, _model)
    return study.of("picture").over_folds().auc().shifted(-CHANCE)


def _features(data: Data) -> np.ndarray:
    """(n, d) float32, of the images of all parts, one part after the other: pixels of small pictures, and gradients."""
    batches = [
        (_small(batch), classical.hog_features(batch))
        for part in data.parts().values()
        for batch in part.batches(BATCH)
    ]
    small, gradients = (np.concatenate(side) for side in zip(*batches, strict=True))
    return np.hstack([classical.pixel_features(small), gradients])


def _small(pixels: np.ndarray) -> np.ndarray:
    """(n, side, side, channels) uint8 of (n, size, size, channels) uint8."""
    side = min(SMALL, pixels.shape[1])
    small = np.stack([cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in pixels])
    return small.reshape(len(small), side, side, -1)  # OpenCV leaves out the axis of a single channel


def _model(seed: int) -> dict[str, BaseEstimator]:
    return {"logistic regression": classical.models(seed)["logistic regression"]}
