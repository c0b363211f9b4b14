"""Chapter 17: the finalists, each a setting of an earlier chapter's study, so that nothing trains anew."""

from typing import Any

from lib import config, grids
from lib.grids.study import Study

CLASSICAL, SCRATCH, TRANSFER = "classical", "scratch", "transfer"
CONSTRAINED = ("sensitivity", "specificity", "precision")


def _is_model(name: str, _: Any) -> bool:
    """Raises UserError for a classical model that does not exist, naming those that do."""
    from lib import classical  # scikit-learn, which whoever asks for a configuration need not wait for

    return bool(config.one_of("CLASSICAL", name, list(classical.models(0))))


RULES = {
    "CLASSICAL": ("a model of chapter 4", _is_model),
    "CHOSEN": ("classical, scratch or transfer", lambda name, _: name in (CLASSICAL, SCRATCH, TRANSFER)),
    "CONSTRAINED": ("sensitivity, specificity or precision", lambda name, _: name in CONSTRAINED),
    "AT_LEAST": ("a fraction between 0 and 1", lambda share, _: 0 < share < 1),
}


def final_test(dataset: str, profile: str, scratch: list[str], transfer: list[str], whole: bool = False) -> Study:
    """The pinned network of each kind: trained from random weights, and begun from ImageNet's; its first seed alone.

    scratch, transfer: family and setting, such as [depth, 2 blocks]; the setting is that of the same profile, by the
    parameters of the family's chapter. The first seed stands for no choice: the best of several would be one.
    Raises UserError for a family or a setting that does not exist, naming those that do.
    """
    pins = {SCRATCH: scratch, TRANSFER: transfer}
    return {name: pinned(*_two(name, pin), dataset, profile, whole)[:1] for name, pin in pins.items()}


def pinned(family: str, setting: str, dataset: str, profile: str, whole: bool = False) -> list:
    """The configurations of a setting, one a seed. Raises as `final_test`."""
    known = [name for name, each in grids.FAMILIES.items() if each.study is not final_test]
    chapter = grids.FAMILIES[config.one_of("family of a finalist", family, known)].chapter
    study = grids.family(family, config.chapter_parameters(chapter, dataset, profile), whole)
    return study[config.one_of(f"setting of {family}", setting, list(study))]


def _two(name: str, pin: list[str]) -> list[str]:
    if len(pin) != 2:
        raise config.UserError(f"{name.upper()} is {pin}; give two names, the family and its setting")
    return pin
