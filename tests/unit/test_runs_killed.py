"""Runs in processes of their own: killed at any moment they are absent or whole, and go on to the very same result."""

import json
import random
import shutil
import signal
import time

import h5py
import numpy as np
import pytest

from lib import config, runs
from lib.training.configuration import Phase

RUN = """
    import os, pathlib, signal
    import numpy as np
    from lib import atomic, config, runs
    from lib.training import train
    from lib.training.configuration import Configuration
    root, patience = pathlib.Path({root!r}), [{patience}]
    def dying(real):
        def call(*arguments, **named):
            patience[0] -= 1
            if not patience[0]:
                arguments[0].write_bytes(b"half")
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)
        return call
    def counted(*arguments, real=train.train):
        with (root / "trained").open("a") as file:
            file.write("x")
        return real(*arguments)
    train.train = counted
    {patch}
    context = config.Context("test", "elpv", "cpu", root, root / "output")
    runs.get(Configuration.model_validate_json({configuration!r}), context)
"""


@pytest.fixture(scope="module")
def asked(configuration):
    """Two phases of many short epochs, the first on stored answers: there is something to interrupt."""
    head = Phase(epochs=11, learning_rate=0.01, unfrozen=0)
    return configuration(phases=(head, Phase(epochs=12, optimiser="sgd")), storing={})


@pytest.fixture(scope="module")
def expected(prepared, data_folder, asked, tmp_path_factory):
    """The same run without interruption, in this process."""
    root = shutil.copytree(prepared, tmp_path_factory.mktemp("expected") / "cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(config.DATA_VARIABLE, str(data_folder))
        return runs.get(asked, config.Context("test", "elpv", "cpu", root, root / "output"))


@pytest.fixture
def start(prepared, book, child, asked, tmp_path):
    """`start(patch, patience)`: ask for the run in a process of its own."""
    root = shutil.copytree(prepared, tmp_path / "cpu")

    def start(patch: str = "", patience: int = 0):
        return child(RUN.format(root=str(root), patience=patience, patch=patch, configuration=asked.model_dump_json()))

    return start


def assert_equal_bit_for_bit(folder, expected: runs.Run) -> None:
    run = runs.Run(folder)
    assert run.record["history"] == expected.record["history"]
    for name in ("predictions.parquet", "dynamics.npy"):
        assert (folder / name).read_bytes() == (expected.folder / name).read_bytes(), name
    assert weights(folder) == weights(expected.folder)
    assert {path.name for path in folder.iterdir()} == {*runs.FILES, "record.json"}


def weights(folder) -> dict[str, bytes]:
    found = {}
    with h5py.File(folder / "model.weights.h5") as file:
        file.visititems(lambda name, item: found.update({name: item[()].tobytes()} if hasattr(item, "dtype") else {}))
    return found


def saved_epoch(folder) -> int:
    with np.load(folder.with_name(f"partial-{folder.name}") / "state.npz") as state:
        return json.loads(str(state["progress"]))["epoch"]


def test_killed_at_random_moments_it_goes_on_to_the_same_bits(start, expected, tmp_path):
    """Killed three times, each time after it has come further; what is there is nothing or a whole run."""
    folder = tmp_path / "cpu" / "runs" / expected.key
    state = folder.with_name(f"partial-{folder.name}") / "state.npz"
    epochs = [0]
    for _ in range(3):
        before, process = state.stat().st_mtime_ns if state.exists() else 0, start()
        while process.is_alive() and not (state.exists() and state.stat().st_mtime_ns > before):
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.15))
        process.kill()
        process.join()
        if folder.exists():
            break
        epochs.append(saved_epoch(folder))
    assert epochs == sorted(set(epochs)) and len(epochs) > 2, "it was not interrupted, or did not go on"
    final = start()
    final.join(60)
    assert final.exitcode == 0
    assert_equal_bit_for_bit(folder, expected)


@pytest.mark.parametrize(
    ("patch", "patience", "left"),
    [  # the state at the end of the first phase; all is there but the record, the fourth: three of answers come before it
        ("np.savez = dying(np.savez)", 11, {"state.npz"}),
        ("pathlib.Path.write_text = dying(pathlib.Path.write_text)", 4, set(runs.FILES)),
    ],
)
def test_killed_in_the_middle_of_a_file_it_goes_on_to_the_same_bits(start, expected, tmp_path, patch, patience, left):
    folder = tmp_path / "cpu" / "runs" / expected.key
    killed = start(patch, patience)
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL and not folder.exists()
    partial = folder.with_name(f"partial-{folder.name}")
    assert {path.name for path in partial.iterdir() if not path.name.startswith(".")} == left
    assert "state.npz" not in left or saved_epoch(folder) == 10
    final = start()
    final.join(60)
    assert final.exitcode == 0
    assert_equal_bit_for_bit(folder, expected)


def test_two_processes_train_a_key_once(start, expected, tmp_path):
    processes = [start(), start()]
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert (tmp_path / "cpu" / "trained").read_text() == "x"
    assert_equal_bit_for_bit(tmp_path / "cpu" / "runs" / expected.key, expected)
