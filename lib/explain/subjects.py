"""The networks of a book that are explained, and the images that they are asked about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lib import backbones, cells, config, effects, runs
from lib.ablations.settings import Setting
from lib.grids.overfit import REFERENCE
from lib.metrics import decisions, of_labels
from lib.runs import Run
from lib.training import defects
from lib.training.data import Part

if TYPE_CHECKING:
    from lib.explain.explainer import Explainer

KINDS = ("right and sure", "right, unsure", "wrong, unsure", "wrong and sure")


@dataclass(frozen=True)
class Subject:
    """A trained network with the validation images that it was scored on."""

    title: str
    run: Run
    part: Part

    @cached_property
    def explainer(self) -> "Explainer":
        """Its maps."""
        from lib.explain.explainer import Explainer

        return Explainer(self.run.model())

    def images(self, names: Sequence[str]) -> np.ndarray:
        """The pixels of some validation images: (n, size, size, channels) uint8. Raises KeyError for one that is not there."""
        place = pd.Index(self.part.names).get_indexer(names)
        if (place < 0).any():
            raise KeyError(f"{self.title} was not asked about {names[int(np.argmin(place))]}")
        return self.part.pixels[self.part.rows[place]]

    def judged(self) -> pd.DataFrame:
        """What it says of each validation image: index image; label, decided, given (probability of the label in [0, 1])."""
        table = self.run.predictions.query("part == 'validation'")
        given, label = runs.probabilities(table), table["label"].to_numpy()
        columns = {"label": label, "decided": decisions(given), "given": of_labels(given, label)}
        return pd.DataFrame(columns, index=pd.Index(table["image"], name="image"))


def subject(title: str, run: Run, context: config.Context) -> Subject:
    """A run as one to be explained."""
    return Subject(title, run, runs.data_of(run.configuration, context).validation)


def of_book(settings: Sequence[Setting], context: config.Context) -> dict[str, Subject]:
    """The networks of chapters 5, 7 and 9 by title, first seeds: of chapter 9 each as deeply fine-tuned as it was there.

    settings: of `ablations.read`.
    """
    chosen: dict[str, Setting] = {}
    for each in settings:
        named = (each.number, each.title) in (("5", "all"), ("7", REFERENCE))
        deeper = each.number == "9" and _blocks(each) > max(0, _blocks(chosen.get(each.network)))
        if named or deeper:
            chosen[each.network] = each
    return {name: subject(name, each.runs[0], context) for name, each in chosen.items()}


def linear(settings: Sequence[Setting], context: config.Context) -> dict[str, Subject]:
    """The networks of chapter 15 that CAM explains, by title, first seeds. settings: of `ablations.read`."""
    published = [e for e in settings if backbones.name_of(e.runs[0].configuration.network) in backbones.BACKBONES]
    return {each.title: subject(each.title, each.runs[0], context) for each in published if each.number == "15"}


def shuffled(settings: Sequence[Setting], context: config.Context) -> dict[str, Subject]:
    """The network of chapter 6 that learned the labels, `right`; the one that learned `shuffled` ones; and `another seed` of the
    first, where there are several."""
    found = {each.title: each.runs for each in settings if each.number == "6"}
    chosen = {"right": found["real"][0], "shuffled": found["shuffled"][0]}
    if len(found["real"]) > 1:
        chosen["another seed"] = found["real"][1]
    return {name: subject(name, run, context) for name, run in chosen.items()}


def ranking(subjects: Mapping[str, Subject]) -> pd.DataFrame:
    """How well each network ranks the validation images: a row a network, AUC with its interval over groups, as text."""
    reached = {title: str(effects.validation_estimate("auc", [each.run])) for title, each in subjects.items()}
    return pd.DataFrame({"AUC on validation": reached}).rename_axis("network")


def tried(networks: Mapping[str, Subject]) -> Subject:
    """The one that methods are tried on: the first published network, or the last one where there is none."""
    published = [e for e in networks.values() if backbones.name_of(e.run.configuration.network) in backbones.BACKBONES]
    return (published or list(networks.values())[-1:])[0]


def with_defects(seen: Subject, number: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sound validation images with a defect drawn into each: images (n, size, size, channels) uint8, masks (n, size, size) bool,
    groups (n,).

    At most `number`, evenly spaced over the part. One whose defect changed no pixel is left out.
    """
    sound = seen.part.chosen(np.flatnonzero(seen.part.labels == defects.SOUND)).first(number)
    images, masks = defects.drawn(sound.pixels[sound.rows], seed)
    there = masks.any(axis=(1, 2))
    return images[there], masks[there], sound.groups[there]


def cases(seen: Subject, number: int) -> pd.DataFrame:
    """Images that a network is right or wrong about, sure or unsure: at most `number` of each kind; as `judged`, with kind."""
    table = seen.judged()
    right = table["decided"] == table["label"]
    ordered = table.sort_values("given", kind="stable")  # from wrong and sure to right and sure
    rights, wrongs = ordered[right[ordered.index]], ordered[~right[ordered.index]]
    half = [min(number, -(-len(side) // 2)) for side in (rights, wrongs)]
    chosen = (rights[::-1][: half[0]], rights[: min(number, len(rights) - half[0])],
              wrongs[::-1][: min(number, len(wrongs) - half[1])], wrongs[: half[1]])  # fmt: skip
    return pd.concat([rows.assign(kind=kind) for kind, rows in zip(KINDS, chosen, strict=True)])


def below(subject: Subject, names: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Two lines under each image: its class, and the probability that the network gives to it."""
    rows = subject.judged().loc[list(names)]
    return [f"{classes[label]}<br>{given:.2f}" for label, given in zip(rows["label"], rows["given"], strict=True)]


def table(subjects: Mapping[str, Subject]) -> pd.DataFrame:
    """What is explained of each network: a row a network, its layer, the positions that this has, what CAM says to it."""
    rows = {}
    for title, each in subjects.items():
        explainer = each.explainer
        size = explainer.network.spatial[explainer.layer]
        rows[title] = {
            "layer": explainer.layer,
            "positions": " x ".join(map(str, size)),
            "CAM": "possible" if "cam" in explainer.methods else "refused",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("network")


def _blocks(setting: Setting | None) -> float:
    """Blocks of a fine-tuned network that learned; 0 of any other, below 0 where there is none."""
    if setting is None:
        return -1
    cell = cells.of(setting.runs[0].configuration)
    return float(cell.blocks_unfrozen) if cell.strategy == "fine-tuning" else 0
