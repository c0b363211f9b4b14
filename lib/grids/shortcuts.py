"""Chapter 15: the network of chapter 6 on what should not suffice."""

from typing import Any

from lib import cards
from lib.grids.image_size import coarse
from lib.grids.study import Study, by_seed
from lib.steps import Hide, Recipe, Resize
from lib.training.configuration import Network, Phase

WHOLE = "whole images"  # what the others are compared with
NOT_ENOUGH = BORDER, AROUND, THUMBNAIL = "border only", "centre masked", "thumbnails"
RULES = {
    "HIDE_CENTRE": (
        "a share of each side, above 0 and below HIDE_MOST",
        lambda share, given: 0 < share < given["HIDE_MOST"],
    ),
    "HIDE_MOST": ("a share of each side, below 1", lambda share, _: share < 1),
    "SHORTCUT_THUMBNAIL": (
        "1 pixel or more, fewer than SHORTCUT_SIZE",
        lambda size, given: 0 < size < given["SHORTCUT_SIZE"],
    ),
}


def shortcut_battery(
    dataset: str,
    shortcut_size: int,
    shortcut_thumbnail: int,
    shortcut_epochs: int,
    shortcut_rate: float,
    shortcut_seeds: list[int],
    hide_most: float,
    hide_centre: float,
    threads: int,
) -> Study:
    """The simple network on whole images, on their border, with their centre masked, on thumbnails; one run a seed.

    hide_most, hide_centre: share of each side that is hidden, in the middle: before images are resized, so that nothing of
    it comes through but where a crop or mask found the outline, and after they are cropped, because no network sees what was
    cut off. Thumbnails have so few pixels per side, and are enlarged again to the size of the others.
    """
    card = cards.load(dataset)
    common: dict[str, Any] = {
        "image_size": shortcut_size, "threads": threads, "network": Network(family="simple"),
        "phases": (Phase(epochs=shortcut_epochs, learning_rate=shortcut_rate),),
        "measured_every": max(1, shortcut_epochs // 10),
    }  # fmt: skip
    changes = {
        WHOLE: {},
        BORDER: {"recipe": hiding(card.recipe, Hide(which="centre", share=hide_most))},
        AROUND: {"recipe": hiding(card.recipe, Hide(which="centre", share=hide_centre))},
        THUMBNAIL: {"recipe": coarse(card.recipe, shortcut_thumbnail)},
    }
    return {name: by_seed(card, shortcut_seeds, **common | change) for name, change in changes.items()}


def hiding(recipe: Recipe, step: Hide) -> Recipe:
    """The recipe with part of the image hidden just before it is first resized."""
    first = next(place for place, known in enumerate(recipe) if isinstance(known, Resize))
    return (*recipe[:first], step, *recipe[first:])
