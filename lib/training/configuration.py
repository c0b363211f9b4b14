"""What a training run is asked to do: small, frozen, validated; needs no deep-learning library."""

from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from lib.steps import Recipe
from lib.training.augmentation import AnyAugmentation, Frozen


class Network(Frozen):
    """Which network, with the parameters of its family."""

    family: str
    parameters: dict[str, Any] = {}


class Head(Frozen):
    """What stands on the features: global average pooling, dense layers, dropout, one logit a class (one for two classes)."""

    # widths of the dense layers; "square root": of the width before, as the nearest power of two (S0.3)
    hidden: tuple[PositiveInt | Literal["square root"], ...] = ()
    dropout: float = Field(default=0, ge=0, lt=1)  # of the features, in training alone (S3.32)
    bias: Literal["prior"] | float = (
        "prior"  # prior: log(n_positive / n_negative), for several classes log of the shares
    )


class Cosine(Frozen):
    """The rate falls along half a cosine, epoch by epoch, to `final` of the first one (Loshchilov and Hutter 2017)."""

    kind: Literal["cosine"] = "cosine"
    final: float = Field(default=0, ge=0, lt=1)  # share of the first rate


class Steps(Frozen):
    """The rate is multiplied by `factor` after every few epochs (S0.16)."""

    kind: Literal["steps"] = "steps"
    every: PositiveInt  # epochs
    factor: float = Field(default=0.1, gt=0, lt=1)


class Plateau(Frozen):
    """The rate is multiplied by `factor` once the tuning loss has not fallen for `patience` epochs (S3.37)."""

    kind: Literal["plateau"] = "plateau"
    factor: float = Field(default=0.2, gt=0, lt=1)
    patience: PositiveInt = 5  # epochs
    minimum: NonNegativeFloat = 0  # no rate below it


class EarlyStopping(Frozen):
    """Training ends once the tuning loss has not fallen for `patience` epochs; the best epoch's weights are kept (S3.37)."""

    patience: PositiveInt = 5  # epochs


Schedule = Annotated[Cosine | Steps | Plateau, Field(discriminator="kind")]


