"""Chapter 8: the overfitting network with one thing changed at a time."""

from typing import Any

from lib import cards
from lib.grids.study import Study, by_seed
from lib.training.augmentation import Colour, Crop, Cutout, Flip, Noise, Rotation, Zoom
from lib.training.configuration import Cosine, EarlyStopping, Head, Mixing, Network, Phase, Plateau, Schedule, Steps

ROOT = "as it is"
OTHER_PARENTS = {"larger, early stopping": "larger"}
LABEL_SMOOTHING = 0.1  # Szegedy et al. 2016, arXiv:1512.00567
DRAWN_DEFECTS = 0.2  # images added, as a share of the training images
AUGMENTATIONS = {
    "flips": (Flip(),),
    "geometry": (Flip(), Rotation(), Zoom(), Crop()),  # S3.31
    "colour": (Colour(brightness=0.2, contrast=0.3),),
    "cut-out": (Cutout(),),
    "noise": (Noise(),),
}


def regularise(
    dataset: str,
    image_size: int,
    smaller_size: int,
    stem: list[int],
    sizes: list[int],
    larger_sizes: list[int],
    momentum: float,
    epochs: int,
    learning_rate: float,
    patience: int,
    smaller_batch: int,
    train_shares: list[float],
    dropouts: list[float],
    block_dropout: float,
    l2: float,
    measured_images: int,
    seeds: list[int],
    threads: int,
) -> Study:
    """The reduced Xception as it is, and with exactly one change in every other setting; one run a seed.

    Drawn defects are left out where the card has no simulator. Source: S3.30-S3.38, S4.5, S0.9, S0.16.
    """
    card = cards.load(dataset)
    parameters = {"stem": stem, "sizes": sizes, "momentum": momentum}
    network, larger, inside = (
        Network(family="xception", parameters=parameters | change)
        for change in ({}, {"sizes": larger_sizes}, {"dropout": block_dropout})
    )
    phase = Phase(epochs=epochs, learning_rate=learning_rate)
    stopped = (_changed(phase, early_stopping=EarlyStopping(patience=patience)),)
    common = {
        "image_size": image_size, "network": network, "phases": (phase,), "measured_images": measured_images,
        "threads": threads,
    }  # fmt: skip
    changes: dict[str, dict[str, Any]] = {
        ROOT: {},
        **{f"{share:g} of the images": {"train_share": share} for share in train_shares},
        **{name: {"augmentation": layers} for name, layers in AUGMENTATIONS.items()},
        **{kind: {"mixing": Mixing(kind=kind)} for kind in ("mixup", "cutmix")},
        **({"drawn defects": {"drawn_defects": DRAWN_DEFECTS}} if card.simulator else {}),
        "smaller images": {"image_size": smaller_size},
        **{f"dropout {rate:g}": {"head": Head(dropout=rate)} for rate in dropouts},
        "dropout in blocks": {"network": inside},
        "L2": {"l2": l2},
        "label smoothing": {"label_smoothing": LABEL_SMOOTHING},
        "smaller batch": {"batch_size": smaller_batch},
        **{
            name: {"phases": (_changed(phase, schedule=found),)} for name, found in _schedules(epochs, patience).items()
        },
        "early stopping": {"phases": stopped},
        "larger": {"network": larger},
        "larger, early stopping": {"network": larger, "phases": stopped},
    }
    return {name: by_seed(card, seeds, **common | change) for name, change in changes.items()}


def _schedules(epochs: int, patience: int) -> dict[str, Schedule]:
    return {
        "cosine decay": Cosine(),
        "step decay": Steps(every=max(1, epochs // 3)),
        "lower on plateau": Plateau(patience=patience),
    }


def _changed(phase: Phase, **fields: Any) -> Phase:
    return Phase(**phase.model_dump() | fields)
