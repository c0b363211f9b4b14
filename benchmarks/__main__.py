"""Measure everything, or what is named: `python -m benchmarks [NAME ...]`. A missed goal is a result, not a failure."""

import importlib
import os
import subprocess
import sys

from benchmarks import report
from lib import config

NAMES = (
    "augmentation",
    "explain",
    "feed_step",
    "feed_peer",
    "features",
    "manifest",
    "masks",
    "near_copies",
    "rebuild",
    "transfer",
)


def main(names: list[str]) -> int:
    """One name is measured here, several in a process of their own each: TensorFlow's threads are fixed once a process."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"benchmark {unknown[0]!r} does not exist; it is one of: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    if len(names) == 1:
        try:
            report.publish(names[0], importlib.import_module(f"benchmarks.{names[0]}").measure())
        except report.NotMeasured as error:
            print(f"benchmark {names[0]}: {error}", file=sys.stderr)
            return 1
        return 0
    commands = [[sys.executable, "-m", "benchmarks", name] for name in names or NAMES]
    return max(subprocess.run(command, cwd=config.REPOSITORY).returncode for command in commands)


if __name__ == "__main__":
    os.environ[config.BUILD_VARIABLE] = str(report.BOOK)  # measured on a book of their own
    os.environ.pop(config.DATA_VARIABLE, None)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.exit(main(sys.argv[1:]))