class Phase(Frozen):
    """A stretch of training with one optimiser. Settings that can never act are refused."""

    epochs: NonNegativeInt
    optimiser: Literal["adam", "sgd"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    schedule: Schedule | None = None  # None: the rate is constant (S3.29)
    early_stopping: EarlyStopping | None = None
    stop_below: PositiveFloat | None = None  # nats: the phase ends when the measured training loss is less
    # blocks of the backbone that learn, counted from its end; a fraction: that share of the next block's layers (S0.4, S4.7)
    unfrozen: NonNegativeFloat | Literal["all"] = "all"
    frozen_normalisation: bool = False  # batch normalisation learns nothing in unfrozen blocks either (S3.34)
    # rate of each block as a share of that of the block after it; 1: the same for all (Howard and Ruder 2018, arXiv:1801.06146)
    rate_by_block: float = Field(default=1, gt=0, le=1)

    @model_validator(mode="after")
    def _acts(self) -> "Phase":
        schedule, stopping = self.schedule, self.early_stopping
        if isinstance(schedule, Plateau) and schedule.minimum >= self.learning_rate:
            raise ValueError(
                f"the plateau's minimum {schedule.minimum:g} is not below the rate {self.learning_rate:g}, so it never acts; "
                "lower the minimum"
            )
        waits = {"plateau": getattr(schedule, "patience", 0), "early stopping": stopping.patience if stopping else 0}
        for (
            name,
            patience,
        ) in waits.items():  # the first epoch is the best so far, then patience, then one epoch is saved
            if patience and patience > self.epochs - 2:
                less = f", or a patience of {self.epochs - 2} or less" if self.epochs > 2 else ""
                raise ValueError(
                    f"{name} with patience {patience} never acts within {self.epochs} epochs; "
                    f"give {patience + 2} epochs or more{less}"
                )
        if isinstance(schedule, Plateau) and stopping and schedule.patience >= stopping.patience:
            less = f", or the plateau {stopping.patience - 1} or less" if stopping.patience > 1 else ""
            raise ValueError(
                f"plateau with patience {schedule.patience} never acts before early stopping with patience "
                f"{stopping.patience} ends the phase; give early stopping {schedule.patience + 1} or more{less}"
            )
        if isinstance(schedule, Cosine) and self.epochs < 2:
            raise ValueError(f"a cosine never acts within {self.epochs} epochs; give 2 epochs or more")
        if isinstance(schedule, Steps) and schedule.every >= self.epochs:
            raise ValueError(
                f"a step of the rate after every {schedule.every} epochs never acts within {self.epochs} epochs; "
                f"give {schedule.every + 1} epochs or more"
            )
        if self.unfrozen == 0 and self.rate_by_block < 1:
            raise ValueError(
                "rate_by_block acts on blocks that learn, but unfrozen is 0; leave it out, or unfreeze a block"
            )
        return self

    @property
    def watches(self) -> bool:
        """Whether the tuning loss of every epoch decides on the next one."""
        return self.early_stopping is not None or isinstance(self.schedule, Plateau)


class Mixing(Frozen):
    """Pairs of training images are mixed, and their labels with them."""

    kind: Literal["mixup", "cutmix"]  # Zhang et al. 2018, arXiv:1710.09412; Yun et al. 2019, arXiv:1905.04899
    alpha: float = Field(default=0.2, ge=0.1, le=1)  # of the beta distribution that the share is drawn from


class Storing(Frozen):
    """What is frozen answers once an image; its answers are stored, and only what learns is trained on them.

    Whether it is done follows from configuration and data alone: a phase whose activations would take more than the budget
    computes them at every step instead, and the record says so.
    """

    budget_gib: PositiveFloat = 4  # of activations on disk, for each phase
    copies: PositiveInt = 1  # of each training image, where it is augmented: epoch e learns from copy e modulo copies


class Control(Frozen):
    """What is done to a run on purpose, to see that it fails as it should, or can do what it should (S3.21, S3.22)."""

    hidden: float = Field(default=0, ge=0, le=1)  # share of each image's pixels that are black, in every part and epoch
    input_dropout: float = Field(default=0, ge=0, lt=1)  # of pixel values, in training alone, as Keras has it
    shuffled_labels: bool = False  # of the training part
    one_batch: bool = False  # train on one batch for ever, with the classes in equal numbers

    @property
    def name(self) -> str:
        """What is not as usual, for people; nothing when all is."""
        named = {"hidden": self.hidden, "dropout": self.input_dropout}
        numbers = [f"{name}{100 * share:.0f}" for name, share in named.items() if share]
        return "-".join([*numbers, *["shuffled"] * self.shuffled_labels, *["batch"] * self.one_batch])


class Configuration(Frozen):
    """One training run."""

    dataset: str
    levels: Literal["all", "extreme"] = "all"  # extreme: only the lowest and the highest graded level (S4.2)
    recipe: Recipe
    image_size: PositiveInt  # pixels per side
    network: Network
    head: Head = Head()
    phases: tuple[Phase, ...] = Field(min_length=1)
    batch_size: PositiveInt = 32
    augmentation: tuple[
        AnyAugmentation, ...
    ] = ()  # of training images, inside the network's graph, in this order (S3.31)
    mixing: Mixing | None = None
    label_smoothing: float = Field(default=0, ge=0, lt=1)  # share of a label's weight that goes to all classes evenly
    l2: NonNegativeFloat = 0  # times the sum of squares of all kernels, in the loss (S0.9)
    train_share: float = Field(
        default=1, gt=0, le=1
    )  # of the training images of each class; smaller shares lie in larger ones
    drawn_defects: NonNegativeFloat = (
        0  # training images added, as a share: sound ones with defects drawn into them (S3.33)
    )
    control: Control = Control()
    measured_every: PositiveInt = 1  # epochs between two rows of the history
    measured_images: PositiveInt = 4096  # history on train is measured on at most so many fixed images
    seed: NonNegativeInt
    storing: Storing | None = None  # None: every step computes what is frozen anew
    engine: Literal["keras", "onnx"] = "keras"  # of what is frozen, where it is stored
    threads: PositiveInt = 1  # the same number repeats a run bit for bit on one kind of processor

    @model_validator(mode="after")
    def _measures(self) -> "Configuration":
        if self.measured_every > 1 and any(phase.watches for phase in self.phases):
            raise ValueError(
                "early stopping and plateaus need the tuning loss of every epoch; measured_every must be 1"
            )
        return self

    @model_validator(mode="after")
    def _stores(self) -> "Configuration":
        if self.storing is None:
            if self.engine == "onnx":
                raise ValueError('engine "onnx" computes what is stored alone; give storing, or engine "keras"')
            return self
        if all(phase.unfrozen == "all" for phase in self.phases):
            raise ValueError("storing never acts: no phase freezes a block; leave it out, or give a phase unfrozen")
        if self.mixing or self.control.input_dropout:
            acting = "mixing" if self.mixing else "input_dropout"
            raise ValueError(
                f"{acting} changes images at every step, stored are the answers to images; leave one of the two out"
            )
        if self.storing.copies > 1 and not self.augmentation:
            raise ValueError(
                f"{self.storing.copies} copies of images that are not augmented are equal; leave copies at 1"
            )
        return self

    @property
    def epochs(self) -> int:
        """Epochs of all phases together."""
        return sum(phase.epochs for phase in self.phases)

    @property
    def name(self) -> str:
        """A short name for people: network, size, levels, what is done to it on purpose, seed."""
        control = f"-{self.control.name}" if self.control.name else ""
        return f"{self.network.family}-{self.image_size}px-{self.levels}{control}-seed{self.seed}"
