"""What each setting of a study changes: its configuration against its parent's (S3.39)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from pydantic import BaseModel

from lib.training.configuration import Configuration, Control, Head, Network, Phase

Changes = dict[str, tuple[Any, Any]]  # dotted field -> value of the parent, value of the child
OPENED = Configuration | Head | Control | Phase | Network  # compared field by field; anything else counts as one thing
REGULARISING = frozenset(  # fields of settings that are meant to close the gap (S3.31-S3.37, S0.9, S0.16)
    ("augmentation", "mixing", "dropout", "l2", "label_smoothing", "drawn_defects", "schedule", "early_stopping")
)


USUAL = "as usual"  # a parameter that is not given


class NotOneChange(ValueError):
    """A setting that differs from its parent by other than exactly one thing."""


def changes(child: Configuration, parent: Configuration) -> Changes:
    """Fields in which two configurations differ, seeds aside.

    A recipe, a list of augmentations, a schedule or another family of networks is one thing each; of networks of one family
    each parameter is, `as usual` where the family's default stands.
    """
    return {field: values for field, values in _differences(parent, child, ()) if field != "seed"}


def changed(study: Mapping[str, Sequence[Configuration]], parents: Mapping[str, str]) -> dict[str, Changes]:
    """The one change of every setting that has a parent.

    study: setting -> one configuration a seed. parents: setting -> setting. Raises NotOneChange naming the setting when
    it has no change or several, other seeds or epochs than its parent; each is a fresh network, as each has a key of its own.
    """
    found = {name: changes(study[name][0], study[parent][0]) for name, parent in parents.items()}
    for name, parent in parents.items():
        pairs = list(zip(study[name], study[parent], strict=False))
        if [run.seed for run in study[name]] != [run.seed for run in study[parent]]:
            raise NotOneChange(f"{name!r} has other seeds than its parent {parent!r}; give it the same")
        if any(child.epochs != old.epochs for child, old in pairs):
            raise NotOneChange(f"{name!r} has other epochs than its parent {parent!r}; give it the same")
        if len(found[name]) != 1 or any(changes(child, old) != found[name] for child, old in pairs):
            several = ", ".join(found[name]) or "nothing"
            raise NotOneChange(f"{name!r} differs from its parent {parent!r} by {several}; change one thing")
    return found


def described(study: Mapping[str, Sequence[Configuration]], parents: Mapping[str, str]) -> pd.DataFrame:
    """The settings of a study with parent and change in words; those without a parent have none. Raises as `changed`."""
    found = changed(study, parents)
    rows = [(name, parents.get(name, ""), in_words(found.get(name, {}))) for name in study]
    return pd.DataFrame(rows, columns=["setting", "parent", "change"])


def in_words(changes: Changes) -> str:
    """Changes for people, such as "dropout 0 → 0.5"; of two lists of steps only where they differ."""
    different = ((field, *_different(old, new)) for field, (old, new) in changes.items())
    return "; ".join(f"{_name(field)} {_value(old)} → {_value(new)}" for field, old, new in different)


def leaf(field: str) -> str:
    """The last name of a dotted field."""
    return field.rpartition(".")[2]


def _differences(old: Any, new: Any, path: tuple[str, ...]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    if old == new:
        return
    before, after = _inside(old), _inside(new)
    if before is None or after is None or before.get("family") != after.get("family"):
        yield ".".join(path), (old, new)
        return
    for name in dict.fromkeys([*before, *after]):
        yield from _differences(before.get(name, USUAL), after.get(name, USUAL), (*path, name))


def _different(old: Any, new: Any) -> tuple[Any, Any]:
    """Two lists of steps without what they begin and end with alike; anything else as it is."""
    if not all(isinstance(side, tuple) and all(isinstance(each, BaseModel) for each in side) for side in (old, new)):
        return old, new
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return old, new


def _inside(value: Any) -> dict[str, Any] | None:
    """The fields of what is compared field by field; None of what counts as one thing."""
    if isinstance(value, OPENED):
        return dict(value)
    if isinstance(value, tuple) and all(isinstance(phase, Phase) for phase in value) and value:
        return {str(number): phase for number, phase in enumerate(value, start=1)}
    return value if isinstance(value, dict) else None


def _name(field: str) -> str:
    name = leaf(field).replace("_", " ")
    return f"{name} in the network" if field.startswith("network.") and leaf(field) in Head.model_fields else name


def _value(value: Any) -> str:
    if value is None or value == () or value == {}:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, tuple | list):
        return " + ".join(map(_value, value)) if isinstance(value[0], BaseModel) else ", ".join(map(_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{_name(name)} {_value(inner)}" for name, inner in value.items())
    return _settings(value) if isinstance(value, BaseModel) else str(value)


def _settings(value: BaseModel) -> str:
    """What kind it is, with those of its settings that are not the usual ones; without a kind all settings."""
    fields = dict(value)
    kind = next((fields.pop(name) for name in ("kind", "step", "family") if name in fields), "")
    usual = {name: field.default for name, field in type(value).model_fields.items()} if kind else {}
    said = ", ".join(
        f"{_name(name)} {_value(setting)}"
        for name, setting in fields.items()
        if name not in usual or setting != usual[name]
    )
    return f"{kind} ({said})" if kind and said else kind or said
