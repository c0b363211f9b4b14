"""What settings took: time, and how much of each network was trained."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib import timing
from lib.ablations.settings import Setting
from lib.training.configuration import Configuration

ALL = "all layers"


def effort(settings: Sequence[Setting]) -> pd.DataFrame:
    """What each setting took: seconds as `timing.seconds`, and parameters, trained and all."""
    seconds = timing.seconds({setting.name: setting.runs for setting in settings})
    rows = [
        {
            "setting": setting.name,
            "network": setting.network,
            "trained parameters": setting.runs[0].record["parameters_trained"],
            "all parameters": setting.runs[0].record["parameters_total"],
            "seconds a run": seconds[setting.name],
        }
        for setting in settings
    ]
    return pd.DataFrame(rows)


def costs(settings: Sequence[Setting]) -> pd.DataFrame:
    """The time of every run: network, initialisation, how many blocks were trained, seconds as `timing.run_seconds` (S0.8).

    trained: ordered categories, the fewest blocks first.
    """
    rows = [
        {
            "network": setting.network,
            "initialisation": run.configuration.network.parameters.get("weights") or "random",
            "blocks": _blocks(run.configuration),
            "seconds": timing.run_seconds(run),
        }
        for setting in settings
        for run in {run.key: run for run in setting.runs}.values()
    ]
    table = pd.DataFrame(rows)
    names = {number: _named(number) for number in sorted(table["blocks"].unique())}
    trained = pd.Categorical(table["blocks"].map(names), list(names.values()), ordered=True)
    return table.drop(columns="blocks").assign(trained=trained)


def _blocks(configuration: Configuration) -> float:
    """What the last phase trained: so many blocks beside the head."""
    unfrozen = configuration.phases[-1].unfrozen
    return np.inf if unfrozen == "all" else unfrozen


def _named(blocks: float) -> str:
    if blocks == np.inf:
        return ALL
    return f"{blocks:g} {'block' if blocks == 1 else 'blocks'}" if blocks else "the head alone"
