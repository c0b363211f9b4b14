"""Families of runs: the configurations of each study, known before anything is trained; one file a chapter."""

import inspect
from typing import Any

from lib.grids import sanity
from lib.grids.overfit import overfit
from lib.grids.overfit import parents as parents_of_overfit
from lib.grids.sanity import sanity_checks
from lib.grids.simple import simple_network
from lib.grids.study import Family, Study, children_of

FAMILIES = {
    "simple_network": Family("05_simple_network", simple_network, children_of("all")),
    "sanity_checks": Family("06_sanity_checks", sanity_checks, children_of("real", sanity.NO_PARENT)),
    "overfit": Family("07_overfit", overfit, parents_of_overfit),
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
