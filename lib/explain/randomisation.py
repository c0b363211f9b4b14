"""Weights drawn anew from the logits down: what an explanation must notice, if it explains what the network has learned.

Source: Adebayo et al. 2018, "Sanity checks for saliency maps", arXiv:1810.03292, "cascading randomization".
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lib.explain.model import Network


def values(network: "Network", share: float, seed: int) -> list[np.ndarray]:
    """The variables of a network in their order, those of its last layers drawn anew.

    share: of the layers that have a kernel, counted from the logits, rounded up; 1: all. A deeper share begins with what a
    smaller one of the same seed has. Kernels are normal with mean 0 and their own root mean square, so that signals keep
    their size; vectors (biases, normalisation) are shuffled. Raises ValueError for a share outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; give a number from 0 to 1")
    drawn = {}
    for number, variables in enumerate(_last(network, share)):
        generator = np.random.default_rng([seed, number])
        drawn |= {id(variable): _anew(np.asarray(variable), generator) for variable in variables}
    return [drawn.get(id(variable), np.asarray(variable)) for variable in network.model.variables]


def depths(network: "Network", shares: Sequence[float]) -> dict[float, int]:
    """How many layers with a kernel are drawn anew at each share."""
    kernels = sum(map(_has_kernel, _from_the_logits(network)))
    return {share: math.ceil(round(share * kernels, 6)) for share in shares}


def _last(network: "Network", share: float) -> list[list]:
    """The variables of the layers to draw anew, layer by layer from the logits."""
    layers, wanted = _from_the_logits(network), depths(network, [share])[share]
    if share == 1:
        return layers
    found, kernels = [], 0
    for variables in layers:
        if kernels == wanted:
            break
        found.append(variables)
        kernels += _has_kernel(variables)
    return found


def _from_the_logits(network: "Network") -> list[list]:
    """Variables of each layer that has any, the layer nearest to the logits first; counters and states of chance left out."""
    found = []
    for operation in network.parts():
        floats = [v for v in getattr(operation, "weights", []) if str(v.dtype).startswith(("float", "bfloat"))]
        found += [floats] if floats else []
    return found[::-1]


def _has_kernel(variables: list) -> bool:
    return any(len(variable.shape) > 1 for variable in variables)


def _anew(value: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    if value.ndim < 2:
        return generator.permutation(value)
    return generator.normal(0, np.sqrt(np.mean(np.square(value, dtype=float))), value.shape).astype(value.dtype)
