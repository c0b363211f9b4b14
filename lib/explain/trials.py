"""Trials of methods on one network: do their maps change when the network does, and do marked pixels matter?"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from lib.explain import controls, curves, localisation, randomisation
from lib.explain.similarity import SIMILARITIES

if TYPE_CHECKING:
    from lib.explain.explainer import Explainer
    from lib.explain.subjects import Subject

SHARES = (0.01, 0.25, 0.5, 1.0)  # of the layers drawn anew: the logits alone, a quarter, the upper half, all
DRAWS, DRAWS_UNJUDGED = 4, 2  # of the noise in their place, each a trial of its own; no verdict rests on the fewer
Scores = dict[str, np.ndarray]  # method or control -> one number an image
Walks = dict[str, dict[str, np.ndarray]]  # method or control -> insertion and deletion, (n, steps + 1)


def cascade(
    explainer: "Explainer",
    methods: Sequence[str],
    images: np.ndarray,
    classes: np.ndarray,
    shares: Sequence[float],
    seeds: Sequence[int],
) -> dict[str, dict[str, np.ndarray]]:
    """How alike maps of the network as it is and of one with its last layers drawn anew are, the deeper the fewer.

    classes: (n,) int, to explain. shares: of the layers with a kernel, from the logits down, as `randomisation.values`.
    seeds: of the noise, one draw each. Returns similarity -> method -> (shares, seeds, n) float. The edge detector, which
    knows no network, would stay at one.
    """
    original = {method: explainer.maps(method, images, classes) for method in methods}
    shape = len(shares), len(seeds), len(images)
    found = {kind: {method: np.empty(shape) for method in methods} for kind in SIMILARITIES}
    for place in product(range(len(shares)), range(len(seeds))):
        values = randomisation.values(explainer.network, shares[place[0]], seeds[place[1]])
        for method in methods:
            changed = explainer.maps(method, images, classes, values)
            for kind, similarity in SIMILARITIES.items():
                found[kind][method][place] = similarity(original[method], changed)
    return found


def between(
    first: "Explainer", second: "Explainer", methods: Sequence[str], images: np.ndarray, classes: np.ndarray
) -> dict[str, Scores]:
    """How alike the maps of two networks for the same images and classes are: similarity -> method -> (n,) float.

    For a network that learned shuffled labels beside one that learned the right ones (Adebayo et al. 2018, "data
    randomization test").
    """
    pairs = {method: [each.maps(method, images, classes) for each in (first, second)] for method in methods}
    return {
        kind: {method: similarity(*pair) for method, pair in pairs.items()} for kind, similarity in SIMILARITIES.items()
    }


def walks(explainer: "Explainer", maps: Scores, images: np.ndarray, classes: np.ndarray) -> dict[str, Walks]:
    """Insertion and deletion by each method's maps: baseline -> method -> as `curves.curves`."""
    return {
        baseline: {method: curves.curves(explainer, images, classes, each, baseline) for method, each in maps.items()}
        for baseline in curves.BASELINES
    }


def gains(walked: Mapping[str, Walks]) -> dict[str, Scores]:
    """Insertion less deletion of what `walks` found: baseline -> method -> (n,) float, as `curves.gain`."""
    return {
        baseline: {method: curves.gain(each) for method, each in found.items()} for baseline, found in walked.items()
    }


def both_baselines(found: dict[str, Scores]) -> Scores:
    """The mean over baselines of what `gains` found: method -> (n,) float."""
    return {method: np.mean([each[method] for each in found.values()], axis=0) for method in found[curves.BASELINES[0]]}


def located(subject: "Subject", methods: Sequence[str], number: int, seed: int) -> tuple[dict[str, Scores], np.ndarray]:
    """How well maps for class 1 lie on defects drawn into sound images, beyond what the area of the defect gives by chance.

    Returns `pointing` and `energy` -> method or control -> (n,) float in [-1, 1], and groups (n,); nothing where no image is
    asked for, or none is sound.
    """
    from lib.explain import subjects

    images, masks, groups = subjects.with_defects(subject, number, seed)
    if not len(images):
        return {"pointing": {}, "energy": {}}, groups
    maps = maps_of(subject.explainer, methods, images, 1, seed)
    chance = localisation.area(localisation.near(masks)), localisation.area(masks)
    pointing = {name: localisation.pointing(each, masks) - chance[0] for name, each in maps.items()}
    return {
        "pointing": pointing,
        "energy": {n: localisation.energy_inside(m, masks) - chance[1] for n, m in maps.items()},
    }, groups


def maps_of(
    explainer: "Explainer", methods: Sequence[str], images: np.ndarray, classes: np.ndarray | int, seed: int
) -> Scores:
    """Maps of methods and of the controls: name -> (n, height, width) float32."""
    return {method: explainer.maps(method, images, classes) for method in methods} | controls.controls(images, seed)
