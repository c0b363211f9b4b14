"""Epochs of finished runs: with which weights a phase began, how far all seeds went, which epoch was kept."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from lib.runs import Run
from lib.training.configuration import Phase


class Stretch(NamedTuple):
    """One phase of a run, by epochs: with whose weights it began, the last one that was trained, whose weights were kept."""

    begun: int
    start: int  # the epoch after which it began; one that stops early leaves the rest of its numbers out
    last: int
    kept: int


def stretches(run: Run) -> list[Stretch]:
    """The phases of a run, in their order."""
    found, end, kept = [], 0, 0
    for phase in run.configuration.phases:
        start, end, begun = end, end + phase.epochs, kept
        rows = run.history[run.history["epoch"].between(start + 1, end)]
        kept = _kept(rows, phase, begun)
        found.append(Stretch(begun, start, int(rows["epoch"].max()) if len(rows) else start, kept))
    return found


def through(runs: Sequence[Run]) -> pd.DataFrame:
    """History of runs that differ by their seed, with the number of the phase, as far as all of them were trained in each.

    A later phase begins, at the epoch after which it does, with what was measured of the weights that the one before it left.
    """
    pieces = [_stretch(run, number, each) for run in runs for number, each in enumerate(stretches(run), start=1)]
    whole = pd.concat(pieces, ignore_index=True)
    return whole[whole.groupby(["phase", "epoch", "part"])["epoch"].transform("size") == len(runs)]


def tuned(finished: Mapping[str, Sequence[Run]]) -> pd.DataFrame:
    """What the last phase did, a row a setting: the epoch of it that was kept, by seed, and log losses around it, nats.

    Losses are means over seeds, of the weights that the phase began with and of those that were kept; on training of the
    images that are measured through training.
    """
    rows = {}
    for name, group in finished.items():
        last = [stretches(run)[-1] for run in group]
        said = {
            "epoch kept, by seed": ", ".join(f"{each.kept - each.start} of {each.last - each.start}" for each in last)
        }
        for part in ("train", "tuning"):
            losses = [_losses(run.history, part) for run in group]
            for title, field in (("before", "begun"), ("kept", "kept")):
                found = [loss[getattr(each, field)] for loss, each in zip(losses, last, strict=True)]
                said[f"{part}, {title}"] = np.mean(found)
        rows[name] = said
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("setting")


def stopped(finished: Mapping[str, Sequence[Run]]) -> str:
    """In how many runs early stopping has acted, and what more epochs could have changed; of no run: nothing."""
    acted = [_waited_out(run) for group in finished.values() for run in group]
    if not acted:
        return ""
    more = {
        0: "More epochs might have changed each of them.",
        len(acted): "More epochs would have changed nothing.",
    }.get(sum(acted), "More epochs might have changed the others.")
    return f"In {sum(acted)} of {len(acted)} runs early stopping has waited out its patience. {more}"


def _waited_out(run: Run) -> bool:
    """Also where it would have ended a run at the very epoch that was its last one."""
    stopping, last = run.configuration.phases[-1].early_stopping, stretches(run)[-1]
    return stopping is not None and (last.last < run.configuration.epochs or last.last - last.kept >= stopping.patience)


def _kept(rows: pd.DataFrame, phase: Phase, before: int) -> int:
    """rows: of the history, those of the phase. before: the epoch whose weights it began with."""
    if rows.empty:
        return before
    if phase.early_stopping is None:
        return int(rows["epoch"].max())
    return int(_losses(rows, "tuning").idxmin())


def _losses(history: pd.DataFrame, part: str) -> pd.Series:
    return history[history["part"] == part].set_index("epoch")["loss"]


def _stretch(run: Run, number: int, stretch: Stretch) -> pd.DataFrame:
    history = run.history
    begun = history[history["epoch"] == stretch.begun].assign(epoch=stretch.start)
    rows = history[history["epoch"].between(stretch.start + 1, stretch.last)]
    return pd.concat([begun, rows], ignore_index=True).assign(phase=number, seed=run.configuration.seed)
