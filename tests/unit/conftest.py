"""Shared by the unit tests: a tiny data set, build folders of their own, copies of the sources, processes to kill."""

import multiprocessing
import os
import runpy
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from lib import cards, config, custody
from lib.training.configuration import Configuration, Network, Phase
from tests.data import TREES, Planted

elpv_like = runpy.run_path(str(Path(__file__).parents[1] / "data" / "elpv_like.py"))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """TensorFlow's threads are fixed once a process, before any test computes something."""
    from lib.training import determinism

    determinism.fix(threads=1, seed=7)


@pytest.fixture
def stopped(monkeypatch) -> Callable[[int], AbstractContextManager[None]]:
    """`with stopped(after=2)`: training inside is killed once its state has been saved so many times."""
    from lib.training import checkpoint

    @contextmanager
    def killed(after: int) -> Iterator[None]:
        saved, save = [], checkpoint.save

        def save_and_stop(*arguments: object) -> None:
            save(*arguments)
            saved.append(1)
            if len(saved) == after:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(checkpoint, "save", save_and_stop)
            yield

    return killed


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory) -> Path:
    """The tiny data set: 16 groups of 8 images; never changed."""
    return elpv_like["write"](tmp_path_factory.mktemp("elpv_like"))


@pytest.fixture(scope="session")
def planted(tmp_path_factory) -> Callable[[str], Planted]:
    """`planted(name)`: the tree of this name in `tests.data.TREES`, written once; never changed."""
    written = {}

    def get(name: str) -> Planted:
        if name not in written:
            try:
                written[name] = TREES[name](tmp_path_factory.mktemp("tree"), 7)
            except OSError as error:
                if name not in ("folder hostile", "folder undecodable_name", "folder links"):
                    raise
                pytest.skip(f"this file system refuses such names: {error}")
        return written[name]

    return get


@pytest.fixture
def changeable_data(data_folder, tmp_path, monkeypatch) -> Path:
    """A copy of it that a test may change."""
    folder = shutil.copytree(data_folder, tmp_path / "changeable")
    monkeypatch.setenv(config.DATA_VARIABLE, str(folder))
    return folder


@pytest.fixture
def book(data_folder, tmp_path, monkeypatch) -> Callable[[str], config.Context]:
    """`book(profile)`: the context of a chapter on the tiny data set, in a build folder of this test."""
    monkeypatch.setenv(config.BUILD_VARIABLE, str(tmp_path / "build"))
    monkeypatch.setenv(config.DATA_VARIABLE, str(data_folder))
    monkeypatch.delenv(config.OUTPUT_VARIABLE, raising=False)
    return lambda profile="cpu": config.chapter("test", "elpv", profile)


@pytest.fixture(scope="session")
def configuration() -> Callable[..., Configuration]:
    """`configuration(**changes)`: a run of a second on the tiny data set."""
    settings = {
        "dataset": "elpv",
        "recipe": cards.load("elpv").recipe,
        "image_size": 18,
        "network": Network(family="simple", parameters={"filters": [4, 4]}),
        "phases": (Phase(epochs=1, learning_rate=0.01),),
        "batch_size": 16,
        "seed": 5,  # with others all units of so small a network may be dead, and every image gets one score
    }
    return lambda **changes: Configuration.model_validate(settings | changes)


@pytest.fixture(scope="session")
def prepared(data_folder, tmp_path_factory) -> Path:
    """Root of a book whose data are prepared; never changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(config.BUILD_VARIABLE, str(tmp_path_factory.mktemp("build")))
        patch.setenv(config.DATA_VARIABLE, str(data_folder))
        custody.prepare("elpv", "cpu")
        return config.book_root("elpv", "cpu")


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A copy of the sources that a test may change; `python(code, folder=checkout)` runs there."""
    folder = tmp_path / "checkout"
    for name in ("lib", "params", "notebooks"):
        shutil.copytree(config.REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def interpreter(code: str, *arguments: object, folder: Path = config.REPOSITORY) -> subprocess.CompletedProcess:
    """Run code in a fresh interpreter that imports from `folder` first."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture
def python() -> Callable[..., str]:
    """`python(code, *arguments, folder=...)`: what code prints in a fresh interpreter."""

    def run(*arguments: object, **named: Path) -> str:
        done = interpreter(*arguments, **named)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def python_dies() -> Callable[..., None]:
    """`python_dies(code, *arguments)`: run code that kills its own process."""

    def run(*arguments: object) -> None:
        done = interpreter(*arguments)
        assert done.returncode == -signal.SIGKILL, done.stderr

    return run


@pytest.fixture(scope="session")
def fork_server() -> multiprocessing.context.ForkServerContext:
    """Processes that start with TensorFlow loaded: killing ten of them costs one import."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["lib.runs", "lib.training.train", "sklearn.metrics"])
    return server


@pytest.fixture
def child(fork_server, tmp_path) -> Callable[[str], multiprocessing.Process]:
    """`child(code)`: start code in a process of its own, with the environment of now; killed when the test ends."""
    started = []

    def start(code: str) -> multiprocessing.Process:
        script = tmp_path / f"child{len(started)}.py"
        environment = {name: value for name, value in os.environ.items() if name.startswith("BOOK_")}
        header = f"import os, tempfile\nos.environ.update({environment!r})\ntempfile.tempdir = {str(tmp_path)!r}\n"
        script.write_text(header + textwrap.dedent(code))
        process = fork_server.Process(target=runpy.run_path, args=(str(script),))
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.fixture
def reads_past():
    """`reads_past(network, end)`: whether what comes after the layer `end` reads anything from before it."""

    def follow(network, end: str) -> bool:
        inputs = {id(tensor) for tensor in network.inputs}
        waiting, seen = list(network.outputs), set()
        while waiting:
            tensor = waiting.pop()
            operation, node, _ = tensor._keras_history
            if id(tensor) in seen or operation.name == end:
                continue
            if id(tensor) in inputs:
                return True
            seen.add(id(tensor))
            waiting += operation._inbound_nodes[node].input_tensors
        return False

    return follow
