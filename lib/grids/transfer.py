"""Chapter 9: networks by initialisation and strategy."""

from lib import backbones as registry
from lib import cards, config
from lib.grids import strategies
from lib.grids.study import Study, by_seed
from lib.training.configuration import Network

FEATURES = "features"
RANDOM, IMAGENET = "all from random", "all from ImageNet"
SLOWER = "slower below"
MOMENTUM = 0.9  # of batch normalisation's averages in them; the published 0.99 lags where steps are few (chapter 7)
WHOLES = {"none": 0, "first": 1, "every": None}  # networks that are trained as a whole: so many of them, or all
RULES = strategies.RULES | {
    "RATE_BY_BLOCK": ("1 at most", lambda rate, _: rate <= 1),
    "DEPTHS": ("numbers above 0: blocks unfrozen beside none", lambda depths, _: min(depths) > 0),
    "BACKBONE": (
        "one of BACKBONES whose weights can be had here, with the same weights",
        lambda entry, given: registry.network(*registry.start(entry)) in strategies.usable(given["BACKBONES"]).values(),
    ),
}


def transfer(
    dataset: str,
    backbones: list[str],
    feature_size: int,
    hidden: int,
    epochs: list[int],
    optimisers: list[str],
    rates: list[float],
    decay: float,
    patience: list[int],
    depths: list[int],
    rate_by_block: float,
    all_trained: str,
    all_size: int,
    all_epochs: int,
    measured_images: int,
    engine: str,
    seeds: list[int],
    threads: int,
    whole: bool = False,
) -> Study:
    """Every network with all blocks frozen and with its last ones unfrozen; some trained as a whole, from random weights too.

    all_trained: which networks are trained as a whole: `none`, `first` or `every`. They have images of their own size, with
    features of that size beside them. The first network also learns with rates that fall from block to block, where
    rate_by_block is less than 1. Networks whose weights cannot be had here are left out, unless `whole`.
    Source: S0.2-S0.4, S0.8, S4.6.
    """
    networks = strategies.usable(backbones, whole)
    card = cards.load(dataset)
    schedule = strategies.Schedule(epochs, optimisers, rates, decay, patience)
    common = strategies.stored(hidden, measured_images, engine, threads) | {"image_size": feature_size}
    as_a_whole = {"phases": schedule.everything(all_epochs), "image_size": all_size}
    as_a_whole |= {"storing": None, "engine": "keras"}  # nothing is frozen
    changes: dict[str, dict] = {}
    as_wholes = list(networks)[: WHOLES[config.one_of("ALL_TRAINED", all_trained, list(WHOLES))]]
    for name, pretrained in networks.items():
        learnt = {FEATURES: 0, **{last(depth): depth for depth in depths}}
        found = {(strategy, feature_size): {"phases": schedule.phases(depth)} for strategy, depth in learnt.items()}
        if not changes and rate_by_block < 1:
            slower = {"phases": schedule.phases(depths[-1], rate_by_block)}
            found[f"{last(depths[-1])}, {SLOWER}", feature_size] = slower
        if name in as_wholes:
            starts = {RANDOM: _averaging(registry.network(name, None)), IMAGENET: _averaging(pretrained)}
            found |= {(strategy, all_size): as_a_whole | {"network": start} for strategy, start in starts.items()}
            found[FEATURES, all_size] = found[FEATURES, feature_size] | {"image_size": all_size}
        changes |= {setting(name, *each): {"network": pretrained} | change for each, change in found.items()}
    return {name: by_seed(card, seeds, **common | change) for name, change in changes.items()}


def _averaging(network: Network) -> Network:
    return network.model_copy(update={"parameters": dict(network.parameters) | {"momentum": MOMENTUM}})


def last(depth: float) -> str:
    """The strategy that unfreezes so many blocks."""
    return f"last {depth:g}"


def setting(name: str, strategy: str, size: int) -> str:
    """A network with a strategy, on images of a size, pixels a side."""
    return f"{strategies.titled(name)}, {strategy}, {size} px"


def parents(study: Study) -> dict[str, str]:
    """Unfrozen blocks, and another size, are compared with features; ImageNet's weights with random ones.

    A network is compared with the first one.
    """
    found: dict[str, str] = {}
    for name in study:
        network, rest = name.split(", ", 1)
        strategy, size = rest.rsplit(", ", 1)
        above = next(other for other in study if other.startswith(f"{network}, {FEATURES}, "))
        if strategy == IMAGENET:
            above = f"{network}, {RANDOM}, {size}"
        elif strategy == RANDOM or above == name:
            above = next(other for other in study if other.endswith(f", {rest}"))
        elif strategy.endswith(SLOWER):
            above = f"{network}, {strategy.removesuffix(f', {SLOWER}')}, {size}"
        found |= {name: above} if above != name else {}
    return found
