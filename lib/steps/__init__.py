"""Preprocessing steps and recipes: small validated settings that know how to apply themselves (S0.5).

A recipe is a list of steps. The first ones turn one decoded image into uint8 pixels and are cached; the last ones (the
tail) are part of the network's graph. Another step is one class in a file of this folder, and its name in `AnyStep`.
"""

from typing import Annotated

from pydantic import Field

from lib.steps.channels import Colour, Grey, RepeatChannels
from lib.steps.contrast import Clahe, MinMax, Power
from lib.steps.crop import Crop
from lib.steps.hide import Hide
from lib.steps.mask import Mask
from lib.steps.noise import Median, NonLocalMeans
from lib.steps.recipe import (
    apply,
    cached_part,
    connect,
    final_range,
    fingerprint,
    graph_part,
    stages,
)
from lib.steps.resize import Resize
from lib.steps.scaling import GlobalContrastNormalisation, Rescale, ZScore
from lib.steps.stack import Stack
from lib.steps.step import GraphStep, PixelStep, Step
from lib.steps.thresholds import MultiOtsu, Otsu
from lib.steps.timing import images_per_second

AnyStep = Annotated[
    Grey
    | Colour
    | Resize
    | Crop
    | Mask
    | Hide
    | Clahe
    | MinMax
    | Power
    | Otsu
    | MultiOtsu
    | Median
    | NonLocalMeans
    | Stack
    | ZScore
    | GlobalContrastNormalisation
    | Rescale
    | RepeatChannels,
    Field(discriminator="step"),
]
Recipe = tuple[AnyStep, ...]
Stack.model_rebuild(_types_namespace={"AnyStep": AnyStep})  # its lists may hold any step, which are known only here

__all__ = [
    "AnyStep", "Clahe", "Colour", "Crop", "GlobalContrastNormalisation", "GraphStep", "Grey", "Hide", "Mask", "Median",
    "MinMax", "MultiOtsu", "NonLocalMeans", "Otsu", "PixelStep", "Power", "Recipe", "RepeatChannels", "Rescale", "Resize",
    "Stack", "Step", "ZScore", "apply", "cached_part", "connect", "final_range", "fingerprint", "graph_part",
    "images_per_second", "stages",
]  # fmt: skip
