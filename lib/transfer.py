"""Settings of chapters 9 to 11 by network, initialisation, strategy and depth: which are compared, and how they did."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib import cells, effects, epochs, networks
from lib.estimates import Estimate, Inapplicable
from lib.grids import strategies
from lib.grids.study import Study
from lib.lineage import changed, leaf
from lib.metrics import confusion
from lib.runs import Predictions, Run, predictions_by_seed
from lib.training.configuration import Network

Pairs = list[tuple[str, str]]  # a setting, and what it is compared with


def described(study: Study) -> pd.DataFrame:
    """The cell of every setting, a row each: network by its name for people, initialisation, strategy, blocks unfrozen, size."""
    rows = {name: cells.of(group[0])._asdict() for name, group in study.items()}
    rows = {name: row | {"network": strategies.titled(row["network"])} for name, row in rows.items()}
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
    keys = {tuple(key): name for name, *key in frozen[["network", "size"]].itertuples()}
    places = whole[["network", "size"]].itertuples()
    return [(keys[network, size], name) for name, network, size in places if (network, size) in keys]


def grouped(
    estimates: Mapping[str, Estimate | Inapplicable], table: pd.DataFrame, series: str, along: str
) -> dict[str, dict[str, Estimate | Inapplicable]]:
    """Estimates of the settings that a table names, by two of its columns: a value of `series` -> one of `along` -> estimate."""
    found: dict[str, dict[str, Estimate | Inapplicable]] = {}
    for name, row in table.iterrows():
        found.setdefault(row[series], {})[row[along]] = estimates[name]
    return found


def by_depth(
    estimates: Mapping[str, Estimate | Inapplicable], study: Study, parents: Mapping[str, str]
) -> dict[str, dict[float, Estimate | Inapplicable]]:
    """Estimates of frozen and fine-tuned settings: network -> blocks unfrozen -> estimate."""
    table = described(study)
    deeper = pairs(study, parents, "unfrozen")
    chosen = table.loc[list(dict.fromkeys(name for child, parent in deeper for name in (parent, child)))]
    return grouped(estimates, chosen.assign(blocks=chosen["blocks_unfrozen"].astype(float)), "network", "blocks")


def history(finished: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """`epochs.through` of every setting on train and validation, with the setting's name: a row a run, epoch and part."""
    tables = [epochs.through(group).assign(setting=name) for name, group in finished.items()]
    whole = pd.concat(tables) if tables else pd.DataFrame(columns=["setting", "epoch", "part"])
    return whole[whole["part"] != "tuning"]


def class_names(seen: Predictions, classes: Sequence[str]) -> pd.Series:
    """The class of every image, in the order of the classes."""
    return pd.Series(pd.Categorical.from_codes(seen.labels, classes), name="class")


def by_size(study: Study) -> pd.DataFrame:
    """The settings of chapter 11, a row each: network (with its strategy), images, size.

    images: `extreme`, `all`, `coarse`, or a share such as `50 % of all`.
    """
    rows = {name: name.rsplit(", ", 2) for name in study}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["network", "images", "size"]).rename_axis("setting")
    return table.assign(size=table["size"].str.removesuffix(" px").astype(int))


def trend(table: pd.DataFrame) -> dict[str, float]:
    """Weights of `effects.contrast`: the slope for each doubling of the size, mean over networks. table: of `by_size`."""
    found = [effects.slopes(np.log2(rows["size"]).to_dict()) for _, rows in table.groupby("network")]
    return {name: weight / len(found) for weights in found for name, weight in weights.items()}


def between(table: pd.DataFrame, first: tuple[str, int], second: tuple[str, int]) -> Pairs:
    """Of every network the setting of (images, size) `first` with that of `second`. table: of `by_size`."""
    names = {tuple(key): name for name, *key in table.itertuples()}
    networks_there = dict.fromkeys(table["network"])
    wanted = [((network, *first), (network, *second)) for network in networks_there]
    return [(names[one], names[other]) for one, other in wanted if one in names and other in names]


def costs(table: pd.DataFrame, log: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Time of each setting by size, series, x and y, and the terms of a power law for it: logarithms of size and images.

    table: of `by_size`. log: of `timing.phases`.
    """
    spent = (log["seconds"] + log["stored_seconds"]).groupby(log["setting"]).sum()
    images = log.groupby("setting")["images"].first()
    usual = table[table["images"] != "coarse"]
    points = pd.DataFrame({"series": usual["network"] + ", " + usual["images"], "x": usual["size"], "y": spent})
    points = points.dropna().assign(images=images)
    logarithms = {"constant": 1.0, "of the side": np.log(points["x"]), "of the images": np.log(points["images"])}
    return points, pd.DataFrame(logarithms)


def blocks(network: Network) -> pd.DataFrame:
    """The blocks of a network, counted from its end, with the last layer of each."""
    ends = networks.blocks(network.family, network.parameters)
    rows = [(number, *named) for number, named in enumerate(reversed(ends.items()), start=1)]
    return pd.DataFrame(rows, columns=["from the end", "block", "its last layer"])


def whole_less_part(by_depth: Mapping[float, str]) -> dict[str, float]:
    """Weights of `effects.contrast`: a line between the two block ends around a depth less what is reached inside, on average.

    by_depth: blocks unfrozen -> setting. Depths without both ends take no part.
    """
    inside = [each for each in by_depth if each % 1 and {np.floor(each), np.ceil(each)} <= set(by_depth)]
    weights: dict[str, float] = {}
    for each in inside:
        for depth, share in ((np.floor(each), 1 - each % 1), (np.ceil(each), each % 1), (each, -1)):
            weights[by_depth[depth]] = weights.get(by_depth[depth], 0) + share / len(inside)
    return weights


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
