"""The command behind `make book`: check what was asked, serve, build `smoke` first, then the real profile."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import filelock

from lib import atomic, cards, config, external, graph, ledger, processes
from lib.custody.__main__ import DATA_ERROR
from lib.site import serve, statements

DEFAULT_DATASET = "elpv"
INTERRUPTED = 130  # exit status after Ctrl-C
GPUS = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]


def main() -> int:
    """Build a book; returns the exit status."""
    parser = argparse.ArgumentParser(prog="make book")
    for name in ("dataset", "profile"):
        parser.add_argument(f"--{name}", required=name == "profile", default="")
    parser.add_argument("--data", default=os.environ.get(config.DATA_VARIABLE, ""))
    parser.add_argument("--external", default=os.environ.get(external.NAME_VARIABLE, ""))
    parser.add_argument("--external-data", default=os.environ.get(external.FOLDER_VARIABLE, ""))
    parser.add_argument("--jobs", default=str(os.cpu_count()))
    parser.add_argument("--port", default="8765")
    parser.add_argument("--no-serve", action="store_true", help="nobody reads before the whole site is built")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before TensorFlow is loaded
    try:
        return build(arguments)
    except config.UserError as error:
        print(error, file=sys.stderr)
        return 2


def build(arguments: argparse.Namespace) -> int:
    """Raises UserError for values that do not exist, or when the same book is being built already."""
    jobs, port = _whole("JOBS", arguments.jobs, 10_000), _whole("PORT", arguments.port, 65_535)
    config.one_of("PROFILE", arguments.profile, config.PROFILES)
    os.environ[config.DATA_VARIABLE] = arguments.data
    config.settle_data()
    external.settle(arguments.external, arguments.external_data)
    arguments.dataset = arguments.dataset or [*config.own_dataset(), DEFAULT_DATASET][0]
    profiles = _profiles(arguments.dataset, arguments.profile)
    _check_files(arguments.dataset, profiles)
    address = None if arguments.no_serve else serve.start(config.build_folder(), port)
    for profile in profiles:
        page = f"{arguments.dataset}/{profile}/site/"
        if address:
            print(f"building {profile}: pages appear at {address}{page}", flush=True)
        if status := _build_profile(arguments.dataset, profile, jobs, served=bool(address)):
            return status
        print(
            f"{profile} is built: {address + page if address else config.book_root(arguments.dataset, profile) / 'site'}"
        )
    return 0


def _check_files(dataset: str, profiles: list[str]) -> None:
    """What can be told before the data are read: raises UserError for cards, rules, decisions and parameters."""
    card = cards.load(dataset)
    card.reader.location()
    ledger.policy(card.policy)
    ledger.overrides(dataset)
    statements.of(dataset)
    if external.asked():
        external.card(external.asked(), dataset)
    for profile in profiles:
        graph.check_parameters(dataset, profile)


def _profiles(dataset: str, profile: str) -> list[str]:
    """`smoke` first when nothing of this data set was ever built: something to look at within minutes."""
    anything = any((config.build_folder() / dataset).glob("*/site/index.html"))
    return [profile] if anything or profile == "smoke" else ["smoke", profile]


def snakemake_command(dataset: str, profile: str, jobs: int, served: bool) -> list[str]:
    """The call of Snakemake that brings a book up to date: by content and parameters, not by dates alone.

    served: pages are shown as soon as their chapter has run; else the site is built once, at the end.
    """
    command = ["snakemake", "--cores", str(jobs), "--resources", f"gpu={max(1, _gpus())}", "--nolock"]
    command += ["--rerun-incomplete", "--rerun-triggers", "mtime", "params", "input"]
    command += ["--max-checksum-file-size", "1000000", "--config", f"dataset={dataset}", f"profile={profile}"]
    command += [f"served={int(served)}"]
    return command


def _build_profile(dataset: str, profile: str, jobs: int, served: bool) -> int:
    """The data first: a mistake of the user's in them is the last thing that is said, and leaves no empty book behind."""
    root = config.book_root(dataset, profile)
    mistake = root / DATA_ERROR
    try:
        with atomic.lock(root / "book.lock").acquire(timeout=0):
            mistake.unlink(missing_ok=True)
            command = snakemake_command(dataset, profile, jobs, served)
            if processes.run([*command, "--quiet", "all", "--", str(root / "data" / "data.json")]) and mistake.exists():
                _remove_empty(root)
                return 2
            status = processes.run([*command, "--quiet", "host", "reason", "rules"])
    except filelock.Timeout:
        raise config.UserError(f"the {profile} book of {dataset} is being built already; wait for it to end") from None
    except KeyboardInterrupt:
        print("\nstopped; what was finished stays, and the same command goes on from there", file=sys.stderr)
        return INTERRUPTED
    if status:
        print(f"the {profile} book stopped; what failed, and where its log is, stands above", file=sys.stderr)
    return status


def _remove_empty(root: Path) -> None:
    """Remove the folder of a book that never had data; what was read of the images stays beside it."""
    if not (root / "data" / "data.json").exists() and not (root / "site").exists():
        shutil.rmtree(root)
        if not any(root.parent.iterdir()):
            root.parent.rmdir()


def _gpus() -> int:
    try:
        return len(subprocess.run(GPUS, capture_output=True, text=True).stdout.splitlines())
    except OSError:
        return 0


def _whole(name: str, value: str, most: int) -> int:
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= most):
        raise config.UserError(f"{name}={value!r} is not possible; {name} is a whole number from 1 to {most}")
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
