"""The command behind `make study`: run a declared study, and put its page on the sites that have been built."""

import os
import sys
from pathlib import Path
from typing import Any

from lib import atomic, chapters, config, custody, features, grids, runs, yardstick
from lib.site import build as site_build
from lib.site.notebook import SiteError


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

    Prints after each run how long it took, and how much is left, judged by the settings measured so far.
    """
    parameters = {"DATASET": declared.dataset, **declared.parameters}
    study = grids.family(declared.family, parameters)
    book = config.of_book(context, declared.parameters["PROFILE"])
    waiting = [
        (name, each) for seed in zip(*study.values(), strict=True) for name, each in zip(study, seed, strict=True)
    ]
    seconds: dict[str, float] = {}
    for number, (name, configuration) in enumerate(waiting, start=1):
        print(f"{number} of {len(waiting)}: {name}, seed {configuration.seed}", flush=True)
        record = runs.get(configuration, book).record
        seconds[name] = record["training_seconds"]
        left = sum(seconds.get(other, seconds[name]) for other, _ in waiting[number:])
        print(
            f"  trained in {seconds[name]:.0f} s; about {left / 60:.0f} minutes of training at most are left",
            flush=True,
        )


def execute(name: str) -> None:
    """Run the notebook into `studies/chapters/study_<name>/`; its record says which labels it saw."""
    declared = config.study_settings(name)
    root, notebook = config.build_folder() / declared.dataset / "studies", f"study_{name}"
    context = config.Context(notebook, declared.dataset, "studies", root, root / "chapters" / notebook)

    def labels(output: Path) -> dict[str, Any]:
        if not declared.features:
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
