"""Named recipes, `params/recipes.yml`: preprocessing that chapters compare and cards may take over."""

from pydantic import field_validator

from lib import config
from lib.steps import Recipe, Resize, cached_part

FILE = "recipes.yml"


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
    return config.validated(Named, known[config.one_of("recipe", name, list(known))], f"params/{FILE}, recipe {name}")


def load(name: str) -> Recipe:
    """The steps of a recipe. Raises as `named`."""
    return named(name).steps


def _file() -> dict[str, object]:
    found = config.read_yaml(config.PARAMETERS / FILE)
    if not isinstance(found, dict) or not found:
        raise config.UserError(f"params/{FILE}: expected a name and its `why:` and `steps:` for every recipe")
    return found
