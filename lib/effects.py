"""What a change brings: scores of runs with it less scores without it, and how calmly both learned."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lib.estimates import Estimate, Inapplicable
from lib.intervals import Statistic, estimate, seed_mean_estimate
from lib.metrics import MissingClass, chance, difference_estimate, metric_estimate, metric_statistic, of_labels
from lib.runs import Predictions, Run, predictions_by_seed, probabilities
from lib.scores import METRICS
from lib.texts import Sentence
from lib.training.data import Data

Runs = Mapping[str, Sequence[Run]]  # setting -> one run a seed


def difference(metric: str, first: Predictions, second: Predictions) -> Estimate | Inapplicable:
    """A metric of the first networks minus that of the second ones, paired by image and seed."""
    pair = first.probabilities, second.probabilities
    return difference_estimate(metric, first.labels, *pair, first.groups)


def differences(metric: str, finished: Runs, parents: Mapping[str, str]) -> dict[str, Estimate | Inapplicable]:
    """A metric on the validation part, each setting minus its parent, paired by image and seed.

    parents: setting -> the setting that it is compared with.
    """
    wanted = {name: predictions_by_seed(finished[name], "validation") for name in {*parents, *parents.values()}}
    return {name: difference(metric, wanted[name], wanted[parent]) for name, parent in parents.items()}


def blind(data: Data, part: str = "validation") -> dict[str, float]:
    """Every metric on a part of what looks at no image: the class shares of the training part, for each image."""
    shares = np.bincount(data.train.labels, minlength=data.classes) / len(data.train)
    return chance(data.parts()[part].labels, shares)


def added(before: Data, after: Data, classes: Sequence[str]) -> Sentence:
    """How many training images drawn defects add, and the share of the last class then and before, beside that in validation."""
    parts = {"train": before.train, "changed": after.train, "validation": before.validation}
    shares = {name: f"{100 * np.mean(part.labels == len(classes) - 1):.0f} %" for name, part in parts.items()}
    return Sentence(
        f"To {len(before.train):,} training images the drawn defects add {len(after.train) - len(before.train):,}. So "
        f"{shares['changed']} of them are {classes[-1]}, where {shares['train']} were; of validation "
        f"{shares['validation']} are."
    )


def beside(
    differences: Mapping[str, Mapping[str, Estimate | Inapplicable]], finished: Runs, unseen: Mapping[str, float]
) -> pd.DataFrame:
    """What every setting reached on validation, and how far that is from its parent: a row a setting, with intervals.

    differences: metric -> setting -> estimate, as `differences`; of a setting without a parent the cell is empty.
    unseen: as `blind`, the first row.
    """
    titles = {metric: metric.replace("auc", "AUC") for metric in differences}
    rows = {
        "class shares, no image": {titles[metric]: f"{unseen[metric]:.3f}" for metric in titles if metric in unseen}
    }
    for name, group in finished.items():
        reached = {title: str(validation_estimate(metric, group)) for metric, title in titles.items()}
        moved = {f"difference of {titles[metric]}": str(found.get(name, "")) for metric, found in differences.items()}
        rows[name] = reached | moved
    return pd.DataFrame.from_dict(rows, orient="index").fillna("").rename_axis("setting")


def validation_estimate(metric: str, runs: Sequence[Run]) -> Estimate | Inapplicable:
    """A metric on the validation part, over seeds and groups."""
    return scored(metric, predictions_by_seed(runs, "validation"))


def scored(metric: str, seen: Predictions) -> Estimate | Inapplicable:
    """A metric of what was predicted, over seeds and groups."""
    return metric_estimate(metric, seen.labels, seen.probabilities, seen.groups)


def contrast(metric: str, finished: Runs, weights: Mapping[str, float]) -> Estimate | Inapplicable:
    """A weighted sum over settings of a metric on the validation part, paired by image and seed.

    weights: setting -> any number but 0: 1 and -1 make a difference, `slopes` a trend. A setting is scored on the images that
    it saw, the extreme levels or all. Inapplicable where a setting has no run, or a class that it needs no image.
    """
    if missing := [name for name in weights if name not in finished]:
        return Inapplicable(f"there is no run of: {', '.join(missing)}")
    if not weights:
        return Inapplicable("there are no settings to compare")
    seen = {name: predictions_by_seed(finished[name], "validation") for name in weights}
    most = max(seen.values(), key=lambda each: len(each.images))
    try:
        parts = {name: _statistic(metric, each, most) for name, each in seen.items()}
    except MissingClass as error:
        return Inapplicable(str(error).split(";")[0])
    ends = [sorted(weight * bound for bound in METRICS[metric].bounds) for weight in weights.values()]
    low, high = (sum(each[end] for each in ends) for end in (0, 1))
    return estimate(
        lambda rows: sum(weights[name] * part(rows) for name, part in parts.items()), most.groups, (low, high)
    )


def mean_difference(metric: str, finished: Runs, pairs: Sequence[tuple[str, str]]) -> Estimate | Inapplicable:
    """The mean over pairs of settings of the first one's metric minus the second one's, as `contrast`."""
    weights: dict[str, float] = {}
    for first, second in pairs:
        for name, sign in ((first, 1), (second, -1)):
            weights[name] = weights.get(name, 0) + sign / len(pairs)
    return contrast(metric, finished, {name: weight for name, weight in weights.items() if weight})


def slopes(places: Mapping[str, float]) -> dict[str, float]:
    """Weights that make a sum over settings the slope of a straight line (least squares); none where all lie at one place.

    places: setting -> where it lies.
    """
    centred = np.array(list(places.values())) - np.mean(list(places.values()) or 0)
    spread = (centred**2).sum()
    return {name: value / spread for name, value in zip(places, centred, strict=True) if spread and value}


def _statistic(metric: str, seen: Predictions, most: Predictions) -> Statistic:
    """A metric on the images that a setting saw, of weights for those of another one that saw them all."""
    aligned = seen.aligned(most.images)
    known = ~np.isnan(aligned).any(axis=tuple(axis for axis in range(aligned.ndim) if axis != 1))
    return metric_statistic(metric, most.labels, aligned, within=known)


def restlessness(runs: Sequence[Run]) -> np.ndarray:
    """How erratic learning was: the standard deviation of the change of validation loss from epoch to epoch, nats.

    The untrained network takes no part: the step away from it says how fast a network begins, not how calmly it goes on.
    Returns (seeds,) float. Runs must have been measured after every epoch. Source: S4.5.
    """
    tables = [run.history.query("part == 'validation' and epoch > 0").sort_values("epoch") for run in runs]
    return np.array([table["loss"].diff().iloc[1:].std(ddof=0) for table in tables])


def calmer(changed: Sequence[Run], parent: Sequence[Run]) -> Estimate | Inapplicable:
    """Restlessness of the changed runs minus that of their parent's, paired by seed, nats."""
    return seed_mean_estimate(restlessness(changed) - restlessness(parent))


