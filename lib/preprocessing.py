"""What recipes make of images, and what models make of that."""

import timeit
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib import classical, steps
from lib.estimates import Estimate, Inapplicable
from lib.metrics import difference_estimate, metric_estimate
from lib.runs import Predictions
from lib.steps.step import PIXELS
from lib.training.configuration import Configuration
from lib.training.data import Data, Part

if TYPE_CHECKING:
    import keras

BATCH = 256
TIMED = 6  # calls of a graph; the first one compiles it, and the fastest counts
BINS = 32  # of the values that enter


def described(recipes: Mapping[str, steps.Recipe], size: int) -> pd.DataFrame:
    """A row a recipe: its steps, in the order in which they act, and where each is computed. size: of the run, pixels."""
    rows = {
        name: {
            "computed once, kept as pixels": " · ".join(label(step, size) for step in steps.cached_part(recipe)),
            "in the network": " · ".join(label(step, size) for step in steps.graph_part(recipe)),
        }
        for name, recipe in recipes.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("recipe")


def label(step: steps.Step, size: int) -> str:
    """A step in words: its name and what it was told; of a stack, the names within it; of a resize, the pixels it gives."""
    if isinstance(step, steps.Stack):
        channels = [" then ".join(label(each, size) for each in nested) or "as it is" for nested in step.channels]
        return f"{step.step} ({' | '.join(channels)})"
    if isinstance(step, steps.Resize):
        side = step.apply(np.zeros((2, 2), np.uint8), size).shape[0]
        return f"{step.step} to {side} px" + (", padded" if step.padding else "")
    told = step.model_dump(include=step.model_fields_set - {"step"}, mode="json")
    return step.step + (f" ({', '.join(f'{name} {_said(value)}' for name, value in told.items())})" if told else "")


def stages(
    recipe: steps.Recipe, image: np.ndarray, size: int, entered: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """A picture before and after each cached step, as it can be drawn: (height, width) or (height, width, 3) uint8.

    entered: as `pictured`, what entered of it; the last one where steps belong to the network. Of several channels the first
    three are drawn as colours; where there are two, the third colour stays dark.
    """
    cached = {name: _drawn(made) for name, made in steps.stages(recipe, image, size).items()}
    inside = " · ".join(step.step for step in steps.graph_part(recipe))
    return cached | ({f"in the network:<br>{inside}": entered} if inside and entered is not None else {})


def results(
    recipes: Mapping[str, steps.Recipe], pictures: Sequence[np.ndarray], size: int
) -> dict[str, list[np.ndarray]]:
    """Several pictures after all cached steps of each recipe, as they can be drawn."""
    return {
        name: [list(stages(recipe, picture, size).values())[-1] for picture in pictures]
        for name, recipe in recipes.items()
    }


def pictured(tensor: np.ndarray, part: Part, names: Sequence[str]) -> list[np.ndarray]:
    """What enters of some images of a part, as it can be drawn, black at 0 and white at 1. tensor: of `entering`."""
    chosen = tensor[pd.Index(part.names).get_indexer(names)]
    shades = np.uint8(np.round(255 * chosen.clip(0, 1)))
    return [_drawn(each[..., 0] if each.shape[-1] == 1 else each) for each in shades]


def entering(configuration: Configuration, data: Data, part: Part) -> np.ndarray:
    """The tensor that enters the first convolution (S3.15): (n, size, size, channels) float32, of the very graph that trains."""
    import keras

    from lib.training import initial

    network = initial.build(configuration, data)
    first = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    return _through(keras.Model(network.input, first.input), part)


def check(recipe: steps.Recipe, part: Part, row: int, picture: np.ndarray) -> None:
    """The cached pixels of an image are what the recipe makes of its picture. Raises AssertionError otherwise."""
    size = part.pixels.shape[1]
    direct = steps.apply(recipe, picture, size)
    assert np.array_equal(part.pixels[part.rows[row]], direct), f"{part.names[row]}: the cache holds other pixels"


def histograms(tensors: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Share of the values of each tensor, in bins over [0, 1]: index the middle of a bin, a column a tensor."""
    edges = np.linspace(0, 1, BINS + 1)
    shares = {name: np.histogram(tensor, edges)[0] / tensor.size for name, tensor in tensors.items()}
    return pd.DataFrame(shares, index=(edges[:-1] + edges[1:]) / 2)


def speeds(recipes: Mapping[str, steps.Recipe], pictures: Sequence[np.ndarray], size: int) -> dict[str, list[float]]:
    """Images per second of every different step, slowest first; a step of several recipes is timed once.

    Cached steps on one core, on what the steps before them give, in the first recipe that has them; steps of the network's
    graph as `_speeds_in_network`. Names break where a figure needs it.
    """
    found: dict[str, float] = {}
    for recipe in recipes.values():
        names = (label(step, size) for step in steps.cached_part(recipe))
        timed = dict(zip(names, steps.images_per_second(recipe, pictures, size).values(), strict=True))
        found = timed | _speeds_in_network(recipe, pictures, size, found) | found
    return {name.replace(" | ", "<br>| "): [found[name]] for name in sorted(found, key=found.get)}


def _speeds_in_network(
    recipe: steps.Recipe, pictures: Sequence[np.ndarray], size: int, known: Container[str]
) -> dict[str, float]:
    """Images per second of the steps of the graph that are not known, a batch at a time, with TensorFlow's device and threads."""
    import keras

    from lib.training import measure

    found, values = {}, PIXELS
    for step in steps.graph_part(recipe):
        if (name := f"in the network: {label(step, size)}") not in known:
            batch = np.stack([steps.apply(recipe, picture, size) for picture in pictures])
            batch = np.resize(batch, (BATCH, *batch.shape[1:]))  # its values do not change the time
            inputs = keras.Input(batch.shape[1:])
            forward = measure.traced(keras.Model(inputs, step.connect(inputs, values)))
            found[name] = BATCH / min(
                timeit.repeat(lambda f=forward, b=batch: np.asarray(f(b)), number=1, repeat=TIMED)
            )
        values = step.range_after(*values)
    return found


def classical_scores(configuration: Configuration, data: Data) -> np.ndarray:
    """What the book's first model, on histograms of gradients, says of the validation images; it learns from train.

    It sees the very tensor that enters the network. Returns (1, n) or (1, n, classes) float, as `classical.ranked`,
    with an axis for a seed: it draws nothing at random.
    """
    train, validation = (
        classical.hog_features(entering(configuration, data, part)) for part in (data.train, data.validation)
    )
    return classical.ranked(classical.baseline(), train, data.train.labels, validation)[np.newaxis]


def reached(seen: Predictions, scores: Mapping[str, np.ndarray]) -> dict[str, Estimate | Inapplicable]:
    """AUC of each of several recipes. seen: whose images, labels and groups are those of all. scores: name -> probabilities."""
    return {name: metric_estimate("auc", seen.labels, found, seen.groups) for name, found in scores.items()}


def differences(
    seen: Predictions, scores: Mapping[str, np.ndarray], parents: Mapping[str, str]
) -> dict[str, Estimate | Inapplicable]:
    """AUC of each recipe minus that of its parent, paired by image, and by seed where there are several.

    seen, scores: as `reached`. parents: recipe -> the recipe that it is compared with.
    """
    return {
        name: difference_estimate("auc", seen.labels, scores[name], scores[parent], seen.groups)
        for name, parent in parents.items()
    }


def compared(found: Mapping[str, Estimate | Inapplicable], recipe: str, profile: str) -> Estimate | Inapplicable:
    """The difference of a recipe; not applicable where the profile does not compare it."""
    return found.get(recipe, Inapplicable(f"profile {profile} does not compare the recipe {recipe}"))


def _drawn(image: np.ndarray) -> np.ndarray:
    if image.ndim == 2 or image.shape[2] == 3:
        return image
    return np.dstack([image[..., :3], np.zeros((*image.shape[:2], max(0, 3 - image.shape[2])), np.uint8)])


def _said(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_said, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _through(graph: "keras.Model", part: Part) -> np.ndarray:
    return np.concatenate([np.asarray(graph(batch, training=False)) for batch in part.batches(BATCH)])
