"""Chapter 15: networks whose head is one dense layer on the average, so that class activation maps can explain them."""

from itertools import product

from lib import cards
from lib.grids import strategies
from lib.grids.study import Study, by_seed
from lib.training.configuration import Phase

AT_LEAST_ONE = ("a number of images, 1 or more", lambda number, _: number >= 1)
RULES = {
    "SIZES": ("two sizes, the smaller one first", lambda sizes, _: len(sizes) == 2 and sizes[0] < sizes[1]),
    **dict.fromkeys(("TRIAL_IMAGES", "LOCATED_IMAGES", "PICTURES"), AT_LEAST_ONE),
}


def linear_heads(
    dataset: str,
    backbones: list[str],
    sizes: list[int],
    head_epochs: int,
    head_rate: float,
    measured_images: int,
    engine: str,
    seeds: list[int],
    threads: int,
    whole: bool = False,
) -> Study:
    """Every network frozen, with one dense layer on the global average, at both sizes; one run a seed.

    Networks whose weights cannot be had here are left out, unless `whole`. Source: S4.10, S4.12.
    """
    card = cards.load(dataset)
    phases = (Phase(epochs=head_epochs, learning_rate=head_rate, unfrozen=0),)
    common = strategies.stored(0, measured_images, engine, threads) | {"phases": phases}
    return {
        setting(name, size): by_seed(card, seeds, **common, network=network, image_size=size)
        for (name, network), size in product(strategies.usable(backbones, whole).items(), sizes)
    }


def setting(network: str, size: int) -> str:
    """A network at a size."""
    return f"{strategies.titled(network)}, linear head, {size} px"
