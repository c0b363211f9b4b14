"""Chapter 3: the simple network over named recipes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib import cards, config, masks
from lib.grids.study import Study, by_seed, children_of
from lib.recipes import load
from lib.training.configuration import Network, Phase

REFERENCE = "plain"
STANDARDISED = "z_score"
ADD_TO_IT = ("clahe_z_score", "normal")  # give every image the same mean and spread, and change one thing more
EFFORTS = list(masks.EFFORTS)


def _taken(weights: str, given: Mapping[str, Any]) -> bool:
    """Whether the network that finds masks takes a file of weights; raises WeightsRefused in one line where it does not."""
    if weights and (kind := cards.load(given["DATASET"]).mask):
        masks.get(masks.Settings(of=kind, weights=Path(weights)))
    return True


RULES = {
    "MASK_EFFORT": (f"one of {', '.join(EFFORTS)}", lambda effort, _: effort in EFFORTS),
    "MASK_WEIGHTS": ("the path of a `.weights.h5` file, or nothing", _taken),
}


def preprocess(
    dataset: str, recipes: list[str], image_size: int, epochs: int, learning_rate: float, seeds: list[int], threads: int
) -> Study:
    """The simple network on every recipe, one run a seed; nothing else differs.

    recipes: names in params/recipes.yml, the first one `plain`. Raises UserError for others. Source: S1.3, S0.10-S0.14.
    """
    if recipes[0] != REFERENCE:
        raise config.UserError(
            f"RECIPES begins with {recipes[0]!r}; put {REFERENCE!r} first, the others are compared with it"
        )
    card, phase = cards.load(dataset), Phase(epochs=epochs, learning_rate=learning_rate)
    common = {"image_size": image_size, "threads": threads, "network": Network(family="simple"), "phases": (phase,)}
    common["measured_every"] = max(1, epochs // 10)
    return {name: by_seed(card, seeds, **common, recipe=load(name)) for name in recipes}


def parents(study: Study) -> dict[str, str]:
    """Every recipe is compared with `plain`; one that standardises and does more, with standardising alone where that is."""
    above = {name: STANDARDISED for name in ADD_TO_IT} if STANDARDISED in study else {}
    return children_of(REFERENCE, above)(study)
