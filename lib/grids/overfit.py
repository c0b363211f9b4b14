"""Chapter 7: a network large enough to overfit, beside the simple one; sweeps of its rate, momentum and L2."""

from lib import cards
from lib.grids.study import Study, by_seed
from lib.training.configuration import Network, Phase

REFERENCE = "xception"  # what the simple network and the short runs are compared with
SHORT = "short"  # what is swept
RULES = {
    "SWEEP_EPOCHS": (
        "fewer than EPOCHS, or the short runs are the long ones",
        lambda few, given: few < given["EPOCHS"],
    ),
    "OTHER_MOMENTUM": ("another one than MOMENTUM", lambda other, given: other != given["MOMENTUM"]),
    "L2_CONSTANTS": ("numbers above 0", lambda constants, _: min(constants) > 0),
    "RANGE": ("the lowest and the highest rate, above 0", lambda ends, _: len(ends) == 2 and 0 < ends[0] < ends[1]),
    "RANGE_STEPS": ("10 or more", lambda steps, _: steps >= 10),
}


def overfit(
    dataset: str,
    image_size: int,
    stem: list[int],
    sizes: list[int],
    momentum: float,
    other_momentum: float,
    epochs: int,
    sweep_epochs: int,
    learning_rate: float,
    other_rates: list[float],
    l2_constants: list[float],
    measured_images: int,
    seeds: list[int],
    sweep_seeds: list[int],
    threads: int,
) -> Study:
    """The reduced Xception for long, and the simple network; for a short time, Xception with one thing changed.

    A rate that is the usual one is no change, and left out.
    Source: S3.25-S3.29, S4.4.
    """
    card = cards.load(dataset)
    usual, other = (
        Network(family="xception", parameters={"stem": stem, "sizes": sizes, "momentum": value})
        for value in (momentum, other_momentum)
    )
    short = {"phases": (Phase(epochs=sweep_epochs, learning_rate=learning_rate),)}
    rates = {
        f"rate {rate:g}": {"phases": (Phase(epochs=sweep_epochs, learning_rate=rate),)}
        for rate in other_rates
        if rate != learning_rate
    }
    common = {
        "image_size": image_size, "threads": threads, "network": usual, "measured_images": measured_images,
        "phases": (Phase(epochs=epochs, learning_rate=learning_rate),),
    }  # fmt: skip
    long = {REFERENCE: {}, "simple": {"network": Network(family="simple")}}
    swept = {
        SHORT: {},
        f"momentum {other_momentum:g}": {"network": other},
        **rates,
        **{f"L2 {constant:g}": {"l2": constant} for constant in l2_constants},
    }
    study = {name: by_seed(card, seeds, **common | change) for name, change in long.items()}
    return study | {name: by_seed(card, sweep_seeds, **common | short | change) for name, change in swept.items()}


def parents(study: Study) -> dict[str, str]:
    """The simple network is compared with the long runs, everything else with the short ones: of other epochs and seeds."""
    return {name: REFERENCE if name == "simple" else SHORT for name in study if name not in (REFERENCE, SHORT)}
