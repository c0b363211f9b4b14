"""A synthesised image: several enhancements of one image as its channels (S0.12)."""

from typing import Literal

import numpy as np
from pydantic import field_validator

from lib.steps.step import MOST_CHANNELS, PixelStep, Step


class Stack(PixelStep):
    """Each list of steps gives one channel; an empty list gives the image as it comes."""

    step: Literal["stack"] = "stack"
    channels: tuple[tuple["AnyStep", ...], ...]  # noqa: F821 - named once all steps are known

    @field_validator("channels")
    @classmethod
    def _pixels(cls, channels: tuple[tuple[Step, ...], ...]) -> tuple[tuple[Step, ...], ...]:
        late = [step.step for steps in channels for step in steps if step.in_graph]
        if late:
            raise ValueError(f"{late} belong to the network's graph; put them after `stack`")
        if not 2 <= len(channels) <= MOST_CHANNELS:
            raise ValueError(f"lists of steps: {len(channels)}; give two to {MOST_CHANNELS}, one a channel")
        return channels

    def _apply(self, image: np.ndarray, size: int) -> np.ndarray:
        """image: (height, width[, channels]) uint8 -> (height', width', len(channels)) uint8.

        Raises ValueError when a list does not give one channel, or when they give other sizes.
        """
        made = []
        for number, steps in enumerate(self.channels, start=1):
            channel = image
            for step in steps:
                channel = step.apply(channel, size)
            if channel.ndim != 2:
                raise ValueError(f"list {number} gives {channel.shape[2]} channels, expected one; begin with `grey`")
            made.append(channel)
        if len({channel.shape for channel in made}) > 1:
            sizes = ", ".join(f"{channel.shape[1]} x {channel.shape[0]}" for channel in made)
            raise ValueError(f"its lists give images of {sizes} pixels; let `resize` follow what changes the size")
        return np.dstack(made)

    def fingerprint(self) -> list[str]:
        """Hashes of the code of this step and of all within it."""
        nested = {value for steps in self.channels for step in steps for value in step.fingerprint()}
        return super().fingerprint() + sorted(nested)
