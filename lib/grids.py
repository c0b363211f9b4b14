"""Families of runs: the configurations of each study, known before anything is trained."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib import cards
from lib.training.configuration import Configuration, Head, Network, Phase

Study = dict[str, list[Configuration]]  # label of a setting -> one configuration a seed


def simple_network(
    dataset: str, image_size: int, epochs: int, learning_rate: float, seeds: list[int], threads: int
) -> Study:
    """The simple network on the two extreme levels, where there are three or more, and on all; one run a seed.

    Source: S3.11, S3.12, S4.2.
    """
    card = cards.load(dataset)
    extremes = card.graded and len(card.level_names) > 2
    return {
        levels: [
            Configuration(
                dataset=dataset,
                levels=levels,
                recipe=card.recipe,
                image_size=image_size,
                network=Network(family="simple"),
                head=Head(bias="prior"),
                phases=(Phase(epochs=epochs, learning_rate=learning_rate),),
                seed=seed,
                threads=threads,
            )
            for seed in seeds
        ]
        for levels in (("extreme", "all") if extremes else ("all",))
    }


@dataclass(frozen=True)
class Family:
    """A study and the chapter whose parameters it takes."""

    chapter: str
    study: Callable[..., Study]


FAMILIES = {"simple_network": Family("05_simple_network", simple_network)}


def family(name: str, parameters: dict[str, Any]) -> Study:
    """The configurations of a family.

    parameters: the parameters cell of its chapter (upper-case names); those that the study takes are used.
    Raises ValueError for a family that does not exist, KeyError for a parameter that is missing.
    """
    if name not in FAMILIES:
        raise ValueError(f"family {name!r} does not exist; it is one of: {', '.join(sorted(FAMILIES))}")
    study = FAMILIES[name].study
    return study(**{argument: parameters[argument.upper()] for argument in inspect.signature(study).parameters})
