"""What settings took: time, and how much of each network was trained."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lib import timing
from lib.ablations.settings import Setting
from lib.training.configuration import Configuration

TRAINED = ("the head alone", "the head and the last blocks", "all layers")


def effort(settings: Sequence[Setting]) -> pd.DataFrame:
    """What each setting took: seconds a run, the mean over seeds, and parameters, trained and all."""
    rows = [
        {
            "setting": setting.name,
            "network": setting.network,
            "trained parameters": setting.runs[0].record["parameters_trained"],
            "all parameters": setting.runs[0].record["parameters_total"],
            "seconds a run": np.mean([run.record["training_seconds"] for run in setting.runs]),
        }
        for setting in settings
    ]
    return pd.DataFrame(rows)


def costs(settings: Sequence[Setting]) -> pd.DataFrame:
    """The time of every run: network, initialisation, what was trained, seconds as `timing.run_seconds` (S0.8)."""
    rows = [
        {
            "network": setting.network,
            "initialisation": run.configuration.network.parameters.get("weights") or "random",
            "trained": _trained(run.configuration),
            "seconds": timing.run_seconds(run),
        }
        for setting in settings
        for run in {run.key: run for run in setting.runs}.values()
    ]
    return pd.DataFrame(rows).astype({"trained": pd.CategoricalDtype(TRAINED, ordered=True)})


def _trained(configuration: Configuration) -> str:
    """What the last phase trained: one of TRAINED."""
    unfrozen = configuration.phases[-1].unfrozen
    return TRAINED[2 if unfrozen == "all" else bool(unfrozen)]
