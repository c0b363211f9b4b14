"""Settings of a book: read from what the chapters noted, with the one change of each, differences and scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from lib import atomic, backbones, config, effects, epochs, grids, lineage
from lib.estimates import Estimate, Inapplicable
from lib.grids import strategies
from lib.hypotheses import NOT_APPLICABLE, NOT_JUDGED, holm_levels
from lib.metrics import MissingClass, fitting, score
from lib.runs import DamagedRun, Predictions, Run, predictions_by_seed
from lib.training.configuration import Configuration


@dataclass(eq=False)
class Setting:
    """One setting of a chapter: its runs, a seed each, and what it changes of its parent."""

    chapter: str
    title: str  # within its chapter
    runs: list[Run]
    changes: lineage.Changes
    parent: "Setting | None" = None
    control: bool = False  # what it needs was taken from it

    @property
    def name(self) -> str:
        """A name that no other setting of the book has: number of the chapter, title; in a study the title."""
        return f"{self.number} · {self.title}" if self.number else self.title

    @property
    def number(self) -> str:
        """Number of its chapter; nothing for a study."""
        return self.chapter[:2].lstrip("0") if self.chapter[:2].isdigit() else ""

    @property
    def regularises(self) -> bool:
        """Whether its one change is meant to close the gap between training and validation."""
        return any(lineage.leaf(field) in lineage.REGULARISING for field in self.changes)

    @cached_property
    def validation(self) -> Predictions:
        """What its runs predict on the validation part."""
        return predictions_by_seed(self.runs, "validation")

    def on(self, images: np.ndarray) -> Predictions:
        """What they predict for these images of the validation part, in their order."""
        return some(self.validation, images)

    @property
    def network(self) -> str:
        """Its network, and the image size."""
        used = self.runs[0].configuration
        return f"{strategies.titled(backbones.name_of(used.network))}, {used.image_size} px"


def read(context: config.Context) -> list[Setting]:
    """The settings of all chapters before this one that train, from what these noted when they ran.

    Raises UserError saying what to build when a chapter has not run, or one of its runs is not there or not whole; as
    `lineage.changed` when a setting changes more than one thing.
    """
    families = {name: family for name, family in grids.FAMILIES.items() if family.chapter < context.chapter}
    found = [_study(name, family, context) for name, family in families.items()]
    return sorted((setting for study in found for setting in study), key=lambda setting: setting.chapter)


def _study(name: str, family: grids.Family, context: config.Context) -> list[Setting]:
    folder = context.root / "chapters" / family.chapter
    again = f"`make book DATASET={context.dataset} PROFILE={context.profile}` builds it"
    try:
        parameters = atomic.read_json(folder / "record.json")["parameters"]
        used = [Run(context.root / "runs" / key) for key in atomic.read_json(folder / "runs_used.json")]
        runs = {_identity(run.configuration): run for run in used}
        study = grids.family(name, parameters)
        groups = {title: [runs[_identity(each)] for each in group] for title, group in study.items()}
    except FileNotFoundError:
        raise config.UserError(f"chapter {family.chapter} has not run in this book; {again}") from None
    except (DamagedRun, KeyError) as error:
        reason = str(error) if isinstance(error, DamagedRun) else "its settings are others than when it ran"
        raise config.UserError(f"chapter {family.chapter}: {reason}; {again}") from None
    return of_study(family, study, groups)


def of_study(family: grids.Family, study: grids.Study, groups: Mapping[str, list[Run]]) -> list[Setting]:
    """The settings of one study with their finished runs, by title. Raises as `lineage.changed`."""
    parents = family.parents(study)
    changes = lineage.changed(study, parents)
    settings = {
        title: Setting(family.chapter, title, group, changes.get(title, {}), control=title in family.controls)
        for title, group in groups.items()
    }
    for title, parent in parents.items():
        settings[title].parent = settings[parent]
    return list(settings.values())


def once(settings: Sequence[Setting]) -> list[Setting]:
    """Each set of runs once: without settings whose runs an earlier one has, which takes over their parent and children."""
    first: dict[frozenset[str], Setting] = {}
    for each in settings:
        kept = first.setdefault(_keys(each), each)
        if not kept.parent:
            kept.parent, kept.changes = each.parent, each.changes
    for each in first.values():
        each.parent = each.parent and first[_keys(each.parent)]
    return list(first.values())


def _keys(setting: Setting) -> frozenset[str]:
    return frozenset(run.key for run in setting.runs)


def history(settings: Sequence[Setting]) -> pd.DataFrame:
    """`epochs.through` of every setting: a row a run, epoch and part, with the setting's name, chapter and network."""
    tables = [
        epochs.through(setting.runs).assign(
            setting=setting.name,
            chapter=f"chapter {setting.number}" if setting.number else "study",
            network=setting.network,
        )
        for setting in settings
    ]
    return pd.concat(tables, ignore_index=True)


