"""Strategies of transfer learning: what their phases are, and that the profile `gpu` has the documents' values."""

import pytest

from lib import config, grids
from lib.grids.strategies import Schedule
from lib.training.configuration import EarlyStopping, Phase, Plateau

SCHEDULE = Schedule(epochs=[9, 8], optimisers=["sgd", "adam"], rates=[0.02, 0.003], decay=4.0, patience=[2, 5])


def test_the_head_warms_up_and_then_the_last_blocks_learn_at_a_rate_that_falls():
    kept = EarlyStopping(patience=5)
    warm_up, tuning = SCHEDULE.phases(2, rate_by_block=0.5)
    assert warm_up == Phase(epochs=9, optimiser="sgd", learning_rate=0.02, unfrozen=0, early_stopping=kept)
    assert tuning == Phase(
        epochs=8, optimiser="adam", learning_rate=0.003, schedule=Plateau(factor=0.25, patience=2), early_stopping=kept,
        unfrozen=2, frozen_normalisation=True, rate_by_block=0.5,
    )  # fmt: skip
    assert SCHEDULE.phases(0)[1] == tuning.model_copy(update={"unfrozen": 0, "rate_by_block": 1})
    (whole,) = SCHEDULE.everything(7)
    assert whole == warm_up.model_copy(update={"epochs": 7, "unfrozen": "all"})


@pytest.mark.parametrize("family", ["transfer", "depth", "image_size"])
def test_the_documents_phases_are_those_of_gpu(family):
    """S0.4: 30 epochs of Adam for the head, then up to 90 of SGD at 1e-4 with a decay of 10, patience 20."""
    given = config.chapter_parameters(grids.FAMILIES[family].chapter, "elpv", "gpu")
    runs = [group[0] for group in grids.family(family, given, whole=True).values()]
    kept, two = EarlyStopping(patience=20), [run for run in runs if len(run.phases) == 2]
    falling = {"schedule": Plateau(factor=0.1, patience=10), "early_stopping": kept, "frozen_normalisation": True}
    for run in two:
        warm_up, tuning = run.phases
        assert warm_up == Phase(epochs=30, optimiser="adam", unfrozen=0, early_stopping=kept)
        same = {"unfrozen": tuning.unfrozen, "rate_by_block": tuning.rate_by_block}
        assert tuning == Phase(epochs=90, optimiser="sgd", learning_rate=1e-4, **falling, **same)
    depths = {"transfer": {0, 1, 2, 3}, "depth": {*given["DEPTHS"]}, "image_size": {0, 2}}
    assert {run.phases[1].unfrozen for run in two} == depths[family]