def epochs_kept(runs: Runs) -> pd.DataFrame:
    """Epochs that were trained, the epoch whose weights were kept, and the steps up to it: a row a setting, text.

    Columns trained, kept, steps: a number for each run of the setting, in their order.
    """
    rows = {
        name: {
            "trained": [run.record["stopped_epoch"] for run in group],
            "kept": [run.record["best_epoch"] for run in group],
            "steps": [run.record["best_epoch"] * _steps_an_epoch(run) for run in group],
        }
        for name, group in runs.items()
    }
    found = pd.DataFrame.from_dict(rows, orient="index").rename_axis("setting")
    return found.map(lambda numbers: ", ".join(map(str, numbers)))


def _steps_an_epoch(run: Run) -> int:
    return -(-run.record["images"]["train"] // run.configuration.batch_size)


def variance_shift(run: Run, images: np.ndarray) -> pd.Series:
    """How much larger the variance that each batch normalisation divides by is than the one that it meets, at inference.

    images: (n, height, width, channels) uint8, of training. Returns layer -> mean over its channels of the logarithm of
    the ratio of both variances; above 0 where the layer divides by too much, 0 where training and inference agree.
    Source: Li et al. 2019, "Understanding the disharmony between dropout and batch normalization", arXiv:1801.05134.
    """
    import keras

    network = run.model()
    layers = {layer.name: layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)}
    met = keras.Model(network.input, {name: layer.input for name, layer in layers.items()})(images, training=False)
    found = {}
    for name, layer in layers.items():
        variances = np.var(met[name], axis=(0, 1, 2)), layer.moving_variance.numpy()
        at_inference, averaged = (np.log(variance + layer.epsilon) for variance in variances)
        found[name] = (averaged - at_inference).mean()
    return pd.Series(found, name="variance shift").rename_axis("layer")


def given_to_labels(table: pd.DataFrame) -> np.ndarray:
    """(n,): the probability that each image's label is given, kept above 0. table: rows of `Run.predictions`."""
    return np.maximum(of_labels(probabilities(table), table["label"].to_numpy()), np.finfo(float).eps)
