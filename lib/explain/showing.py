"""What figures of maps show: which images, with which maps of which networks, under which names."""

from collections.abc import Mapping, Sequence

import numpy as np

from lib.explain import names
from lib.explain.subjects import Subject, below

FLAG = "⚑"
Row = tuple[np.ndarray, np.ndarray | None]  # images (n, size, size, channels) uint8, and maps (n, size, size) or None


def titled(method: str, flags: Mapping[str, str]) -> str:
    """A method's name, with a flag and what it failed where it failed something. CAM fails what Grad-CAM fails: they are one
    map wherever both exist."""
    failed = flags.get("grad_cam" if method == "cam" else method)
    return f"{names.title(method)} {FLAG} {failed}" if failed else names.title(method)


def said_of(methods: Sequence[str], flags: Mapping[str, str], tried_on: str) -> str:
    """What stands above a figure of some methods: each with its flag, and the network that it was tried on; HTML of plotly."""
    return "<br>".join([*(titled(method, flags) for method in methods), f"(tried on {tried_on})"])


def accepted(subjects: Mapping[str, Subject]) -> list[str]:
    """Methods that can explain every one of these networks."""
    return [name for name in names.METHODS if all(name in each.explainer.methods for each in subjects.values())]


def to_choose_from(
    subjects: Mapping[str, Subject], images: Mapping[str, str], methods: Sequence[str]
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, dict[str, dict[str, np.ndarray]]]]:
    """Pictures and maps for `plots.chooser`: network -> image, and method -> network -> image, for the class decided for.

    images: what an image is called -> its name among the validation images.
    """
    seen = {title: each.images(list(images.values())) for title, each in subjects.items()}
    pictures = {
        title: {name: one.squeeze() for name, one in zip(images, each, strict=True)} for title, each in seen.items()
    }
    maps = {
        names.title(method): {
            title: dict(zip(images, each.explainer.maps(method, seen[title]), strict=True))
            for title, each in subjects.items()
        }
        for method in methods
    }
    return pictures, maps


def of_methods(
    found: Mapping[str, np.ndarray], images: np.ndarray, methods: Sequence[str], flags: Mapping[str, str]
) -> dict[str, Row]:
    """The images, and below them the maps of each method under its flagged name. found: method -> (n, height, width)."""
    return {"image": (images, None)} | {titled(name, flags): (images, found[name][: len(images)]) for name in methods}


def of_networks(
    subjects: Mapping[str, Subject], rows: Sequence[str], classes: Sequence[str], method: str
) -> tuple[dict[str, Row], list[list[str]]]:
    """What every network looks at in some images, for the class that it decides for, and the lines below each row.

    rows: names of images that all networks were asked about.
    """
    seen = {title: each.images(rows) for title, each in subjects.items()}
    found = {title: (seen[title], each.explainer.maps(method, seen[title])) for title, each in subjects.items()}
    return found, [below(each, rows, classes) for each in subjects.values()]


def at_both_sizes(
    pair: Mapping[str, Subject],
    rows: Sequence[str],
    labels: Sequence[int],
    methods: Sequence[str],
    classes: Sequence[str],
) -> tuple[dict[str, Row], list[list[str]]]:
    """Images of two sizes, one below the other, each with its maps for the class that they are of.

    pair: name of a size -> network. rows: names of images. Returns row -> images (n, size, size, channels) uint8 and maps (n,
    size, size), None where images are shown as they are; and the lines below each row.
    """
    found, lines = {}, []
    for size, each in pair.items() if len(rows) else ():
        images = each.images(list(rows))
        found[size] = images, None
        lines.append(below(each, rows, classes))
        for method in methods:
            found[f"{size}, {names.title(method)}"] = images, each.explainer.maps(method, images, np.array(labels))
            lines.append([])
    return found, lines
