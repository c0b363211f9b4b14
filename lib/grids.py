"""Families of runs: the configurations of each study, known before anything is trained."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lib import cards
from lib.training.configuration import Configuration, Control, Head, Network, Phase

Study = dict[str, list[Configuration]]  # label of a setting -> one configuration a seed


def simple_network(
    dataset: str, image_size: int, epochs: int, learning_rate: float, seeds: list[int], threads: int
) -> Study:
    """The simple network on the two extreme levels, where there are three or more, and on all; one run a seed.

    Source: S3.11, S3.12, S4.2.
    """
    card = cards.load(dataset)
    extremes = card.graded and len(card.level_names) > 2
    phase = Phase(epochs=epochs, learning_rate=learning_rate)
    return {
        levels: _simple(card, image_size, seeds, threads, phase, levels=levels)
        for levels in (("extreme", "all") if extremes else ("all",))
    }


def sanity_checks(
    dataset: str,
    image_size: int,
    epochs: int,
    learning_rate: float,
    zero_learning_rate: float,
    input_dropout: float,
    wide_filters: int,
    batch_filters: int,
    batch_image_size: int,
    batch_epochs: int,
    batch_loss: float,
    seeds: list[int],
    threads: int,
) -> Study:
    """The simple network as it is, wider, and with what it needs taken from it; one run a seed.

    `black`: nothing is seen, the last bias starts at 0, and nothing else can learn, so a larger rate does no harm. `most
    black`: a share of pixels black in every part. `dropout, as printed`: as the document has it, unscaled, images whole but in
    training. `one batch`: until the loss is below batch_loss, or batch_epochs are over. Source: S3.21-S3.23.
    """
    card = cards.load(dataset)
    phase, zero_phase = (Phase(epochs=epochs, learning_rate=rate) for rate in (learning_rate, zero_learning_rate))
    batch_phase = Phase(epochs=batch_epochs, learning_rate=learning_rate, stop_below=batch_loss)
    setting = partial(_simple, card, image_size, seeds, threads, phase=phase, measured_every=max(1, epochs // 10))
    batch, wide = ({"filters": [width, width]} for width in (batch_filters, wide_filters))
    return {
        "real": setting(),
        "wide": setting(parameters=wide),
        "black": setting(phase=zero_phase, bias=0.0, control=Control(hidden=1)),
        "most black": setting(control=Control(hidden=input_dropout)),
        "dropout, as printed": setting(parameters={"rescaling": False}, control=Control(input_dropout=input_dropout)),
        "shuffled": setting(control=Control(shuffled_labels=True)),
        "one batch": _simple(
            card, batch_image_size, seeds, threads, batch_phase, batch,
            control=Control(one_batch=True), measured_every=max(5, batch_epochs // 60),
        ),
    }  # fmt: skip


def _simple(
    card: cards.Card,
    image_size: int,
    seeds: list[int],
    threads: int,
    phase: Phase,
    parameters: dict[str, Any] | None = None,
    bias: str | float = "prior",
    **others: Any,
) -> list[Configuration]:
    """The simple network in one setting, once a seed; others: fields of a configuration."""
    return [
        Configuration(
            dataset=card.name,
            recipe=card.recipe,
            image_size=image_size,
            network=Network(family="simple", parameters=parameters or {}),
            head=Head(bias=bias),
            phases=(phase,),
            seed=seed,
            threads=threads,
            **others,
        )
        for seed in seeds
    ]


@dataclass(frozen=True)
class Family:
    """A study, the chapter whose parameters it takes, and which setting differs from which by exactly one change.

    parents: setting -> the setting of the same study that it is compared with; one that is not named has no parent.
    """

    chapter: str
    study: Callable[..., Study]
    parents: Callable[[Study], dict[str, str]] = field(default=lambda study: {})


def children_of(parent: str, others: dict[str, str | None] | None = None) -> Callable[[Study], dict[str, str]]:
    """Every setting of a study is compared with this one, but those that `others` gives a parent of their own, or None."""

    def parents(study: Study) -> dict[str, str]:
        found = {name: (others or {}).get(name, parent) for name in study if name != parent}
        return {name: above for name, above in found.items() if above is not None}

    return parents


NO_PARENT = dict.fromkeys(("black", "dropout, as printed", "one batch"))  # more than one thing is other there

FAMILIES = {
    "simple_network": Family("05_simple_network", simple_network, children_of("all")),
    "sanity_checks": Family("06_sanity_checks", sanity_checks, children_of("real", NO_PARENT)),
}


def family(name: str, parameters: dict[str, Any]) -> Study:
    """The configurations of a family.

    parameters: the parameters cell of its chapter (upper-case names); those that the study takes are used.
    Raises ValueError for a family that does not exist, KeyError for a parameter that is missing.
    """
    if name not in FAMILIES:
        raise ValueError(f"family {name!r} does not exist; it is one of: {', '.join(sorted(FAMILIES))}")
    study = FAMILIES[name].study
    return study(**{argument: parameters[argument.upper()] for argument in inspect.signature(study).parameters})
