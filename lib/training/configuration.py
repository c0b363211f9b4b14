"""What a training run is asked to do: small, frozen, validated; needs no deep-learning library."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from lib.steps import Recipe


class Frozen(BaseModel):
    """Unknown fields are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Network(Frozen):
    """Which network, with the parameters of its family."""

    family: str
    parameters: dict[str, Any] = {}


class Head(Frozen):
    """What stands on the features: global average pooling, then one logit a class (a single one for two classes)."""

    bias: Literal["prior"] | float = (
        "prior"  # prior: log(n_positive / n_negative), for several classes log of the shares
    )


class Phase(Frozen):
    """A stretch of training with one optimiser."""

    epochs: NonNegativeInt
    optimiser: Literal["adam", "sgd"] = "adam"
    learning_rate: PositiveFloat = 1e-3
    stop_below: PositiveFloat | None = None  # nats: the phase ends when the measured training loss is less


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
    control: Control = Control()
    measured_every: PositiveInt = 1  # epochs between two rows of the history
    seed: NonNegativeInt
    engine: Literal["keras"] = "keras"
    threads: PositiveInt = 1  # the same number repeats a run bit for bit on one kind of processor

    @property
    def epochs(self) -> int:
        """Epochs of all phases together."""
        return sum(phase.epochs for phase in self.phases)

    @property
    def name(self) -> str:
        """A short name for people: network, size, levels, what is done to it on purpose, seed."""
        control = f"-{self.control.name}" if self.control.name else ""
        return f"{self.network.family}-{self.image_size}px-{self.levels}{control}-seed{self.seed}"
