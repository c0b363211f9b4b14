"""Which mask: what it shows, and how its network was taught."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from lib import config
from lib.masks.phantoms import Kind

DOCUMENT_SIZE = 256  # pixels a side (S1.2)


class WeightsRefused(config.UserError):
    """A weights file that is not there, or of another network."""


class Stage(config.Strict):
    """Phantoms that a network is taught on."""

    size: PositiveInt  # pixels a side
    images: PositiveInt
    epochs: PositiveInt
    learning_rate: PositiveFloat  # at its beginning


EFFORTS = {
    "full": (
        Stage(size=128, images=480, epochs=2, learning_rate=0.005),
        Stage(size=256, images=320, epochs=1, learning_rate=0.002),
    ),
    "quick": (Stage(size=64, images=160, epochs=2, learning_rate=0.01),),
}


class Settings(config.Strict):
    """The same settings give the same network."""

    of: Kind
    weights: Path | None = None  # a local file; None: trained here, on phantoms
    effort: Literal["full", "quick"] = "full"  # of training here
    filters: Annotated[tuple[PositiveInt, ...], Field(min_length=2, max_length=6)] = (8, 16, 32, 64)
    seed: int = 7

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What training goes through, one stage after the other."""
        return EFFORTS[self.effort]

    @property
    def size(self) -> int:
        """Pixels a side that the network sees: the document's where weights are given, else the last stage's."""
        return self.stages[-1].size if self.weights is None else DOCUMENT_SIZE

    @property
    def trained_on(self) -> list[dict]:
        """The stages as plain values, for a key; none where weights are given."""
        return [stage.model_dump() for stage in self.stages] if self.weights is None else []
