"""Chapter 10: one network, unfrozen to several depths."""

from lib import cards
from lib.grids import strategies
from lib.grids.study import Study, by_seed

RULES = strategies.RULES | {
    "DEPTHS": ("one depth above 0", lambda depths, _: max(depths) > 0),
}


def depth(
    dataset: str,
    backbones: list[str],
    image_size: int,
    hidden: int,
    epochs: list[int],
    optimisers: list[str],
    rates: list[float],
    decay: float,
    patience: list[int],
    depths: list[float],
    measured_images: int,
    engine: str,
    seeds: list[int],
    threads: int,
    whole: bool = False,
) -> Study:
    """The first network whose weights can be had here, with so many blocks unfrozen, one run a seed; begins with none.

    A fraction is that share of the layers of the next block. Source: S4.7, S0.8.
    """
    card = cards.load(dataset)
    schedule = strategies.Schedule(epochs, optimisers, rates, decay, patience)
    network = next(iter(strategies.usable(backbones, whole).values()))
    common = strategies.stored(hidden, measured_images, engine, threads) | {
        "image_size": image_size,
        "network": network,
    }
    wanted = sorted({0, *depths})
    return {named(each): by_seed(card, seeds, **common, phases=schedule.phases(each)) for each in wanted}


def named(blocks: float) -> str:
    """A depth in words."""
    return f"{blocks:g} {'block' if blocks == 1 else 'blocks'}"


def parents(study: Study) -> dict[str, str]:
    """All depths are compared with features: no block unfrozen."""
    return dict.fromkeys([name for name in study if name != named(0)], named(0))
