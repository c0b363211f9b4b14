"""Augmentation: small validated configurations that know how to draw themselves into a network's graph (S3.31).

They act on training batches alone. Another one is one class here and its name in `AnyAugmentation`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Frozen(BaseModel):
    """Unknown fields are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Flip(Frozen):
    """Mirrored at random."""

    kind: Literal["flip"] = "flip"
    horizontal: bool = True
    vertical: bool = True

    @model_validator(mode="after")
    def _acts(self) -> "Flip":
        if not (self.horizontal or self.vertical):
            raise ValueError(
                "flip: neither horizontal nor vertical, so nothing is flipped; choose one, or leave it out"
            )
        return self


class Rotation(Frozen):
    """Turned by an angle drawn evenly from both directions."""

    kind: Literal["rotation"] = "rotation"
    turn: float = Field(default=0.1, gt=0, le=0.5)  # share of a full turn, the most in either direction


class Zoom(Frozen):
    """Enlarged or shrunk, both sides alike."""

    kind: Literal["zoom"] = "zoom"
    share: float = Field(default=0.1, gt=0, lt=1)  # the most in either direction


class Crop(Frozen):
    """A random window, enlarged to the full size again."""

    kind: Literal["crop"] = "crop"
    share: float = Field(default=0.1, gt=0, lt=1)  # of a side that is cut away (S3.31: 20 of 204 pixels)


class Colour(Frozen):
    """Brightness and contrast, and of colour images the saturation, each changed at random."""

    kind: Literal["colour"] = "colour"
    brightness: float = Field(default=0.1, ge=0, lt=1)  # share of the range, the most in either direction
    contrast: float = Field(default=0.1, ge=0, lt=1)  # factor from 1 - contrast to 1 + contrast
    saturation: float = Field(default=0, ge=0, lt=1)  # likewise; grey images have none


class Cutout(Frozen):
    """A square of the image's mean grey somewhere in it (DeVries and Taylor 2017, arXiv:1708.04552)."""

    kind: Literal["cutout"] = "cutout"
    share: float = Field(default=0.3, gt=0, lt=1)  # of a side


class Noise(Frozen):
    """Gaussian noise on every pixel."""

    kind: Literal["noise"] = "noise"
    deviation: float = Field(default=0.05, gt=0, le=1)  # share of the range


AnyAugmentation = Annotated[Flip | Rotation | Zoom | Crop | Colour | Cutout | Noise, Field(discriminator="kind")]
