"""Classical models: features of images, scikit-learn models, and probabilities for images that a model never saw.

A feature is a function from pixels to (n, d) float32; a model is any unfitted scikit-learn classifier, and
`out_of_fold` brings every one of them to probabilities that can be compared across folds.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special
from skimage.feature import hog
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

CELLS = 4  # per side, whatever the size of the images
ORIENTATIONS = 9
WORKERS = 2  # folds at a time; each in one thread, because the threads of linear algebra would fight over the cores


@dataclass(frozen=True, eq=False)
class Scored:
    """What models say of images that they did not see.

    probabilities: (n,) float of class 1, or (n, classes). fit_seconds: (folds,) float: of the processor, calibration
    included, so that other work on the machine hardly counts.
    """

    probabilities: np.ndarray
    fit_seconds: np.ndarray


def pixel_features(pixels: np.ndarray) -> np.ndarray:
    """The pixels themselves, one after the other; a grey image that is repeated in channels counts once.

    pixels: (n, size, size, channels) uint8. Returns (n, size * size [* channels]) float32 in [0, 1].
    """
    grey = (pixels == pixels[..., :1]).all()
    return (pixels[..., :1] if grey else pixels).reshape(len(pixels), -1).astype(np.float32) / 255


def hog_features(pixels: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients in 4 x 4 cells, normalised in blocks of 2 x 2.

    pixels: (n, size, size, channels) uint8 or float; of colour images the channel of the steepest gradient counts.
    Returns (n, 324) float32 in [0, 1]. Raises ValueError for images under 16 pixels.
    Source: Dalal and Triggs 2005, doi:10.1109/CVPR.2005.177.
    """
    cell = pixels.shape[1] // CELLS
    if cell < 4:
        raise ValueError(f"images of {pixels.shape[1]} pixels are too small for {CELLS} cells; give 16 or more")
    features = np.empty((len(pixels), (CELLS - 1) ** 2 * 4 * ORIENTATIONS), dtype=np.float32)
    for row, image in enumerate(pixels):
        square = image[: cell * CELLS, : cell * CELLS]
        features[row] = hog(square, ORIENTATIONS, (cell, cell), (2, 2), channel_axis=-1)
    return features


def baseline() -> Pipeline:
    """The book's first model: principal components that hold 90 % of the variance, and a support vector machine (RBF).

    Unfitted; it draws nothing at random.
    """
    return make_pipeline(PCA(0.9, svd_solver="covariance_eigh"), SVC(C=5))


def models(seed: int) -> dict[str, BaseEstimator]:
    """The classifiers of the book's baselines, unfitted: one usual setting each, the same for whatever they are fed with.

    seed: of what is drawn at random, in the multilayer perceptron and in the ensembles of trees.
    """
    return {
        "dummy": DummyClassifier(strategy="prior"),
        "k nearest neighbours": make_pipeline(StandardScaler(), KNeighborsClassifier(15, weights="distance")),
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(C=0.001, max_iter=1000)),
        "support vector machine": make_pipeline(StandardScaler(), SVC(C=5)),
        "multilayer perceptron": make_pipeline(
            StandardScaler(),
            MLPClassifier(
                (64,),
                alpha=1.0,
                learning_rate_init=0.003,
                max_iter=500,
                tol=0.003,
                n_iter_no_change=5,
                random_state=seed,
            ),
        ),
        "random forest": RandomForestClassifier(60, min_samples_leaf=5, max_samples=0.5, random_state=seed),
        "gradient boosting": HistGradientBoostingClassifier(
            max_iter=50, max_leaf_nodes=8, max_features=0.1, max_bins=64, early_stopping=False, random_state=seed
        ),
    }


def scored(
    model: BaseEstimator,
    features: np.ndarray | pd.DataFrame,
    labels: np.ndarray,
    folds: np.ndarray,
    calibrated: bool | None = None,
) -> Scored:
    """Probabilities for every image, from models that were fitted without its fold.

    model: an unfitted classifier. features: (n, d). labels: (n,) int from 0. folds: (n,) int, as `lib.folds` makes them.
    calibrated: scores become probabilities by a sigmoid fitted on folds that the scoring model did not see either: of the
    folds that are left, each in turn is kept for that, and the results are averaged (Platt 1999). So neither a group nor
    a stretch that the folds keep whole is ever on both sides. Else the model's own `predict_proba` is taken. None: it is
    calibrated where it gives no probabilities itself.
    """
    labels, folds = np.asarray(labels), np.asarray(folds)
    take = features.iloc.__getitem__ if isinstance(features, pd.DataFrame) else features.__getitem__
    probabilities = np.zeros((len(labels), max(2, labels.max() + 1)))
    calibrated = not hasattr(model, "predict_proba") if calibrated is None else calibrated

    def predicted(fold: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        seen, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        fitted, clock = clone(model), time.thread_time()
        if calibrated:
            fitted = CalibratedClassifierCV(fitted, cv=PredefinedSplit(folds[seen]), ensemble=True)
        fitted.fit(take(seen), labels[seen])
        seconds = time.thread_time() - clock
        return held_out, fitted.classes_, fitted.predict_proba(take(held_out)), seconds

    fit_seconds = []
    # OpenMP counts its threads by calling thread, linear algebra by process: limited in both
    with threadpool_limits(1), ThreadPoolExecutor(WORKERS, initializer=threadpool_limits, initargs=(1,)) as pool:
        for held_out, classes, found, seconds in pool.map(predicted, np.unique(folds)):
            probabilities[np.ix_(held_out, classes)] = found
            fit_seconds.append(seconds)
    return Scored(probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities, np.array(fit_seconds))


def ranked(model: BaseEstimator, seen: np.ndarray, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How a model that was fitted on some images ranks others.

    model: an unfitted classifier with a `decision_function`. seen: (m, d), labels: (m,) int. others: (n, d). Returns (n,) of
    class 1 or (n, classes) float in [0, 1]: a squashed margin, no calibrated probability, so only its order counts.
    """
    with threadpool_limits(1):
        return squashed(clone(model).fit(seen, labels).decision_function(others))


def squashed(margin: np.ndarray) -> np.ndarray:
    """A margin, (n,) or (n, classes), within [0, 1]: the order and the decision of it, no calibrated probability."""
    return special.expit(margin) if margin.ndim == 1 else special.softmax(margin, axis=1)


def out_of_fold(
    model: BaseEstimator,
    features: np.ndarray | pd.DataFrame,
    labels: np.ndarray,
    folds: np.ndarray,
    calibrated: bool = True,
) -> np.ndarray:
    """The probabilities of `scored` alone, calibrated unless said otherwise."""
    return scored(model, features, labels, folds, calibrated).probabilities