def some(seen: Predictions, images: np.ndarray) -> Predictions:
    """What is predicted for these images, all of which were seen, in their order."""
    position = pd.Index(seen.images).get_indexer(images)
    return Predictions(images, seen.groups[position], seen.labels[position], seen.probabilities[:, position])


def differences(settings: Sequence[Setting], metric: str) -> dict[str, Estimate | Inapplicable]:
    """A metric on validation, each setting minus its parent, paired by image and seed, on the images that both have."""
    found = {}
    for setting in settings:
        if setting.parent:
            common = np.intersect1d(setting.validation.images, setting.parent.validation.images)
            pair = (each.on(common) for each in (setting, setting.parent))
            found[setting.name] = effects.difference(metric, *pair)
    return found


def strongest(compared: Sequence[Setting], estimates: Mapping[str, Estimate | Inapplicable], number: int) -> list[str]:
    """Names of at most `number` settings: those that moved most from their parents, after those parents; no controls."""
    known = [each for each in compared if isinstance(estimates[each.name], Estimate) and not each.control]
    moved = sorted(known, key=lambda each: -abs(estimates[each.name].value))
    pairs = [name for each in moved for name in (each.parent.name, each.name)]
    return list(dict.fromkeys(pairs))[:number]


def verdicts(estimates: Mapping[str, Estimate | Inapplicable], judged: bool) -> dict[str, tuple[str, float | None]]:
    """For each difference `better`, `worse` or `not told apart`, and the level of its interval: Holm over all of them."""
    known = {name: each.p_value(0) for name, each in estimates.items() if isinstance(each, Estimate)}
    levels = holm_levels(known)

    def word(name: str) -> str:
        if name not in known:
            return NOT_APPLICABLE
        low, high = estimates[name].interval(levels[name])
        told = "better" if low > 0 else "worse" if high < 0 else "not told apart"
        return told if judged else NOT_JUDGED

    return {name: (word(name), levels.get(name)) for name in estimates}


def table(
    settings: Sequence[Setting],
    found: Mapping[str, Mapping[str, Any]],
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> pd.DataFrame:
    """All settings, a row each: verdicts, the one change, what was measured.

    found, words: column -> name of a setting -> what is shown there; columns of words stand beside the names.
    """
    rows = [
        {
            "setting": setting.name,
            **{column: values.get(setting.name, "") for column, values in (words or {}).items()},
            "the one change": _change(setting),
            **{column: str(values.get(setting.name, "")) for column, values in found.items()},
        }
        for setting in settings
    ]
    return pd.DataFrame(rows)


def _change(setting: Setting) -> str:
    """The one change in words, with what it is compared with."""
    if not (parent := setting.parent):
        return ""
    name = parent.title if parent.chapter == setting.chapter else parent.name
    return f"of {name}: {lineage.in_words(setting.changes)}"


def parents(settings: Sequence[Setting]) -> list[Setting]:
    """The settings that others are compared with, each once."""
    return list({each.parent.name: each.parent for each in settings if each.parent}.values())


def scores(settings: Sequence[Setting], others: Mapping[str, Predictions] = MappingProxyType({})) -> pd.DataFrame:
    """Every metric that fits the number of classes, on validation, mean over seeds: a row a setting (S0.8).

    others: what further models predict on validation, by their names, a row each below them.
    """
    rows = {}
    for title, seen in ({setting.name: setting.validation for setting in settings} | dict(others)).items():
        names = fitting(2 if seen.probabilities.ndim < 3 else seen.probabilities.shape[2])
        rows[title] = {name: np.mean([one_score(name, seen.labels, p) for p in seen.probabilities]) for name in names}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("setting")


def _identity(configuration: Configuration) -> str:
    return atomic.value_sha256(configuration.model_dump(mode="json"))  # whatever the order of a network's parameters


def one_score(name: str, labels: np.ndarray, probability: np.ndarray) -> float:
    """A metric of one seed; nan where a class that it needs has no image."""
    try:
        return score(name, labels, probability)
    except MissingClass:
        return np.nan
