"""The command behind `make study`: run a declared study, and put its page on the sites that have been built."""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lib import atomic, cards, chapters, combinations, config, custody, features, grids, protocols, runs, yardstick
from lib.site import build as site_build
from lib.site.notebook import SiteError

Waiting = list[tuple[str, int, Callable[[], runs.Run]]]  # name, seed, and what gets the run


def run(name: str) -> None:
    """What the study needs first, then its notebook, then the sites of its data set. Raises UserError for an unknown study."""
    declared = config.study_settings(name)
    config.settle_data()
    folder = config.build_folder() / declared.dataset
    prepared = config.Context(name, declared.dataset, "studies", folder / "studies", folder / "studies" / "prepared")
    if declared.features:
        yardstick.features_of(prepared, custody.yardstick_labels(prepared))
    else:
        train(prepared, declared)
    execute(name)
    print(f"study {name} has run: {folder / 'studies' / 'chapters' / f'study_{name}'}")
    for index in sorted(folder.glob("*/site/index.html")):
        site_build.build_site(index.parents[1], config.NOTEBOOKS, partial=True)
        print(f"its page: {index.with_name(f'study_{name}.html')}")


def train(context: config.Context, declared: config.Study) -> None:
    """The runs of the study's family, seed by seed; those that are there already are found.

    Prints after each run how long it took, and how much is left, judged by the settings measured so far. Raises UserError
    where a run cannot be trained as it is declared.
    """
    parameters = {"DATASET": declared.dataset, **declared.parameters}
    study = grids.family(declared.family, parameters)
    combinations.check([each for group in study.values() for each in group], parameters)
    asked = of_splits if declared.labels == "all" else of_settings
    waiting = asked(context, declared, study)
    seconds: dict[str, float] = {}
    for number, (name, seed, get) in enumerate(waiting, start=1):
        print(f"{number} of {len(waiting)}: {name}, seed {seed}", flush=True)
        seconds[name] = get().record["training_seconds"]
        usual = sum(seconds.values()) / len(seconds)
        left = sum(seconds.get(other, usual) for other, _, _ in waiting[number:])
        print(
            f"  trained in {seconds[name]:.0f} s; about {left / 60:.0f} minutes of training at most are left",
            flush=True,
        )


def of_settings(context: config.Context, declared: config.Study, study: grids.Study) -> Waiting:
    """Every setting, seed by seed, on the development parts of a book."""
    book = config.of_book(context, declared.parameters["PROFILE"])
    rounds = zip(*study.values(), strict=True)
    return [
        (name, each.seed, partial(runs.get, each, book))
        for seed in rounds
        for name, each in zip(study, seed, strict=True)
    ]


def of_splits(context: config.Context, declared: config.Study, study: grids.Study) -> Waiting:
    """Every kind of split, split by split, on all images."""
    card, images, given = cards.load(declared.dataset), custody.yardstick_labels(context), declared.parameters
    kinds = protocols.divided(images, card, given["TEST_SHARES"], given["TUNING_SHARE"], given["SPLITS"], given["SEED"])
    (group,) = study.values()
    return [
        (name, each.seed, partial(protocols.trained, parts[number], images, each, card, context))
        for number, each in enumerate(group)
        for name, parts in kinds.items()
    ]


def execute(name: str) -> None:
    """Run the notebook into `studies/chapters/study_<name>/`; its record says which labels it saw."""
    declared = config.study_settings(name)
    root, notebook = config.build_folder() / declared.dataset / "studies", f"study_{name}"
    context = config.Context(notebook, declared.dataset, "studies", root, root / "chapters" / notebook)

    def labels(output: Path) -> dict[str, Any]:
        if declared.labels == "development":
            book = config.of_book(context, declared.parameters["PROFILE"])
            return {"data_hash": custody.data_sha256(book), "labels": "of the development parts alone"}
        used = atomic.read_json(output / "labels_used.json")
        return {"data_hash": used["sha256"], "labels": f"{used['labels']}: {used['images']:,}"}

    chapters.execute_recorded(context, {"DATASET": declared.dataset, **declared.parameters}, labels)


def main(name: str) -> int:
    """Returns the exit status; a mistake is one line."""
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        run(name)
    except config.UserError as error:
        print(error, file=sys.stderr)
        return 2
    except (chapters.ChapterFailed, features.FeaturesFailed, SiteError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or [""]))
