"""Fine-tuning of a whole network, once a split, for studies that repeat published protocols."""

from lib import cards
from lib.grids import strategies
from lib.grids.study import Study, by_seed
from lib.training.augmentation import Flip, QuarterTurn
from lib.training.configuration import Cosine, Phase

FINE_TUNED = "fine-tuned"


def fine_tuned(
    dataset: str,
    backbone: str,
    image_size: int,
    epochs: int,
    learning_rate: float,
    batch_size: int,
    measured_images: int,
    splits: int,
    seed: int,
    threads: int,
) -> Study:
    """One setting, once a split, each with a seed of its own; which images a split tests is not decided here.

    The rate of Adam falls along a cosine and the last epoch is kept, so that no image decides when to stop. Raises
    UserError where the network's weights cannot be had.
    """
    (network,) = strategies.usable([backbone]).values()
    common = {
        "image_size": image_size, "network": network, "batch_size": batch_size, "threads": threads,
        "augmentation": (Flip(), QuarterTurn()), "measured_images": measured_images,
        "phases": (Phase(epochs=epochs, learning_rate=learning_rate, schedule=Cosine()),),
    }  # fmt: skip
    return {FINE_TUNED: by_seed(cards.load(dataset), [seed + number for number in range(splits)], **common)}
