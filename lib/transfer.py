"""Settings of chapters 9 to 11 by network, initialisation, strategy and depth: which are compared, and how they did."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib import cells, effects
from lib.estimates import Estimate, Inapplicable
from lib.grids.study import Study
from lib.lineage import changed, leaf
from lib.metrics import confusion
from lib.runs import Predictions, Run, predictions_by_seed

Pairs = list[tuple[str, str]]  # a setting, and what it is compared with


def described(study: Study) -> pd.DataFrame:
    """The cell of every setting, a row each: network, initialisation, strategy, blocks unfrozen, size."""
    rows = {name: cells.of(group[0].model_dump(mode="json"))._asdict() for name, group in study.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("setting")


def pairs(study: Study, parents: Mapping[str, str], field: str) -> Pairs:
    """The settings that differ from their parents by this field of a configuration, each with its parent."""
    found = changed(study, parents)
    return [(name, parent) for name, parent in parents.items() if leaf(next(iter(found[name]))) == field]


def frozen_beside(study: Study, initialisation: str) -> Pairs:
    """Every network that was trained as a whole, from `random` or from `imagenet`: its frozen features at the same size first."""
    table = described(study)
    whole = table[(table["strategy"] == "all trained") & (table["initialisation"] == initialisation)]
    frozen = table[table["strategy"] == "feature extraction"]
    keys = {(row.network, row.size): name for name, row in frozen.iterrows()}
    return [(keys[row.network, row.size], name) for name, row in whole.iterrows() if (row.network, row.size) in keys]


def grouped(
    estimates: Mapping[str, Estimate | Inapplicable], table: pd.DataFrame, series: str, along: str
) -> dict[str, dict[str, Estimate | Inapplicable]]:
    """Estimates of the settings that a table names, by two of its columns: a value of `series` -> one of `along` -> estimate."""
    found: dict[str, dict[str, Estimate | Inapplicable]] = {}
    for name, row in table.iterrows():
        found.setdefault(row[series], {})[row[along]] = estimates[name]
    return found


def scored(metric: str, finished: Mapping[str, Sequence[Run]]) -> dict[str, Estimate | Inapplicable]:
    """A metric of every setting on the validation part."""
    return {name: effects.validation_estimate(metric, group) for name, group in finished.items()}


def confusions(
    finished: Mapping[str, Sequence[Run]], others: Mapping[str, Mapping[str, Predictions]], part: str
) -> dict[str, np.ndarray]:
    """Confusion matrices on a part, decided by the mean over seeds: of all settings, and of other models by name and part."""
    seen = {name: predictions_by_seed(group, part) for name, group in finished.items()}
    seen |= {name: parts[part] for name, parts in others.items()}
    return {name: confusion(each.labels, each.probabilities.mean(axis=0)) for name, each in seen.items()}
