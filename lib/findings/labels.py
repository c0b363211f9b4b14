"""Findings about labels: one image with several, classes of unequal size, labels that are probably wrong."""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib.findings import frame

AGAIN = {"near_copy": "its near copy", "repeated_series": "its other exposure"}  # what the other picture of a pair is


def conflicts(table: pd.DataFrame) -> pd.DataFrame:
    """One image with several labels: rows of the same pixels, or of the same path, whose labels differ.

    table: columns path, pixels_sha256 (missing where unknown: then the path alone tells), label (of any type; rows
    without one say nothing). Returns a finding `label_conflict` for every image involved, in the table's order; `other`
    is the first image with another label.
    """
    rows = table.loc[table["label"].notna(), ["path", "pixels_sha256", "label"]]
    content = rows["pixels_sha256"].astype("object").fillna("path " + rows["path"].astype(str))
    disputed = rows[rows.groupby(content)["label"].transform("nunique") > 1]
    found = []
    for _, same in disputed.groupby(content, sort=False):
        for position, row in same.drop_duplicates(["path", "label"]).iterrows():
            other = same[same["label"] != row["label"]].iloc[0]
            found.append((position, row["path"], other["path"], f"labelled {row['label']}, elsewhere {other['label']}"))
    return frame(("label_conflict", *finding) for _, *finding in sorted(found, key=lambda finding: finding[0]))


def near_conflicts(pairs: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """Pictures of one thing with different labels: kind near_copy_conflict.

    pairs: findings, of those the kinds in AGAIN. labels: path -> label of the images that may be looked at; other pairs
    say nothing.
    """
    pairs = pairs[pairs["kind"].isin(list(AGAIN))]
    known = pairs[pairs["image"].isin(labels.index) & pairs["other"].isin(labels.index)]
    both = zip(
        known["kind"], known["image"], known["other"], labels[known["image"]], labels[known["other"]], strict=True
    )
    return frame(
        ("near_copy_conflict", image, other, f"labelled {mine}, {AGAIN[kind]} {its}")
        for kind, image, other, mine, its in both
        if mine != its
    )


def imbalance(label_names: pd.Series, most: float = 1.5) -> pd.DataFrame:
    """One finding when the largest class has more than `most` times the images of the smallest, else none.

    label_names: (n,) text, or categorical, where a class without images counts too; missing ones are left out.
    """
    counts = label_names.value_counts()
    if len(counts) < 2 or counts.max() <= most * counts.min():
        return frame()
    sizes = ", ".join(f"{count} {name}" for name, count in counts.items())
    ratio = f"{counts.max() / counts.min():.1f} to 1" if counts.min() else "a class has no image"
    return frame([("imbalance", "", "", f"{sizes}: {ratio}")])


def label_errors(
    paths: Sequence[str], labels: np.ndarray, probabilities: np.ndarray | None, classes: Sequence[str]
) -> pd.DataFrame:
    """Probable label errors, the most suspicious first.

    labels: (n,) int. probabilities: (n,) of class 1, or (n, classes), each from a model that was not fitted to that
    image or its group (`classical.out_of_fold`). classes: their names. Without probabilities
    there is no finding. A label is suspicious where the model gives the
    class less than classes usually get, and another one more: confident learning, pruned by the estimated rate of
    noise, ranked by the probability of the given label. Source: Northcutt, Jiang, Chuang 2021, doi:10.1613/jair.1.12125.
    """
    if probabilities is None:
        return frame()
    labels, columns = np.asarray(labels, dtype=int), np.asarray(probabilities, dtype=float)
    columns = np.column_stack([1 - columns, columns]) if columns.ndim == 1 else columns
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where a class keeps all its labels, and of missing widgets on import
        from cleanlab.filter import find_label_issues

        ranked = find_label_issues(labels, columns, return_indices_ranked_by="self_confidence", n_jobs=1)
    found = []
    for row in ranked:
        given, likely = labels[row], columns[row].argmax()
        sure = f"self-confidence {columns[row, given]:.2f}"
        found.append(("label_error", paths[row], "", f"given {classes[given]}, looks like {classes[likely]} ({sure})"))
    return frame(found)
