"""Chapter 8: the overfitting network with one thing changed at a time."""

from typing import Any

from lib import cards
from lib.grids.study import Study, by_seed
from lib.training.augmentation import Colour, Crop, Cutout, Flip, Noise, Rotation, Zoom
from lib.training.configuration import (
    Configuration,
    Cosine,
    EarlyStopping,
    Head,
    Mixing,
    Network,
    Phase,
    Plateau,
    Steps,
)

Changes = dict[str, dict[str, Any]]  # setting -> fields of its configurations that are not the usual ones

ROOT = "as it is"
STOPPED = "early stopping"
LABEL_SMOOTHING = 0.1  # Szegedy et al. 2016, arXiv:1512.00567
DRAWN_DEFECTS = 0.2  # images added, as a share of the training images
AUGMENTATIONS = {
    "flips": (Flip(),),
    "geometry": (Flip(), Rotation(), Zoom(), Crop()),  # S3.31
    "colour": (Colour(brightness=0.2, contrast=0.3),),
    "cut-out": (Cutout(),),
    "noise": (Noise(),),
}
USUAL_BATCH = Configuration.model_fields["batch_size"].default
SHARES = (
    "two or more numbers between 0 and 1",
    lambda shares, _: len(shares) > 1 and 0 < min(shares) < max(shares) < 1,
)
RULES = {
    "SMALLER_SIZE": ("fewer pixels than IMAGE_SIZE", lambda size, given: size < given["IMAGE_SIZE"]),
    "SMALLER_BATCH": (f"fewer images than the usual {USUAL_BATCH}", lambda batch, _: batch < USUAL_BATCH),
    "LARGER_SIZES": ("more or wider blocks than SIZES", lambda sizes, given: sum(sizes) > sum(given["SIZES"])),
    "TRAIN_SHARES": SHARES,
    "DROPOUTS": SHARES,
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
    common = {
        "image_size": image_size, "network": network, "phases": (phase,), "measured_images": measured_images,
        "threads": threads,
    }  # fmt: skip
    changes = {
        ROOT: {},
        **{_share(share): {"train_share": share, **_of_phases(phase, patience)[STOPPED]} for share in train_shares},
        **_of_images(card.simulator is not None, smaller_size),
        **{f"dropout {rate:g}": {"head": Head(dropout=rate)} for rate in dropouts},
        "dropout in blocks": {"network": inside},
        "L2": {"l2": l2},
        "label smoothing": {"label_smoothing": LABEL_SMOOTHING},
        "smaller batch": {"batch_size": smaller_batch},
        **_of_phases(phase, patience),
        "larger": {"network": larger},
        f"larger, {STOPPED}": {"network": larger, **_of_phases(phase, patience)[STOPPED]},
    }
    return {name: by_seed(card, seeds, **common | change) for name, change in changes.items()}


def parents(study: Study) -> dict[str, str]:
    """Fewer images are compared where each number of them stops at its best epoch; all else with the network as it is."""
    fewer = {name: STOPPED for name, runs in study.items() if runs[0].train_share < 1}
    return dict.fromkeys([name for name in study if name != ROOT], ROOT) | fewer | {f"larger, {STOPPED}": "larger"}


def _share(share: float) -> str:
    return f"{share:g} of the images"


def _of_images(drawn: bool, smaller_size: int) -> Changes:
    return {
        **{name: {"augmentation": layers} for name, layers in AUGMENTATIONS.items()},
        **{kind: {"mixing": Mixing(kind=kind)} for kind in ("mixup", "cutmix")},
        **({"drawn defects": {"drawn_defects": DRAWN_DEFECTS}} if drawn else {}),
        "smaller images": {"image_size": smaller_size},
    }


def _of_phases(phase: Phase, patience: int) -> Changes:
    changes = {
        "cosine decay": {"schedule": Cosine()},
        "step decay": {"schedule": Steps(every=max(1, round(phase.epochs / 3)))},
        "lower on plateau": {"schedule": Plateau(patience=patience)},
        STOPPED: {"early_stopping": EarlyStopping(patience=patience)},
    }
    return {name: {"phases": (Phase(**phase.model_dump() | change),)} for name, change in changes.items()}
