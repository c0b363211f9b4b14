"""Study `recipe_full`: the runs that the recipe's document lists, at its own sizes and widths."""

from lib import cards
from lib.grids.study import Study, by_seed
from lib.training.augmentation import Crop, Flip, Rotation, Zoom
from lib.training.configuration import Control, EarlyStopping, Head, Network, Phase

AUGMENTATION = (Flip(vertical=False), Rotation(), Zoom(), Crop())  # S3.31
OTHER_PARENTS = {"zeros": "simple", "xception": "simple", "larger, early stopping": "larger"}  # of others: "xception"


def recipe_full(
    dataset: str,
    image_size: int,
    smaller_size: int,
    sizes: list[int],
    larger_sizes: list[int],
    epochs: int,
    learning_rate: float,
    batch_size: int,
    smaller_batch: int,
    patience: int,
    measured_images: int,
    seeds: list[int],
    threads: int,
) -> Study:
    """The simple network, the reduced Xception, and this one with one change each; one run a seed.

    Where the document changed several things between two rows, one was left. Source: S3.21, S3.25-S3.38.
    """
    card = cards.load(dataset)
    xception, larger = (Network(family="xception", parameters={"sizes": widths}) for widths in (sizes, larger_sizes))
    phase = Phase(epochs=epochs, learning_rate=learning_rate)
    stopped = Phase(epochs=epochs, learning_rate=learning_rate, early_stopping=EarlyStopping(patience=patience))
    common = {
        "image_size": image_size, "network": xception, "phases": (phase,), "batch_size": batch_size,
        "measured_images": measured_images, "threads": threads,
    }  # fmt: skip
    changes = {
        "simple": {"network": Network(family="simple")},
        "zeros": {"network": Network(family="simple"), "control": Control(hidden=1)},
        "xception": {},
        "augmentation": {"augmentation": AUGMENTATION},
        "dropout": {"head": Head(dropout=0.5)},
        "smaller images": {"image_size": smaller_size},
        "smaller batch": {"batch_size": smaller_batch},
        "larger": {"network": larger},
        "larger, early stopping": {"network": larger, "phases": (stopped,)},
    }
    return {name: by_seed(card, seeds, **common | change) for name, change in changes.items()}


def parents(study: Study) -> dict[str, str]:
    """Setting -> the setting that it is compared with; the simple network is where all begins."""
    return {name: OTHER_PARENTS.get(name, "xception") for name in study if name != "simple"}
