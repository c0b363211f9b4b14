"""The mask as a step of a recipe."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveInt

from lib import masks
from lib.steps.step import PixelStep


class Mask(PixelStep):
    """The image inside its mask, its darkest value elsewhere; as it is where the mask covers hardly anything or all (S1.2).

    weights: a local `.weights.h5` file of a U-Net with these filters; None: taught on phantoms, once, with this effort.
    """

    step: Literal["mask"] = "mask"
    of: masks.Kind
    weights: Path | None = None
    effort: Literal["full", "quick"] = "full"
    filters: Annotated[tuple[PositiveInt, ...], Field(min_length=2, max_length=6)] = (8, 16, 32, 64)

    @property
    def settings(self) -> masks.Settings:
        """What its network is taught with."""
        return masks.Settings(**self.model_dump(exclude={"step"}))

    def fingerprint(self) -> list[str]:
        """Hashes of the step's module, of its network and of the code that finds a mask."""
        return [*super().fingerprint(), masks.key(self.settings)]

    @cached_property
    def network(self) -> masks.Network:
        """Found, or taught, once; recipes share a step between threads. Raises as `masks.get`."""
        return masks.get(self.settings)

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width) or (height, width, 3) uint8 -> the same."""
        return self.network.apply(image)
