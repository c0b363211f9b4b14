"""Brightness alone: what a classifier is worth that knows nothing of an image but its mean grey value."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lib.metrics import by_seed


def probabilities(table: pd.DataFrame, images: np.ndarray, classes: int) -> np.ndarray:
    """What a logistic regression on the mean grey value, fitted on the training part, says of the named images.

    table: of `custody.development`; columns image, part, label, brightness. images: (n,) names in it; classes: number.
    Returns (1, n) float, of class 1, or (1, n, classes): shaped like the predictions of one seed. A class without any
    training image has probability 0.
    """
    train = table[table["part"] == "train"]
    asked = table.set_index("image").loc[images]
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(train[["brightness"]], train["label"])
    found = np.zeros((1, len(asked), classes))
    found[..., fitted.classes_] = fitted.predict_proba(asked[["brightness"]])
    return found if classes > 2 else found[..., 1]


def ranking(table: pd.DataFrame, classes: int) -> pd.DataFrame:
    """How well brightness alone ranks the images of each part: one row, a column a part with its AUC.

    table, classes: as of `probabilities`. A part that lacks a class has no AUC: NaN.
    """
    found = {}
    for name in ("train", "tuning", "validation"):
        rows = table[table["part"] == name]
        said = probabilities(table, rows["image"].to_numpy(), classes)
        found[name] = by_seed("auc", rows["label"].to_numpy(), said)
    return pd.DataFrame(found, index=pd.Index(["brightness alone"], name="AUC of"))
