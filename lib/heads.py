"""Classical models in the place of the dense head: fitted on the frozen features of the training part (S0.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from lib import classical
from lib.runs import Predictions

MODELS = ("support vector machine", "logistic regression", "random forest", "gradient boosting")
PARTS = ("train", "validation")


def on_features(
    features: Mapping[str, np.ndarray], seen: Mapping[str, Predictions], seeds: Sequence[int]
) -> dict[str, dict[str, Predictions]]:
    """What each model says of the images of both parts, having learned from the first one: model -> part -> predictions.

    features: part -> (n, d), in the order of `seen`: part -> what a network predicts for the same images, of which labels
    and groups are taken. seeds: of what models draw. A margin is squashed: only its order and its sign count.
    """
    found: dict[str, dict[str, list[np.ndarray]]] = {name: {part: [] for part in PARTS} for name in MODELS}
    for seed in seeds:
        for name, model in classical.models(seed).items():
            if name in MODELS:
                for part, probability in _predicted(model, features, seen["train"].labels).items():
                    found[name][part].append(probability)
    return {
        name: {part: replace(seen[part], probabilities=np.stack(each)) for part, each in parts.items()}
        for name, parts in found.items()
    }


def _predicted(model: BaseEstimator, features: Mapping[str, np.ndarray], labels: np.ndarray) -> dict[str, np.ndarray]:
    with threadpool_limits(1):
        fitted = clone(model).fit(features["train"], labels)
        if not hasattr(fitted, "predict_proba"):
            return {part: classical.squashed(fitted.decision_function(features[part])) for part in PARTS}
        given = {part: fitted.predict_proba(features[part]) for part in PARTS}
    return {part: each[:, 1] if each.shape[1] == 2 else each for part, each in given.items()}
