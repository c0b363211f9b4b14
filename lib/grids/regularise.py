"""Chapter 8: the overfitting network with one thing changed at a time."""

from typing import Any

from lib import cards
from lib.grids.study import Study, by_seed
from lib.training.augmentation import Colour, Crop, Cutout, Flip, Noise, Rotation, Zoom
from lib.training.configuration import Cosine, EarlyStopping, Head, Mixing, Network, Phase, Plateau, Steps

PARENTS = {"larger, early stopping": "larger"}  # all others are compared with "as it is"
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
    l2: float,
    label_smoothing: float,
    mixing_alpha: float,
    drawn_defects: float,
    measured_images: int,
    seeds: list[int],
    threads: int,
) -> Study:
    """The reduced Xception as it is, and with exactly one change in every other setting; one run a seed.

    Drawn defects are left out where the card has no simulator. Source: S3.30-S3.38, S4.5, S0.9, S0.16.
    """
    card = cards.load(dataset)
    phase = Phase(epochs=epochs, learning_rate=learning_rate)
    stopping = {"early_stopping": EarlyStopping(patience=patience)}
    network, larger = (
        Network(family="xception", parameters={"stem": stem, "sizes": widths, "momentum": momentum})
        for widths in (sizes, larger_sizes)
    )
    common = {
        "image_size": image_size, "threads": threads, "network": network, "phases": (phase,),
        "measured_images": measured_images,
    }  # fmt: skip
    changes: dict[str, dict[str, Any]] = {
        "as it is": {},
        **{f"{share:g} of the images": {"train_share": share} for share in train_shares},
        **{name: {"augmentation": layers} for name, layers in AUGMENTATIONS.items()},
        **{f"dropout {rate:g}": {"head": Head(dropout=rate)} for rate in dropouts},
        "L2": {"l2": l2},
        "label smoothing": {"label_smoothing": label_smoothing},
        **{kind: {"mixing": Mixing(kind=kind, alpha=mixing_alpha)} for kind in ("mixup", "cutmix")},
        **({"drawn defects": {"drawn_defects": drawn_defects}} if card.simulator else {}),
        "smaller images": {"image_size": smaller_size},
        "smaller batch": {"batch_size": smaller_batch},
        **{name: {"phases": (_changed(phase, **change),)} for name, change in _schedules(epochs, patience).items()},
        "early stopping": {"phases": (_changed(phase, **stopping),)},
        "larger": {"network": larger},
        "larger, early stopping": {"network": larger, "phases": (_changed(phase, **stopping),)},
    }
    return {name: by_seed(card, seeds, **common | change) for name, change in changes.items()}


def _schedules(epochs: int, patience: int) -> dict[str, dict[str, Any]]:
    return {
        "cosine decay": {"schedule": Cosine()},
        "step decay": {"schedule": Steps(every=max(1, epochs // 3))},
        "lower on plateau": {"schedule": Plateau(patience=patience)},
    }


def _changed(phase: Phase, **fields: Any) -> Phase:
    return Phase(**phase.model_dump() | fields)
