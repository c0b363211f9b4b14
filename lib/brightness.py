"""Brightness alone, or with what else is known of an image that is not in its picture: what a classifier of that is worth."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from lib.metrics import by_seed


def probabilities(table: pd.DataFrame, images: np.ndarray, classes: int) -> np.ndarray:
    """What a logistic regression on the mean grey value, fitted on the training part, says of the named images.

    table: of `custody.development`; columns image, part, label, brightness. images: (n,) names in it; classes: number.
    Returns (1, n) float, of class 1, or (1, n, classes): shaped like the predictions of one seed. A class without any
    training image has probability 0.
    """
    return said(table, table.set_index("image").loc[images], [], classes)


def said(table: pd.DataFrame, asked: pd.DataFrame, properties: Sequence[str], classes: int) -> np.ndarray:
    """The same of brightness and of properties of the image, of any rows; their labels are not looked at.

    asked: n rows with the columns brightness and properties. properties: names of columns, of `composition.usable`. A value
    that no training image has says nothing.
    """
    train = table[table["part"] == "train"]
    columns, named = ["brightness", *properties], list(properties)
    known, wanted = (rows[columns].astype(dict.fromkeys(named, str)) for rows in (train, asked))
    steps = (StandardScaler(), ["brightness"]), (OneHotEncoder(handle_unknown="ignore", sparse_output=False), named)
    fitted = make_pipeline(make_column_transformer(*steps), LogisticRegression()).fit(known, train["label"])
    found = np.zeros((1, len(asked), classes))
    found[..., fitted.classes_] = fitted.predict_proba(wanted)
    return found if classes > 2 else found[..., 1]


def ranking(table: pd.DataFrame, classes: int) -> pd.DataFrame:
    """How well brightness alone ranks the images of each part: one row, a column a part with its AUC.

    table, classes: as of `probabilities`. A part that lacks a class has no AUC: NaN.
    """
    found = {}
    for name in ("train", "tuning", "validation"):
        rows = table[table["part"] == name]
        told = probabilities(table, rows["image"].to_numpy(), classes)
        found[name] = by_seed("auc", rows["label"].to_numpy(), told)
    return pd.DataFrame(found, index=pd.Index(["brightness alone"], name="AUC of"))
