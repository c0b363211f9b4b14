"""Data changed on purpose: what a run sees when something is taken from it, or added (S3.21, S3.22, S3.30)."""

from dataclasses import replace

import numpy as np

from lib import atomic
from lib.training import defects
from lib.training.configuration import Configuration
from lib.training.data import Data, Part


def applied(configuration: Configuration, data: Data) -> Data:
    """The data as the run has them; the same object where nothing is changed.

    Training images are left out first, then drawn ones are added. Pixels are hidden in every part, labels shuffled and one
    batch chosen in the training part alone, all from the seed. Raises ValueError as `defects.added`.
    """
    control, seed = configuration.control, configuration.seed
    if configuration.train_share < 1:
        data = replace(data, train=fewer(data.train, configuration.train_share, seed))
    if configuration.drawn_defects:
        data = replace(data, train=defects.added(data.train, configuration.drawn_defects, seed)[0])
    if control.one_batch:
        data = replace(data, train=one_batch(data.train, configuration.batch_size, seed))
    if control.shuffled_labels:
        data = replace(data, train=shuffled(data.train, seed))
    if control.hidden:
        parts = data.parts().items()
        shown = {name: hidden(part, control.hidden, [seed, number]) for number, (name, part) in enumerate(parts)}
        data = replace(data, **shown)
    return data


def fewer(part: Part, share: float, seed: int) -> Part:
    """A share of each class, rounded up; what a smaller share keeps, a larger one of the same seed keeps too (S3.30)."""
    generator = np.random.default_rng(seed)
    places = [generator.permutation(np.flatnonzero(part.labels == label)) for label in np.unique(part.labels)]
    return part.chosen(np.sort(np.concatenate([some[: int(np.ceil(share * len(some)))] for some in places])))


def one_batch(part: Part, size: int, seed: int) -> Part:
    """At most `size` images of a part, with the classes in turn, so that each is there as often as another if it can be."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(part))
    labels = part.labels[order]
    turn = np.empty(len(part), int)
    for label in np.unique(labels):
        turn[labels == label] = np.arange(np.sum(labels == label))
    return part.chosen(np.sort(order[np.lexsort((labels, turn))[:size]]))


def shuffled(part: Part, seed: int) -> Part:
    """The same images and the same labels, no longer together."""
    return replace(part, labels=np.random.default_rng(seed).permutation(part.labels))


def hidden(part: Part, share: float, seed: list[int]) -> Part:
    """A copy with a share of each image's pixels black (0), the same ones in every epoch; 1: all of them."""
    pixels = part.pixels[part.rows]
    dark = np.random.default_rng(seed).random(pixels.shape[:3]) < share
    left = np.where(dark[..., np.newaxis], np.uint8(0), pixels)
    hashes = np.array([atomic.sha256(image.tobytes()) for image in left])
    return replace(part, pixels=left, rows=np.arange(len(part)), sha256=hashes)
