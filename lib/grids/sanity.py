"""Chapter 6: the simple network with what it needs taken from it."""

from lib import cards
from lib.grids.study import Study, by_seed
from lib.training.configuration import Control, Head, Network, Phase

NO_PARENT = dict.fromkeys(("black", "dropout, as printed", "one batch"))  # more than one thing is other there
CONTROLS = frozenset(("black", "most black", "dropout, as printed", "shuffled", "one batch"))


def sanity_checks(
    dataset: str,
    image_size: int,
    epochs: int,
    learning_rate: float,
    zero_learning_rate: float,
    input_dropout: float,
    wide_filters: int,
    batch_filters: int,
    batch_image_size: int,
    batch_epochs: int,
    batch_loss: float,
    seeds: list[int],
    threads: int,
) -> Study:
    """The simple network as it is, wider, and with what it needs taken from it; one run a seed.

    `black`: nothing is seen, the last bias starts at 0, and nothing else can learn, so a larger rate does no harm. `most
    black`: a share of pixels black in every part. `dropout, as printed`: as the document has it, unscaled, images whole but in
    training. `one batch`: until the loss is below batch_loss, or batch_epochs are over. Source: S3.21-S3.23.
    """
    card = cards.load(dataset)
    phase, zero_phase = (Phase(epochs=epochs, learning_rate=rate) for rate in (learning_rate, zero_learning_rate))
    batch_phase = Phase(epochs=batch_epochs, learning_rate=learning_rate, stop_below=batch_loss)
    batch, wide, unscaled = (
        Network(family="simple", parameters=parameters)
        for parameters in (
            {"filters": [batch_filters, batch_filters]}, {"filters": [wide_filters, wide_filters]}, {"rescaling": False}
        )
    )  # fmt: skip
    common = {"image_size": image_size, "threads": threads, "network": Network(family="simple"), "phases": (phase,)}
    common["measured_every"] = max(1, epochs // 10)
    changes = {
        "real": {},
        "wide": {"network": wide},
        "black": {"phases": (zero_phase,), "head": Head(bias=0.0), "control": Control(hidden=1)},
        "most black": {"control": Control(hidden=input_dropout)},
        "dropout, as printed": {"network": unscaled, "control": Control(input_dropout=input_dropout)},
        "shuffled": {"control": Control(shuffled_labels=True)},
        "one batch": {
            "network": batch, "image_size": batch_image_size, "phases": (batch_phase,),
            "control": Control(one_batch=True), "measured_every": max(5, batch_epochs // 60),
        },
    }  # fmt: skip
    return {name: by_seed(card, seeds, **common | change) for name, change in changes.items()}
