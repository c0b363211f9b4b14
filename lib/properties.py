"""How well properties of files, and of pictures as a whole, tell the label: a warning of shortcuts.

A property of the file is known without its pixels: bytes, size, shape, mode, format, name, folder, what the card says. A
property of the picture is one number of all its pixels: brightness, contrast, sharpness. Whatever predicts the label
without the content, a network may learn instead of the content (Geirhos et al. 2020, doi:10.1038/s42256-020-00257-z).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, PowerTransformer, StandardScaler

from lib import classical, folds
from lib.estimates import Estimate, Inapplicable
from lib.findings import frame
from lib.intervals import estimate
from lib.statistics import auc_within, averaged

PICTURE = ("brightness", "contrast", "sharpness")  # all other properties are the file's
NUMERIC = (*PICTURE, "bytes", "width", "height", "aspect")
CATEGORICAL = ("mode", "format", "name pattern", "source")
FOLDS = 5
RARE = 10  # images; values of fewer enter the model as one
SHORTCUT = 0.6  # AUC that the lower limit exceeds
NAMED_EXPONENTS = {-1.0: "reciprocal", 0.0: "logarithm", 0.5: "root", 1.0: "none", 2.0: "square"}


@dataclass(frozen=True, eq=False)
class Association:
    """What properties tell about the label, each by itself and together.

    alone: property -> AUC. file, picture: AUC of all properties of the file, of the picture. together: of all.
    strength: property -> association with the label in [0, 1]. constant: properties with one value only.
    AUC: one class against the others, on groups that the model did not see.
    """

    alone: dict[str, Estimate]
    file: Estimate | Inapplicable
    picture: Estimate | Inapplicable
    together: Estimate | Inapplicable
    strength: dict[str, float]
    constant: tuple[str, ...]

    def by(self, name: str) -> Estimate | Inapplicable:
        """What one property tells; inapplicable where it is the same for all images."""
        absent = (
            self.together if isinstance(self.together, Inapplicable) else Inapplicable(f"all images have one {name}")
        )
        return self.alone.get(name, absent)

    def sums(self) -> dict[str, Estimate | Inapplicable]:
        """What sets of properties tell: those of the file, those of the picture, all."""
        return {
            "all of the file": self.file,
            "all of the picture": self.picture,
            "all of file and picture": self.together,
        }

    def table(self, least: float = SHORTCUT) -> pd.DataFrame:
        """One row a property, the most telling first: property, of (`file` or `picture`), association, AUC with its 95 %
        interval as text, shortcut (bool, whether the interval lies above `least`)."""
        ordered = sorted(self.alone.items(), key=lambda item: -item[1].value)
        rows = [
            (name, "picture" if name in PICTURE else "file", self.strength[name], str(e), e.interval()[0] > least)
            for name, e in ordered
        ]
        return pd.DataFrame(rows, columns=["property", "of", "association", "AUC [95 % interval]", "shortcut"])

    def findings(self, least: float = SHORTCUT) -> pd.DataFrame:
        """A finding `shortcut` for each set of properties, and for each property, whose interval lies above `least`."""
        suspects = [*self.sums().items(), *self.alone.items()]
        return frame(
            ("shortcut", "", "", f"{name}: label told with AUC {found}")
            for name, found in suspects
            if isinstance(found, Estimate) and found.interval()[0] > least
        )


def described(table: pd.DataFrame, properties: Sequence[str] = (), source: pd.Series | None = None) -> pd.DataFrame:
    """The properties of files and pictures, numbers as float and all others as text.

    table: a manifest. properties: further columns of it, such as those of the card. source: (n,) where an image came
    from, such as the folder above the class folders; never the class folder, which is the label itself.
    Adds `aspect` (width / height) and `name pattern` (the file's name with # for each run of digits).
    """
    columns = table.assign(aspect=table["width"].astype(float) / table["height"].astype(float))
    stems = pd.Series([PurePosixPath(path).stem for path in table["path"]], index=table.index)
    columns["name pattern"] = stems.str.replace(r"\d+", "#", regex=True)
    if source is not None:
        columns["source"] = source.to_numpy()
    numeric = [name for name in NUMERIC if name in columns]
    categorical = [name for name in (*CATEGORICAL, *properties) if name in columns]
    text = columns[categorical].astype("str").fillna("missing").astype("object")
    return pd.concat([columns[numeric].astype(float), text], axis=1)


def model() -> Pipeline:
    """A logistic regression on what `described` gives, unfitted: squares and products of the transformed numbers, and one
    column for each frequent value of the others."""
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    scaled = make_pipeline(filled, StandardScaler(), PowerTransformer())  # unscaled, sizes of 300 and 320 become equal
    numbers = make_pipeline(scaled, PolynomialFeatures(2, include_bias=False))
    values = OneHotEncoder(min_frequency=RARE, handle_unknown="infrequent_if_exist", sparse_output=False)
    kinds = make_column_selector(dtype_include="number"), make_column_selector(dtype_exclude="number")
    encoded = ColumnTransformer([("numbers", numbers, kinds[0]), ("values", values, kinds[1])])
    return make_pipeline(encoded, LogisticRegression(C=0.1, max_iter=1000))


def models(seed: int) -> dict[str, Pipeline]:
    """The same, as `baselines.study` asks for models; nothing in it is drawn at random."""
    return {"logistic regression": model()}


def association(
    columns: pd.DataFrame, labels: np.ndarray, groups: np.ndarray, seeds: Sequence[int] = (7, 8, 9)
) -> Association:
    """How well properties tell the label.

    columns: as `described` makes them. labels: (n,) int from 0. groups: (n,) of any kind; they are never divided.
    seeds: of the folds. What tells nothing comes out near 0.5, and its interval misses 0.5 more often than one time in
    twenty, because folds learn from nearly the same images: judge against `SHORTCUT`, not against 0.5.
    All is inapplicable where no property varies, or where groups or classes are too few.
    """
    varying = _varying(columns)
    if not varying:
        return Association({}, *[Inapplicable("no property varies")] * 3, {}, tuple(columns))
    labels, groups = np.asarray(labels), np.asarray(groups)
    try:
        divisions = _divisions(labels, groups, seeds)
    except folds.Unanswerable as reason:
        return Association({}, *[Inapplicable(str(reason))] * 3, {}, ())

    def told_by(names: list[str], of: str = "") -> Estimate | Inapplicable:
        if not names:
            return Inapplicable(f"no property of the {of} varies")
        return _told(columns[names], labels, groups, divisions)

    alone = {name: told_by([name]) for name in varying}
    file = told_by([name for name in varying if name not in PICTURE], "file")
    picture = told_by([name for name in varying if name in PICTURE], "picture")
    strength = {name: _strength(columns[name], labels) for name in varying}
    constant = tuple(name for name in columns if name not in varying)
    return Association(alone, file, picture, told_by(varying), strength, constant)


def of_file(
    columns: pd.DataFrame, labels: np.ndarray, groups: np.ndarray, seeds: Sequence[int] = (7, 8, 9)
) -> Estimate | Inapplicable:
    """What the properties of the file tell together, and nothing else: `file` of what `association` gives for the same."""
    names = [name for name in _varying(columns) if name not in PICTURE]
    if not names:
        return Inapplicable("no property of the file varies")
    labels, groups = np.asarray(labels), np.asarray(groups)
    try:
        return _told(columns[names], labels, groups, _divisions(labels, groups, seeds))
    except folds.Unanswerable as reason:
        return Inapplicable(str(reason))


def normality(table: pd.DataFrame) -> pd.DataFrame:
    """How skewed numbers are, before and after the transformation toward a normal distribution that suits each best.

    table: numeric columns. Returns one row a column that has three values or more, the most skewed first: property,
    skewness (0 for symmetric ones), exponent of the transformation, about (the nearest one that has a name), skewness after.
    Source: Yeo and Johnson 2000, doi:10.1093/biomet/87.4.954.
    """
    rows = []
    for name in table:
        values = table[name].dropna().to_numpy(dtype=float)
        if len(np.unique(values)) > 2:
            power = PowerTransformer().fit(values[:, None])
            (exponent,), after = power.lambdas_, stats.skew(power.transform(values[:, None])[:, 0])
            nearest = NAMED_EXPONENTS[min(NAMED_EXPONENTS, key=lambda known: abs(known - exponent))]
            rows.append((name, stats.skew(values), exponent, nearest, after))
    found = pd.DataFrame(rows, columns=["property", "skewness", "exponent", "about", "skewness after"])
    return found.sort_values("skewness", key=abs, ascending=False, kind="stable", ignore_index=True)


def _varying(columns: pd.DataFrame) -> list[str]:
    return [name for name in columns if columns[name].nunique() > 1]


def _divisions(labels: np.ndarray, groups: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
    """(seeds, n) int: the fold of each image. Raises folds.Unanswerable."""
    return np.stack([folds.group_folds(groups, labels, FOLDS, seed) for seed in seeds])


def _told(
    columns: pd.DataFrame, labels: np.ndarray, groups: np.ndarray, divisions: np.ndarray
) -> Estimate | Inapplicable:
    """AUC of the model on these columns, on folds that it did not see: the mean over divisions, which are no sample."""
    scored = [classical.out_of_fold(model(), columns, labels, fold, calibrated=False) for fold in divisions]
    return estimate(averaged(auc_within(labels, np.stack(scored), divisions)), groups, (0.0, 1.0))


def _strength(values: pd.Series, labels: np.ndarray) -> float:
    """Association with the label in [0, 1]: Cramer's V of text; of numbers the root of Kruskal and Wallis' H / (n - 1)."""
    if pd.api.types.is_numeric_dtype(values):
        known = values.notna().to_numpy()
        by_class = [values[known & (labels == name)] for name in np.unique(labels[known])]
        return float(np.sqrt(stats.kruskal(*by_class).statistic / (known.sum() - 1))) if len(by_class) > 1 else 0.0
    return float(stats.contingency.association(pd.crosstab(values, labels).to_numpy(), method="cramer"))
