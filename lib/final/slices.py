"""How the model does on parts of the test images that somebody would ask about, and which is worst, many being asked."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.estimates import Estimate, Inapplicable
from lib.final.comparison import holm
from lib.final.scoring import difference, scored
from lib.hypotheses import ALPHA

THIRDS = ("dark", "middle", "bright")
SIZES = ("small", "middle", "large")  # thirds by area, where there are too many sizes to name each
MOST_KINDS = 12  # of a property with more values no slices are made


@dataclass(frozen=True, eq=False)
class Slice:
    """One slice: its images, a metric on it with its interval, and that metric less the one on all other images."""

    by: str
    name: str
    images: int
    groups: int
    counts: list[int]  # images by class
    value: Estimate | Inapplicable
    difference: Estimate | Inapplicable
    p_adjusted: float | None

    @property
    def told_apart(self) -> bool:
        """Whether it was told from the rest, with all slices counted (Holm)."""
        return self.p_adjusted is not None and self.p_adjusted < ALPHA


def kinds(table: pd.DataFrame, properties: list[str], level_names: Mapping[float, str]) -> dict[str, pd.Series]:
    """What images are sliced by: question -> (n,) text, missing where it says nothing.

    table: rows of an opened test part. properties: columns of it. Brightness is cut into thirds of equally many images, and
    so is size where there are many; a graded level is certain where it is the least or the greatest that the data set
    names, else doubtful. Questions of `unasked` are left out.
    """
    return {name: each for name, each in _answers(table, properties, level_names).items() if not _useless(each)}


def unasked(table: pd.DataFrame, properties: list[str], level_names: Mapping[float, str]) -> str:
    """The questions that make no slices, with the reason, as a sentence; empty where there is none. Arguments as `kinds`."""
    answers = _answers(table, properties, level_names).items()
    said = "; ".join(f"{name} ({reason})" for name, each in answers if (reason := _useless(each)))
    return f"No slices by {said}." if said else ""


def _useless(answers: pd.Series) -> str:
    """Why a question makes no slices; empty where it does."""
    if (count := answers.nunique()) == 1:
        return f"all images: {answers.iloc[0]}"
    return f"{count} different answers" if count > MOST_KINDS else ""


def _answers(table: pd.DataFrame, properties: list[str], level_names: Mapping[float, str]) -> dict[str, pd.Series]:
    found = {name.replace("_", " "): table[name].astype(str) for name in properties}
    found["size"] = table["width"].astype(str) + " x " + table["height"].astype(str) + " px"
    if found["size"].nunique() > MOST_KINDS:
        found["size"] = _thirds(table["width"] * table["height"], SIZES)
    found["brightness"] = _thirds(table["brightness"], THIRDS)
    if len(level_names) > 2 and table["level"].notna().any():
        ends = [min(level_names), max(level_names)]
        certain = np.isclose(table["level"].to_numpy(float)[:, None], ends, atol=1e-3).any(axis=1)
        found["label"] = pd.Series(np.where(certain, "certain", "doubtful"), table.index)
    return found


def _thirds(values: pd.Series, names: tuple[str, str, str]) -> pd.Series:
    rank = values.rank(method="first", pct=True)
    return pd.Series(np.array(names)[np.minimum(2, (3 * rank - 1e-9).astype(int))], values.index)


def measured(
    label: np.ndarray,
    probability: np.ndarray,
    groups: np.ndarray,
    questions: Mapping[str, pd.Series],
    metric: str = "auc",
    threshold: float = 0.5,
) -> list[Slice]:
    """Every slice of every question. A slice without a class that the metric needs, or of one score alone, says so.

    label, groups: (n,). probability: (n,) of class 1, or (n, classes). questions: as `kinds`.
    """
    drafts = {}
    for by, said in questions.items():
        for name in sorted(said.dropna().unique()):
            inside = said.eq(name).to_numpy()
            value = scored(metric, label[inside], probability[inside], groups[inside], threshold)
            apart = difference(metric, label, probability, groups, threshold, inside, ~inside)
            drafts[by, name] = (inside, value, apart)
    adjusted = holm({key: each[2].p_value(0) for key, each in drafts.items() if isinstance(each[2], Estimate)})
    classes = probability.shape[1] if np.ndim(probability) > 1 else 2
    return [
        Slice(
            *key, int(inside.sum()), len(np.unique(groups[inside])),
            np.bincount(label[inside], minlength=classes).tolist(), value, apart, adjusted.get(key),
        )
        for key, (inside, value, apart) in drafts.items()
    ]  # fmt: skip


def worst(found: list[Slice]) -> tuple[Slice | None, str]:
    """The slice of the lowest value, and a sentence that says whether it was told from the rest; None where none has a value."""
    known = [each for each in found if isinstance(each.value, Estimate)]
    if not known:
        return None, "No slice has a value."
    lowest = min(known, key=lambda each: each.value.value)
    said = f"The worst of {len(known)} slices is {lowest.by} {lowest.name}: {lowest.value} on {lowest.images} images"
    if lowest.told_apart and lowest.difference.value < 0:
        return lowest, f"{said}; it is worse than the rest, all slices counted (adjusted p {lowest.p_adjusted:.3f})."
    return lowest, f"{said}. With so many slices one is always last: this one was not told from the rest."


def table(found: list[Slice], classes: list[str], metric: str) -> pd.DataFrame:
    """The slices for people: a row each."""
    rows = [
        (
            f"{each.by}: {each.name}",
            each.images,
            each.groups,
            *each.counts,
            str(each.value),
            str(each.difference),
            each.p_adjusted,
        )
        for each in found
    ]
    columns = ["slice", "images", "groups", *classes, metric, "less the rest", "p, adjusted"]
    return pd.DataFrame(rows, columns=columns)
