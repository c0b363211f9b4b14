"""Chapter 5: the simple network on the two extreme levels and on all."""

from lib import cards
from lib.grids.study import Study, by_seed
from lib.training.configuration import Network, Phase


def simple_network(
    dataset: str, image_size: int, epochs: int, learning_rate: float, seeds: list[int], threads: int
) -> Study:
    """The simple network on the two extreme levels, where there are three or more, and on all; one run a seed.

    Source: S3.11, S3.12, S4.2.
    """
    card = cards.load(dataset)
    extremes = card.graded and len(card.level_names) > 2
    phase = Phase(epochs=epochs, learning_rate=learning_rate)
    return {
        levels: by_seed(
            card,
            seeds,
            image_size=image_size,
            threads=threads,
            network=Network(family="simple"),
            phases=(phase,),
            levels=levels,
        )
        for levels in (("extreme", "all") if extremes else ("all",))
    }
