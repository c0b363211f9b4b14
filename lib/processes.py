"""Run a program that starts others, so that all of them end with it; load libraries that talk."""

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import psutil

from lib import config


def run(command: Sequence[str]) -> int:
    """Exit status of a command, run in the repository. Ctrl-C, a signal to end and a closed terminal end its whole tree
    of processes without a word of theirs, and raise KeyboardInterrupt here.
    """
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    child = psutil.Popen(command, cwd=config.REPOSITORY, start_new_session=True)  # Ctrl-C reaches this process alone
    try:
        return child.wait()
    except KeyboardInterrupt:
        _end(child)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def load_quietly(name: str) -> None:
    """Import a module whose libraries write lines to standard error, past Python, that no setting of theirs stops."""
    if name in sys.modules:
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
        try:
            importlib.import_module(name)
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end(child: psutil.Popen) -> None:
    """Kill a process and all below it: files are written whole or not at all, and their own words would be a page long."""
    child.suspend()  # so that it starts no more of them
    everyone = [*child.children(recursive=True), child]
    for process in everyone:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(everyone, timeout=10)
