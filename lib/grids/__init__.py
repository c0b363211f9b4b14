"""Families of runs: the configurations of each study, known before anything is trained; one file a chapter."""

import inspect
from collections.abc import Mapping
from typing import Any

from lib import config
from lib.grids import depth as depths
from lib.grids import explain as explaining
from lib.grids import final as finals
from lib.grids import image_size as sizes
from lib.grids import overfit as overfitting
from lib.grids import preprocess as preprocessing
from lib.grids import recipe_full as recipe
from lib.grids import regularise as regularising
from lib.grids import sanity
from lib.grids import shortcuts as without
from lib.grids import transfer as transferring
from lib.grids.depth import depth
from lib.grids.explain import linear_heads
from lib.grids.final import final_test
from lib.grids.fine_tuned import fine_tuned
from lib.grids.image_size import image_size
from lib.grids.overfit import overfit
from lib.grids.preprocess import preprocess
from lib.grids.recipe_full import recipe_full
from lib.grids.regularise import regularise
from lib.grids.sanity import sanity_checks
from lib.grids.shortcuts import shortcut_battery
from lib.grids.simple import simple_network
from lib.grids.study import Family, Study, children_of
from lib.grids.transfer import transfer

FAMILIES = {
    "preprocess": Family("03_preprocess", preprocess, preprocessing.parents, preprocessing.RULES),
    "simple_network": Family("05_simple_network", simple_network, children_of("all")),
    "sanity_checks": Family(
        "06_sanity_checks", sanity_checks, children_of("real", sanity.NO_PARENT), controls=sanity.CONTROLS
    ),
    "overfit": Family("07_overfit", overfit, overfitting.parents, overfitting.RULES),
    "regularise": Family("08_regularise", regularise, regularising.parents, regularising.RULES),
    "transfer": Family("09_transfer", transfer, transferring.parents, transferring.RULES),
    "depth": Family("10_depth", depth, depths.parents, depths.RULES),
    "image_size": Family("11_image_size", image_size, sizes.parents, sizes.RULES),
    "shortcut_battery": Family(
        "15_explain", shortcut_battery, children_of(without.WHOLE), without.RULES, frozenset(without.NOT_ENOUGH)
    ),
    "linear_heads": Family("15_explain", linear_heads, rules=explaining.RULES),
    "final_test": Family("17_final_test", final_test, rules=finals.RULES),
}
STUDIES = {  # of declared studies, which no chapter asks for
    "fine_tuned": Family("study_elpv_224", fine_tuned),
    "recipe_full": Family("study_recipe_full", recipe_full, recipe.parents),
}


def family(name: str, parameters: dict[str, Any], whole: bool = False) -> Study:
    """The configurations of a family.

    parameters: the parameters cell of its chapter or study (upper-case names); those that the study takes are used.
    whole: with the networks whose weights cannot be had here, where the study leaves them out.
    Raises ValueError for a family that does not exist, KeyError for a parameter that is missing.
    """
    study = _known(name).study
    arguments = inspect.signature(study).parameters
    given = parameters | {"WHOLE": whole}
    return study(**{argument: given[argument.upper()] for argument in arguments})


def parents_of(name: str, study: Study) -> dict[str, str]:
    """What each setting of a family's study is compared with: setting -> setting. Raises as `family`."""
    return _known(name).parents(study)


def check(name: str, parameters: Mapping[str, Any]) -> None:
    """Raises UserError for the first parameter that breaks a rule of the family, naming value and rule; as `family`."""
    for parameter, (expected, holds) in _known(name).rules.items():
        if not holds(value := parameters[parameter], parameters):
            raise config.UserError(f"{parameter} is {value!r}; give {expected}")


def _known(name: str) -> Family:
    known = FAMILIES | STUDIES
    if name not in known:
        raise ValueError(f"family {name!r} does not exist; it is one of: {', '.join(sorted(known))}")
    return known[name]
