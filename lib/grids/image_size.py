"""Chapter 11: the same networks on images of several sizes."""

from itertools import product

from lib import cards
from lib.grids import strategies
from lib.grids.study import Study, by_seed
from lib.steps import Recipe, Resize

COARSE = "coarse"  # as large, with the detail of the smallest
SHARED = " % of all"  # behind a share of the training images
RULES = strategies.RULES | {
    "SIZES": (
        "two or more sizes, from small to large",
        lambda sizes, _: len(sizes) > 1 and sizes == sorted(set(sizes)),
    ),
    "TIMED_SHARES": ("numbers between 0 and 1", lambda shares, _: 0 < min(shares) <= max(shares) < 1),
}


def image_size(
    dataset: str,
    backbones: list[str],
    sizes: list[int],
    hidden: int,
    epochs: list[int],
    optimisers: list[str],
    rates: list[float],
    decay: float,
    patience: list[int],
    depths: list[int],
    timed_shares: list[float],
    measured_images: int,
    engine: str,
    seeds: list[int],
    threads: int,
    whole: bool = False,
) -> Study:
    """Every network and depth at every size: on the two extreme levels, where there are three or more, then on all.

    On all levels also at the largest size with images that were shrunk to the smallest one first; and, of the first network
    and the smallest depth and size, with shares of the training images, so that time by their number is measured.
    Networks whose weights cannot be had here are left out, unless `whole`. Source: S4.2, S4.8, S4.9, S3.35.
    """
    card = cards.load(dataset)
    schedule = strategies.Schedule(epochs, optimisers, rates, decay, patience)
    common = strategies.stored(hidden, measured_images, engine, threads)
    every_level = ("extreme", "all") if card.graded and len(card.level_names) > 2 else ("all",)
    study: Study = {}
    for levels, (name, network), blocks in product(every_level, strategies.usable(backbones, whole).items(), depths):
        here = common | {"levels": levels, "network": network, "phases": schedule.phases(blocks)}
        changes = {setting(name, blocks, levels, size): {"image_size": size} for size in sizes}
        if levels == "all" and len(sizes) > 1:
            blurred = {"image_size": max(sizes), "recipe": coarse(card.recipe, min(sizes))}
            changes[setting(name, blocks, COARSE, max(sizes))] = blurred
        if levels == "all" and blocks == min(depths) and not any(SHARED in each for each in study):
            fewer = {
                f"{100 * share:g}{SHARED}": {"image_size": min(sizes), "train_share": share} for share in timed_shares
            }
            changes |= {setting(name, blocks, images, min(sizes)): change for images, change in fewer.items()}
        study |= {title: by_seed(card, seeds, **here | change) for title, change in changes.items()}
    return study


def setting(network: str, blocks: float, images: str, size: int) -> str:
    """A network with its strategy, on the images of some levels, or coarse ones, at a size."""
    strategy = f"last {blocks:g}" if blocks else "features"
    return f"{strategies.titled(network)}, {strategy}, {images}, {size} px"


def parents(study: Study) -> dict[str, str]:
    """A size is compared with the smallest one on the same images; coarse images, or fewer, with all others of their size."""
    found, smallest = {}, {}
    for name in study:
        before, images, size = name.rsplit(", ", 2)
        if images == COARSE or images.endswith(SHARED):
            found[name] = f"{before}, all, {size}"
        elif (parent := smallest.setdefault((before, images), name)) != name:
            found[name] = parent
    return found


def coarse(recipe: Recipe, size: int) -> Recipe:
    """The recipe with images brought to a smaller size just before they get that of the run: pixels per side."""
    last = max(place for place, step in enumerate(recipe) if isinstance(step, Resize))
    return (*recipe[:last], Resize(size=size), *recipe[last:])
