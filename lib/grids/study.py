"""What a study is, and what a family of runs knows of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib import cards
from lib.training.configuration import Configuration

Study = dict[str, list[Configuration]]  # label of a setting -> one configuration a seed
# parameter -> what is expected of it, and whether it is so: of its value, and of all that are given
Rules = Mapping[str, tuple[str, Callable[[Any, Mapping[str, Any]], bool]]]


@dataclass(frozen=True)
class Family:
    """A study, the chapter whose parameters it takes, and which setting differs from which by exactly one change.

    parents: setting -> the setting of the same study that it is compared with; one that is not named has no parent.
    rules: what the chapter's parameters need beside their types, so that its settings can be compared.
    controls: settings from which what they need is taken, so that they must fail.
    """

    chapter: str
    study: Callable[..., Study]
    parents: Callable[[Study], dict[str, str]] = field(default=lambda study: {})
    rules: Rules = field(default_factory=dict)
    controls: frozenset[str] = frozenset()


def children_of(parent: str, others: dict[str, str | None] | None = None) -> Callable[[Study], dict[str, str]]:
    """Every setting of a study is compared with this one, but those that `others` gives a parent of their own, or None."""

    def parents(study: Study) -> dict[str, str]:
        found = {name: (others or {}).get(name, parent) for name in study if name != parent}
        return {name: above for name, above in found.items() if above is not None}

    return parents


def by_seed(card: cards.Card, seeds: list[int], **fields: Any) -> list[Configuration]:
    """One setting, once a seed, on a data set; fields: of a configuration, the recipe that of the card unless given."""
    return [Configuration(**{"dataset": card.name, "recipe": card.recipe, "seed": seed} | fields) for seed in seeds]
