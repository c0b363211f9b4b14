"""Claims about many changes together: what they bring on average, and what a choice among them is worth."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np
import pandas as pd
from scipy import stats

from lib import effects, statistics
from lib.ablations.settings import Setting, one_score, some
from lib.estimates import Bounds, Estimate, Inapplicable
from lib.intervals import Statistic, difference_between_parts, estimate
from lib.metrics import MissingClass, metric_statistic
from lib.runs import Predictions, predictions_by_seed
from lib.scores import METRICS

Values = Mapping[str, np.ndarray]  # name of a setting -> (seeds, rows): a metric for each weighting of the images
NONE = Inapplicable("no setting of this book regularises")


def regularising(settings: Sequence[Setting]) -> list[Setting]:
    """The settings whose one change is meant to close the gap."""
    return [setting for setting in settings if setting.regularises]


def average_effect(metric: str, settings: Sequence[Setting]) -> Estimate | Inapplicable:
    """The mean over settings of a metric on validation minus the parent's, paired by image and seed."""

    def mean(values: Values) -> np.ndarray:
        return np.mean([values[each.name] - values[each.parent.name] for each in settings], axis=0)

    return _over(metric, settings, mean, _range(metric))


def tuned(settings: Sequence[Setting], metric: str) -> pd.DataFrame:
    """A metric on tuning and on validation, mean over seeds, of the settings and their parents: a row a setting."""
    rows = {
        each.name: {
            part: np.mean([one_score(metric, seen.labels, p) for p in seen.probabilities])
            for part, seen in (("tuning", predictions_by_seed(each.runs, "tuning")), ("validation", each.validation))
        }
        for each in _with_parents(settings)
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=["tuning", "validation"])


def order_kept(metric: str, settings: Sequence[Setting]) -> Estimate | Inapplicable:
    """Rank correlation over settings, with their parents, between a metric on tuning and on validation; in [-1, 1].

    Of the means over seeds. Interval over the groups of both parts, for these networks.
    """
    if not settings:
        return NONE
    every = _with_parents(settings)
    try:
        sides = [
            _means(metric, [predictions_by_seed(each.runs, part) for each in every])
            for part in ("tuning", "validation")
        ]
    except MissingClass as error:
        return Inapplicable(str(error).split(";")[0])
    (chosen, tuning), (held, validation) = sides

    def correlation(weights: np.ndarray) -> np.ndarray:
        first, second = weights[:, : len(tuning)], weights[:, len(tuning) :]
        return _rank_correlation(chosen(first), held(second))

    return estimate(correlation, np.concatenate([tuning, validation]), (-1.0, 1.0))


def order_as(published: Mapping[str, float], metric: str, settings: Sequence[Setting]) -> Estimate | Inapplicable:
    """Rank correlation between published values, by names of settings, and a metric on validation; in [-1, 1]."""
    both = [each for each in settings if each.name in published]

    def correlation(values: Values) -> np.ndarray:
        first = np.array([published[each.name] for each in both])[:, None, None]
        return _rank_correlation(first, np.stack([values[each.name] for each in both]))

    return _over(metric, both, correlation, (-1.0, 1.0))


def beyond_seeds(metric: str, settings: Sequence[Setting]) -> Estimate | Inapplicable:
    """Spread of a metric over settings minus its spread over seeds of one setting (standard deviations).

    The spread over settings is what is left of that of their means once the seeds' share is taken out. Interval over groups,
    for these networks.
    """

    if settings and min(len(each.runs) for each in _with_parents(settings)) < 2:
        return Inapplicable("a setting has one seed alone, which shows no spread between seeds")

    def spread(values: Values) -> np.ndarray:
        held = np.stack(list(values.values()))
        within = held.var(axis=1, ddof=1).mean(axis=0)
        between = np.maximum(0, held.mean(axis=1).var(axis=0, ddof=1) - within / held.shape[1])
        return np.sqrt(between) - np.sqrt(within)

    return _over(metric, settings, spread, _range(metric))


