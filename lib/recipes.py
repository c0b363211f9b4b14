"""Named recipes, `params/recipes.yml`: preprocessing that chapters compare and cards may take over."""

from functools import cache

import numpy as np
from pydantic import field_validator

from lib import config, networks, steps
from lib.steps import Recipe, Resize, cached_part

FILE = "recipes.yml"
TRIED_SIZE = 33  # pixels a side, which no recipe names


class Named(config.Strict):
    """A recipe under a name."""

    why: str  # what it is for, in a line
    steps: Recipe

    @field_validator("steps")
    @classmethod
    def _usable(cls, recipe: Recipe) -> Recipe:
        cached_part(recipe)
        if not any(isinstance(step, Resize) for step in recipe):
            raise ValueError("no step `resize`, so images would be of many sizes; add one")
        return recipe


def names() -> list[str]:
    """Names of the recipes, in the order of the file."""
    return list(_file())


def named(name: str) -> Named:
    """A recipe with its reason. Raises UserError naming recipe, step, field and what is allowed."""
    known = _file()
    return _made(name, known[config.one_of("recipe", name, list(known))])


def load(name: str) -> Recipe:
    """The steps of a recipe. Raises as `named`."""
    return named(name).steps


def check() -> None:
    """Hold the file against what networks take, whether anything names a recipe or not.

    Raises UserError as `named`, or naming the first recipe that cannot work, or that has the steps of another.
    """
    ranges = {networks.input_range(family) for family in networks.families()}
    known: dict[Recipe, str] = {}
    for name, values in _file().items():
        recipe, where = _made(name, values).steps, f"params/{FILE}, recipe {name}"
        try:
            try_out(recipe, TRIED_SIZE)
        except ValueError as error:
            raise config.UserError(f"{where}: {error}") from None
        if (ends := steps.final_range(recipe)) not in ranges:
            taken = " or ".join(f"{low:g} to {high:g}" for low, high in sorted(ranges))
            raise config.UserError(
                f"{where}: ends in values from {ends[0]:g} to {ends[1]:g}, networks take {taken}; end it with `rescale`"
            )
        if (first := known.setdefault(recipe, name)) != name:
            raise config.UserError(f"{where}: has the very steps of {first!r}; change one of the two, or remove it")


@cache
def try_out(recipe: Recipe, size: int) -> None:
    """Apply the uint8 steps to a small grey picture, which every recipe takes; masks that must be taught first are left out.

    Raises ValueError as `steps.apply`, lib.masks.WeightsRefused for weights that a mask cannot have.
    """
    picture = np.random.default_rng(7).integers(0, 40, (24, 17), np.uint8)
    picture[5:15, 4:12] += 200  # something to crop to
    steps.apply(_without_teaching(recipe), picture, size)


def _without_teaching(recipe: Recipe) -> Recipe:
    kept = [step for step in recipe if not (isinstance(step, steps.Mask) and step.weights is None)]
    return tuple(
        step.model_copy(update={"channels": tuple(map(_without_teaching, step.channels))})
        if isinstance(step, steps.Stack)
        else step
        for step in kept
    )


def _made(name: str, values: object) -> Named:
    return config.validated(Named, values, f"params/{FILE}, recipe {name}")


def _file() -> dict[str, object]:
    found = config.read_yaml(config.PARAMETERS / FILE)
    if not isinstance(found, dict) or not found:
        raise config.UserError(f"params/{FILE}: expected a name and its `why:` and `steps:` for every recipe")
    return found
