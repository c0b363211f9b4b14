"""The command behind `make study`: run a declared study, and put its page on the sites that have been built.

A study that trains shows a page as soon as two repetitions of every setting are there, and renews it after each further one.
"""

import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from lib import atomic, cards, chapters, combinations, config, custody, features, grids, protocols, runs, yardstick
from lib.site import build as site_build
from lib.site.notebook import SiteError

Round = list[tuple[str, int, Callable[[], runs.Run]]]  # name, seed, and what gets the run; each setting once
ROUNDS_SHOWN = 2  # repetitions from which on there is something to show: one split has no interval


def run(name: str) -> None:
    """What the study needs first, then its notebook, then the sites of its data set. Raises UserError for an unknown study."""
    declared = config.study_settings(name)
    config.settle_data()
    folder = config.build_folder() / declared.dataset
    prepared = config.Context(name, declared.dataset, "studies", folder / "studies", folder / "studies" / "prepared")
    if declared.features:
        yardstick.features_of(prepared, custody.yardstick_labels(prepared))
        show(name, declared.parameters)
    else:
        for rounds in train(prepared, declared):
            show(name, with_rounds(declared, rounds))


def show(name: str, parameters: dict[str, Any]) -> None:
    """Run the study's notebook, and put its page on the sites of its data set."""
    execute(name, parameters)
    folder = config.build_folder() / config.study_settings(name).dataset
    print(f"study {name} has run: {folder / 'studies' / 'chapters' / f'study_{name}'}", flush=True)
    for index in sorted(folder.glob("*/site/index.html")):
        site_build.build_site(index.parents[1], config.NOTEBOOKS, partial=True)
        print(f"its page: {index.with_name(f'study_{name}.html')}", flush=True)


def train(context: config.Context, declared: config.Study) -> Iterator[int]:
    """The runs of the study's family, seed by seed; those that are there already are found.

    Yields the number of rounds that are whole, whenever there is more to show: after each round that trained something, from
    the second on, and after the last. Prints after each run how long it took, and how much is left, judged by the settings
    measured so far. Raises UserError where a run cannot be trained as it is declared.
    """
    parameters = {"DATASET": declared.dataset, **declared.parameters}
    study = grids.family(declared.family, parameters)
    combinations.check([each for group in study.values() for each in group], parameters)
    asked = of_splits if declared.labels == "all" else of_settings
    waiting = asked(context, declared, study)
    names = [name for each in waiting for name, _, _ in each]
    seconds: dict[str, float] = {}
    number = 0
    for rounds, each in enumerate(waiting, start=1):
        begun, anew = datetime.now(UTC).isoformat(timespec="seconds"), False
        for name, seed, get in each:
            number += 1
            print(f"{number} of {len(names)}: {name}, seed {seed}", flush=True)
            found = get()
            anew |= found.record["started"] >= begun
            seconds[name] = found.record["training_seconds"]
            usual = sum(seconds.values()) / len(seconds)
            left = sum(seconds.get(other, usual) for other in names[number:])
            print(
                f"  trained in {seconds[name]:.0f} s; about {left / 60:.0f} minutes of training at most are left",
                flush=True,
            )
        if rounds == len(waiting) or (rounds >= ROUNDS_SHOWN and anew):
            yield rounds


def of_settings(context: config.Context, declared: config.Study, study: grids.Study) -> list[Round]:
    """Every setting, seed by seed, on the development parts of a book."""
    book = config.of_book(context, declared.parameters["PROFILE"])
    return [
        [(name, each.seed, partial(runs.get, each, book)) for name, each in zip(study, seed, strict=True)]
        for seed in zip(*study.values(), strict=True)
    ]


def of_splits(context: config.Context, declared: config.Study, study: grids.Study) -> list[Round]:
    """Every kind of split, split by split, on all images."""
    card, images, given = cards.load(declared.dataset), custody.yardstick_labels(context), declared.parameters
    kinds = protocols.divided(images, card, given["TEST_SHARES"], given["TUNING_SHARE"], given["SPLITS"], given["SEED"])
    (group,) = study.values()
    return [
        [
            (name, each.seed, partial(protocols.trained, parts[number], images, each, card, context))
            for name, parts in kinds.items()
        ]
        for number, each in enumerate(group)
    ]


def with_rounds(declared: config.Study, rounds: int) -> dict[str, Any]:
    """The study's parameters with so many repetitions only: seeds of settings, or splits."""
    given = declared.parameters
    return given | ({"SPLITS": rounds} if "SPLITS" in given else {"SEEDS": given["SEEDS"][:rounds]})


def execute(name: str, parameters: dict[str, Any]) -> None:
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

    chapters.execute_recorded(context, {"DATASET": declared.dataset, **parameters}, labels)


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