def narrowing(settings: Sequence[Setting]) -> Estimate | Inapplicable:
    """The mean over settings of the gap minus the parent's, nats; the gap is log loss on validation minus that on training.

    Paired by image and seed; over seeds and the groups of both parts, which are two samples.
    """
    return loss_changes(settings)["the gap between them"]


def loss_changes(settings: Sequence[Setting]) -> dict[str, Estimate | Inapplicable]:
    """What a narrower gap is made of: mean change of log loss on training, on validation, and of the gap, nats.

    Each as `narrowing`.
    """
    if not settings:
        return dict.fromkeys(("training loss", "validation loss", "the gap between them"), NONE)
    losses = {each.name: _losses(each) for each in _with_parents(settings)}
    shared = reduce(
        lambda kept, table: kept.intersection(table.index), losses.values(), next(iter(losses.values())).index
    )
    fewest = min(table.shape[1] for table in losses.values())
    aligned = {name: table.loc[shared].to_numpy()[:, :fewest].T for name, table in losses.items()}
    change = np.mean([aligned[each.name] - aligned[each.parent.name] for each in settings], axis=0)  # (seeds, images)
    groups, held = shared.get_level_values("group").to_numpy(), shared.get_level_values("part") == "validation"

    (learned, learned_groups), (scored, scored_groups) = (
        (statistics.mean_of(change[:, rows]), groups[rows]) for rows in (~held, held)
    )
    return {
        "training loss": estimate(learned, learned_groups),
        "validation loss": estimate(scored, scored_groups),
        "the gap between them": difference_between_parts(scored, scored_groups, learned, learned_groups),
    }


def _over(
    metric: str, settings: Sequence[Setting], combine: Callable[[Values], np.ndarray], bounds: Bounds
) -> Estimate | Inapplicable:
    """An estimate of what `combine` makes of a metric of settings and parents, on the validation images that all have."""
    if not settings:
        return NONE
    every = _with_parents(settings)
    common = reduce(np.intersect1d, [each.validation.images for each in every])
    fewest = min(len(each.runs) for each in every)
    on = {each.name: each.on(common) for each in every}
    try:
        parts = {name: metric_statistic(metric, each.labels, each.probabilities[:fewest]) for name, each in on.items()}
    except MissingClass as error:
        return Inapplicable(str(error).split(";")[0])
    groups = next(iter(on.values())).groups
    return estimate(lambda weights: combine({name: part(weights) for name, part in parts.items()}), groups, bounds)


def _means(metric: str, seen: Sequence[Predictions]) -> tuple[Statistic, np.ndarray]:
    """A metric of several networks on the images that all have, means over seeds: of weights (rows, n), (networks, rows).

    Returns it with the groups of these images, (n,). Raises MissingClass.
    """
    common = reduce(np.intersect1d, [each.images for each in seen])
    on = [some(each, common) for each in seen]
    parts = [metric_statistic(metric, each.labels, each.probabilities) for each in on]
    return lambda weights: np.stack([part(weights).mean(axis=0) for part in parts]), on[0].groups


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spearman's, over the first axis of two arrays (settings, ...) that broadcast; nan where all are alike."""
    ranks = (stats.rankdata(side, axis=0) for side in (first, second))
    one, other = (rank - rank.mean(axis=0) for rank in ranks)
    spread = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    return np.divide((one * other).sum(axis=0), spread, out=np.full(spread.shape, np.nan), where=spread > 0)


def _range(metric: str) -> Bounds:
    """Where a difference of two values of a metric lies."""
    low, high = METRICS[metric].bounds
    return low - high, high - low


def _with_parents(settings: Sequence[Setting]) -> list[Setting]:
    every = {each.name: each for setting in settings for each in (setting.parent, setting) if each}
    return list(every.values())


def _losses(setting: Setting) -> pd.DataFrame:
    """Log loss of every training and validation image, nats: index part, group, image; a column a seed."""
    columns = {}
    for run in setting.runs:
        rows = run.predictions[run.predictions["part"] != "tuning"]
        index = pd.MultiIndex.from_frame(rows[["part", "group", "image"]])
        columns[run.key] = pd.Series(-np.log(effects.given_to_labels(rows)), index)
    return pd.DataFrame(columns).dropna()
