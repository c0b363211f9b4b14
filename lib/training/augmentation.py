"""Augmentation: small validated configurations that know how to draw themselves into a network's graph (S3.31).

They act on training batches alone. Another one is one class here and its name in `AnyAugmentation`.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:  # a configuration can be read, checked and hashed without loading a deep-learning library
    import keras

Seeds = Callable[[], int]  # another one at every call


class Frozen(BaseModel):
    """Unknown fields are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Augmentation(Frozen):
    """One kind of change, drawn anew for every image."""

    def operations(self, seeds: Seeds, channels: int) -> "list[keras.layers.Layer]":
        """Layers that do it, one after the other: (batch, size, size, channels) float32 in [0, 255] -> the same shape."""
        raise NotImplementedError


class Flip(Augmentation):
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

    def operations(self, seeds: Seeds, channels: int) -> "list[keras.layers.Layer]":
        """As `Augmentation.operations`."""
        from keras import layers

        # Keras' `horizontal_and_vertical` flips in both directions at once, or in none.
        directions = {"horizontal": self.horizontal, "vertical": self.vertical}
        return [layers.RandomFlip(name, seed=seeds()) for name, wanted in directions.items() if wanted]


class QuarterTurn(Augmentation):
    """Turned by 0, 90, 180 or 270 degrees, each as likely: no pixel is interpolated, none comes from outside."""

    kind: Literal["quarter_turn"] = "quarter_turn"

    def operations(self, seeds: Seeds, channels: int) -> "list[keras.layers.Layer]":
        """As `Augmentation.operations`."""
        from lib.training import operations

        return [operations.Quarters(seeds())]


class Rotation(Augmentation):
    """Turned by an angle drawn evenly from both directions."""

    kind: Literal["rotation"] = "rotation"
    turn: float = Field(default=0.1, gt=0, le=0.5)  # share of a full turn, the most in either direction

    def operations(self, seeds: Seeds, channels: int) -> "list[keras.layers.Layer]":
        """As `Augmentation.operations`."""
        from keras import layers

        return [layers.RandomRotation(self.turn, seed=seeds())]


class Zoom(Augmentation):
    """Enlarged or shrunk, both sides alike."""

    kind: Literal["zoom"] = "zoom"
    share: float = Field(default=0.1, gt=0, lt=1)  # the most in either direction

    def operations(self, seeds: Seeds, channels: int) -> "list[keras.layers.Layer]":
        """As `Augmentation.operations`."""
        from keras import layers

        return [layers.RandomZoom(self.share, seed=seeds())]


class Crop(Augmentation):
    """A random window, enlarged to the full size again."""

    kind: Literal["crop"] = "crop"
    share: float = Field(default=0.1, gt=0, lt=1)  # of a side that is cut away (S3.31: 20 of 204 pixels)

    def operations(self, seeds: Seeds, channels: int) -> "list[keras.layers.Layer]":
        """As `Augmentation.operations`."""
        from lib.training import operations

        return [operations.Window(self.share, seeds())]


class Colour(Augmentation):
    """Brightness and contrast, and of colour images the saturation, each changed at random."""

    kind: Literal["colour"] = "colour"
    brightness: float = Field(default=0.1, ge=0, lt=1)  # share of the range, the most in either direction
    contrast: float = Field(default=0.1, ge=0, lt=1)  # factor from 1 - contrast to 1 + contrast
    saturation: float = Field(default=0, ge=0, lt=1)  # likewise; grey images have none

    @model_validator(mode="after")
    def _acts(self) -> "Colour":
        if not (self.brightness or self.contrast or self.saturation):
            raise ValueError("colour: brightness, contrast and saturation are all 0, so nothing changes; raise one")
        return self

    def operations(self, seeds: Seeds, channels: int) -> "list[keras.layers.Layer]":
        """As `Augmentation.operations`."""
        from keras import layers

        found = []
        if self.brightness:
            found.append(layers.RandomBrightness(self.brightness, seed=seeds()))
        if self.contrast:
            found.append(layers.RandomContrast((self.contrast, self.contrast), seed=seeds()))
        if self.saturation and channels == 3:
            least, most = ((1 + side * self.saturation) / (2 + side * self.saturation) for side in (-1, 1))
            found.append(
                layers.RandomSaturation((least, most), seed=seeds())
            )  # Keras takes f, and multiplies by f / (1 - f)
        return found


class Cutout(Augmentation):
    """A square of the image's mean grey somewhere in it (DeVries and Taylor 2017, arXiv:1708.04552)."""

    kind: Literal["cutout"] = "cutout"
    share: float = Field(default=0.3, gt=0, lt=1)  # of a side

    def operations(self, seeds: Seeds, channels: int) -> "list[keras.layers.Layer]":
        """As `Augmentation.operations`."""
        from lib.training import operations

        return [operations.Square(self.share, seeds())]


class Noise(Augmentation):
    """Gaussian noise on every pixel."""

    kind: Literal["noise"] = "noise"
    deviation: float = Field(default=0.05, gt=0, le=1)  # share of the range

    def operations(self, seeds: Seeds, channels: int) -> "list[keras.layers.Layer]":
        """As `Augmentation.operations`."""
        from lib.training import operations

        return [operations.Grain(255 * self.deviation, seeds())]


AnyAugmentation = Annotated[
    Flip | QuarterTurn | Rotation | Zoom | Crop | Colour | Cutout | Noise, Field(discriminator="kind")
]


def connect(augmentations: Sequence[Augmentation], images: "keras.KerasTensor", seed: int) -> "keras.KerasTensor":
    """The augmentations in their order, in a network's graph; they act in training alone.

    images: (batch, size, size, channels) in [0, 255]; shape, type and range stay. seed: decides every draw.
    """
    for layer in _layers(augmentations, images.shape[-1], seed):
        images = layer(images)
    return images


def examples(
    augmentations: Sequence[Augmentation], image: np.ndarray, number: int, seed: int, threads: int
) -> np.ndarray:
    """What training may see of one image.

    image: (size, size, channels) uint8. threads: as the runs beside it have. Returns (number, size, size, channels) uint8,
    each drawn anew from the seed.
    """
    from lib.training import determinism

    determinism.fix(threads, seed)
    images = np.repeat(image[np.newaxis].astype(np.float32), number, axis=0)
    for layer in _layers(augmentations, image.shape[-1], seed):
        images = layer(images, training=True)
    return np.asarray(images).round().astype(np.uint8)


def _layers(augmentations: Sequence[Augmentation], channels: int, seed: int) -> "list[keras.layers.Layer]":
    from lib.training import operations

    generator = np.random.default_rng([seed, len(augmentations)])

    def seeds() -> int:
        return int(generator.integers(2**31))

    return [
        operations.InTraining(one.operations(seeds, channels), name=f"augmentation_{number}_{one.kind}")
        for number, one in enumerate(augmentations, start=1)
    ]
