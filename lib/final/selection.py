"""Whether the pinned finalists are supported by what all settings of the book reached on validation."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib import classical, config, custody, effects, features, grids
from lib.ablations import Setting
from lib.baselines import DUMMY
from lib.estimates import Estimate, Inapplicable
from lib.final.finalists import of_model
from lib.grids.final import SCRATCH, TRANSFER
from lib.intervals import difference_of_means
from lib.metrics import MissingClass, by_seed, metric_statistic
from lib.runs import Predictions
from lib.training.configuration import Configuration, Control


def kind(configuration: Configuration) -> str | None:
    """`transfer` for what begins from trained weights, else `scratch`; None for what is no candidate.

    No candidates are runs on some of the levels, or whose data were changed to see a check fail.
    """
    if configuration.levels != "all" or configuration.control != Control() or configuration.train_share < 1:
        return None
    return TRANSFER if configuration.network.parameters.get("weights") else SCRATCH


def candidates(settings: Sequence[Setting]) -> dict[str, dict[str, Predictions]]:
    """What every candidate of the book says of validation: kind -> name -> predictions, all seeds.

    settings: of `ablations.read`.
    """
    found: dict[str, dict[str, Predictions]] = {SCRATCH: {}, TRANSFER: {}}
    for setting in settings:
        if own := kind(setting.runs[0].configuration):
            found[own][setting.name] = setting.validation
    return found


def classical_candidates(described: features.Features, context: config.Context, seed: int) -> dict[str, Predictions]:
    """The same of every classical model on the same features, fitted on the training part."""
    names = [name for name in classical.models(seed) if name != DUMMY]
    return {name: of_model(name, name, described, context, seed).known["validation"] for name in names}


def best(found: Mapping[str, Predictions]) -> str:
    """The name of the highest mean AUC over seeds; the first of equals."""
    return max(found, key=lambda name: mean_auc(found[name]))


def mean_auc(seen: Predictions) -> float:
    """AUC on these images, mean over seeds; -1 where it has no value."""
    value = by_seed("auc", seen.labels, seen.probabilities).mean()
    return float(value) if np.isfinite(value) else -1.0


def supported(pin: str, found: Mapping[str, Predictions]) -> Estimate | Inapplicable:
    """Mean AUC of the pinned candidate less that of the best other one of its kind, on validation.

    Each mean is over the seeds of its own, as the rule takes it; paired by seed where both have as many.
    """
    if pin not in found:
        return Inapplicable(f"{pin} is no candidate of its kind")
    first = found[pin]  # another chapter may have trained the same
    others = {name: each for name, each in found.items() if not np.array_equal(each.probabilities, first.probabilities)}
    if not others:
        return Inapplicable(f"{pin} is the only candidate of its kind")
    second = others[best(others)]
    if not np.array_equal(first.images, second.images):
        return Inapplicable("the best other of its kind was scored on other images")
    if len(first.probabilities) == len(second.probabilities):
        return effects.difference("auc", first, second)
    try:
        sides = [metric_statistic("auc", side.labels, side.probabilities) for side in (first, second)]
    except MissingClass as error:
        return Inapplicable(str(error).split(";")[0])
    return difference_of_means(*sides, first.groups)


def places(members: Mapping[str, Predictions]) -> dict[str, int]:
    """The place of each candidate by its mean AUC on validation, the best one first; the first of equals first."""
    order = sorted(members, key=lambda name: -mean_auc(members[name]))
    return {name: place for place, name in enumerate(order, start=1)}


def followed(found: Mapping[str, Mapping[str, Predictions]], pins: Mapping[str, str]) -> str:
    """Whether the rule, the highest mean AUC of a kind on validation, would pin what is pinned: a sentence."""
    missed = []
    for own, members in found.items():
        place = places(members).get(pins[own])
        if place is None:
            missed.append(f"{own}: {pins[own]} is no candidate")
        elif place > 1:
            leader = best(members)
            reached = f"{mean_auc(members[pins[own]]):.3f} against {mean_auc(members[leader]):.3f} of {leader}"
            missed.append(f"{own}: {pins[own]} stands at place {place} of {len(members)}, {reached}")
    if not missed:
        return "Every pin is the first of its kind by mean AUC on validation, as the rule asks."
    return f"By mean AUC on validation the rule does not support every pin. {'. '.join(missed)}."


def table(found: Mapping[str, Mapping[str, Predictions]], pins: Mapping[str, str], most: int = 5) -> pd.DataFrame:
    """The best candidates of each kind, and the pinned one wherever it stands: a row each.

    The last column is what one network alone reached, that of the first seed, which goes on where it is pinned.
    """
    rows = []
    for own, members in found.items():
        for name, place in places(members).items():
            if place <= most or name == pins[own]:
                seen = members[name]
                reached = str(effects.scored("auc", seen)), float(by_seed("auc", seen.labels, seen.probabilities)[0])
                rows.append((own, place, name, name == pins[own], len(seen.probabilities), *reached))
    columns = [
        "kind",
        "place",
        "candidate",
        "pinned",
        "seeds",
        "AUC on validation, mean over seeds",
        "of its first seed",
    ]
    return pd.DataFrame(rows, columns=columns)


def sizes(context: config.Context) -> pd.DataFrame:
    """Images and groups of the parts that decide and of the one that is opened, labels unseen: a row a part."""
    parts = custody.summary(context)["parts"]
    rows = [(part, parts[part]["images"], parts[part]["groups"]) for part in ("tuning", "validation", "test")]
    return pd.DataFrame(rows, columns=["part", "images", "groups"])


def shares(context: config.Context) -> np.ndarray:
    """(classes,) shares of the classes in the training part, sum 1."""
    development = custody.development(context)
    counts = development.loc[development["part"] == "train", "label"].value_counts(normalize=True).sort_index()
    return counts.to_numpy(float)


def facts(pin: Sequence[str]) -> dict[str, str]:
    """Of a pinned setting, for the record: family, setting, chapter. pin: family and setting."""
    family, setting = pin
    return {"family": family, "setting": setting, "chapter": grids.FAMILIES[family].chapter}


def named(pin: Sequence[str]) -> str:
    """The name of a pinned setting among the candidates."""
    return f"{int(facts(pin)['chapter'][:2])} · {pin[1]}"
