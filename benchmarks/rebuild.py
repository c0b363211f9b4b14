"""`make book PROFILE=smoke` when nothing changed: wall time of the whole command, on a book of its own."""

import os
import subprocess
from pathlib import Path

from benchmarks import report, subject
from lib import config
from lib.site import serve

REPEATS = 5
COMMAND = ["make", "--no-print-directory", "book", f"DATASET={subject.DATASET}", "PROFILE=smoke", "DATA="]
LOG = report.FOLDER / "rebuild.log"


def measure() -> list[report.Figure]:
    """Builds the book first where it is missing or old. Raises NotMeasured when a build fails or was not unchanged."""
    try:
        _make()
        before = _products()
        seconds = [report.seconds(_make) for _ in range(REPEATS)]
    finally:
        serve.stop(report.BOOK)
    if _products() != before:
        raise report.NotMeasured(
            "the book changed while its unchanged rebuild was timed; leave the files alone and repeat"
        )
    return [report.Figure("make book, nothing changed", "seconds", seconds, report.Goal("at most", 10))]


def _make() -> None:
    outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")  # what a `make bench` above us was told
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    with LOG.open("w") as log:
        status = subprocess.run(
            COMMAND, cwd=config.REPOSITORY, env=environment, stdout=log, stderr=subprocess.STDOUT
        ).returncode
    if status:
        raise report.NotMeasured(f"`{' '.join(COMMAND)}` failed with status {status}; see {LOG}")


def _products() -> dict[Path, int]:
    """Records and pages with the time of their last change."""
    root = config.book_root(subject.DATASET, "smoke")
    files = [*root.glob("*/*/record.json"), *root.glob("site/*.html"), *root.glob("data/*.json")]
    return {path: path.stat().st_mtime_ns for path in sorted(files)}
