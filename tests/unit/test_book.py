"""A mistake in what was asked for is one line that says what exists, and exit status 2; nothing is built."""

import os
import shutil
import signal
import subprocess
import sys
import time

import filelock
import psutil
import pytest

from lib import book as command
from lib import config


def make_book(tmp_path, **asked: str) -> subprocess.CompletedProcess:
    arguments = {"dataset": "elpv", "profile": "smoke"} | asked
    options = [part for name, value in arguments.items() for part in (f"--{name}", value)]
    environment = os.environ | {config.BUILD_VARIABLE: str(tmp_path / "build")}
    line = [sys.executable, "-m", "lib.book", *options, "--no-serve"]
    return subprocess.run(line, cwd=config.REPOSITORY, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"profile": "huge"}, "PROFILE='huge' does not exist; PROFILE is one of: smoke, cpu, gpu"),
        ({"profile": ""}, "PROFILE='' does not exist; PROFILE is one of: smoke, cpu, gpu"),
        ({"dataset": "cats"}, "DATASET='cats' does not exist; DATASET is one of: cats_and_dogs, chest_xray, "),
        ({"dataset": "../elpv"}, "DATASET='../elpv' does not exist; DATASET is one of: cats_and_dogs, chest_xray, "),
        ({"jobs": "0"}, "JOBS='0' is not possible; JOBS is a whole number from 1 to 10000"),
        ({"jobs": "many"}, "JOBS='many' is not possible; JOBS is a whole number from 1 to 10000"),
        ({"jobs": "²"}, "JOBS='²' is not possible; JOBS is a whole number from 1 to 10000"),
        ({"data": "/no/such/folder"}, "DATA='/no/such/folder' is no folder; DATA is a folder that holds the images"),
    ],
)
def test_unknown_value_is_one_line_and_status_2(tmp_path, asked, line):
    done = make_book(tmp_path, **asked)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(line) and done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "build").exists()


def test_folder_without_the_data_is_one_line_and_status_2(tmp_path):
    (tmp_path / "empty").mkdir()
    done = make_book(tmp_path, data=str(tmp_path / "empty"))
    assert done.returncode == 2 and "empty has no folder data; DATA must be laid out as published" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def asked(book, monkeypatch):
    """`asked(*options)`: exit status of the command in this process; Snakemake is replaced by a list of its calls."""
    calls = []

    monkeypatch.setattr(command.processes, "run", lambda line: calls.append(line) or 0)

    def ask(*options: str) -> tuple[int, list[str]]:
        calls.clear()
        monkeypatch.setattr(sys, "argv", ["book", "--dataset", "elpv", "--no-serve", "--data", "", *options])
        status = command.main()
        profiles = [part.split("=")[1] for line in calls for part in line if part.startswith("profile=")]
        assert profiles[::2] == profiles[1::2]  # the data first, then the rest
        return status, profiles[::2]

    return ask


def test_smoke_comes_first_when_nothing_was_ever_built(asked):
    assert asked("--profile", "cpu") == (0, ["smoke", "cpu"])
    assert asked("--profile", "smoke") == (0, ["smoke"])


def test_smoke_is_left_out_once_there_is_a_site(asked, tmp_path):
    (tmp_path / "build" / "elpv" / "cpu" / "site").mkdir(parents=True)
    (tmp_path / "build" / "elpv" / "cpu" / "site" / "index.html").write_text("")
    assert asked("--profile", "cpu") == (0, ["cpu"])


def test_book_that_is_being_built_is_not_built_twice(asked, tmp_path, capsys):
    (tmp_path / "build" / "elpv" / "smoke").mkdir(parents=True)
    with filelock.FileLock(tmp_path / "build" / "elpv" / "smoke" / "book.lock"):
        status, built = asked("--profile", "smoke")
    assert status == 2 and built == []
    assert capsys.readouterr().err.strip() == "the smoke book of elpv is being built already; wait for it to end"


def test_failure_of_the_build_is_the_commands_failure(asked, monkeypatch, capsys):
    monkeypatch.setattr(command.processes, "run", lambda line: 1)
    status, _ = asked("--profile", "smoke")
    assert status == 1 and "the smoke book stopped" in capsys.readouterr().err


def test_relative_data_is_where_it_was_said(asked, data_folder, monkeypatch):
    """Chapters run in another folder."""
    monkeypatch.chdir(data_folder.parent)
    assert asked("--profile", "smoke", "--data", data_folder.name)[0] == 0
    assert os.environ[config.DATA_VARIABLE] == str(data_folder)
    monkeypatch.setenv("HOME", str(data_folder.parent))
    assert asked("--profile", "smoke", "--data", f"~/{data_folder.name}")[0] == 0
    assert os.environ[config.DATA_VARIABLE] == str(data_folder)


@pytest.fixture
def parameters(tmp_path, monkeypatch):
    """A copy of params/ that a test may change."""
    folder = shutil.copytree(config.PARAMETERS, tmp_path / "params")
    monkeypatch.setattr(config, "PARAMETERS", folder)
    return folder


@pytest.mark.parametrize(
    ("name", "old", "new", "line"),
    [
        ("datasets/elpv.yml", "citation", "citaton", "params/datasets/elpv.yml: citaton: Extra inputs"),
        (
            "datasets/elpv.yml",
            "licence",
            "policy: {blanc: {decision: keep, reason: x}}\nlicence",
            "policy of the card='blanc'",
        ),
        ("ledger.yml", "blank: {decision: drop", "blank: {decision: burn", "params/ledger.yml, blank: decision:"),
        (
            "datasets/elpv.csv",
            "",
            "kind,image,decision,reason\nblank,a,burn,x",
            "params/datasets/elpv.csv, line 2, decision=",
        ),
        ("datasets/elpv.csv", "", "kind;image", "params/datasets/elpv.csv: its columns are kind;image; expected"),
    ],
)
def test_mistake_in_a_file_is_one_line_before_anything_is_built(
    asked, parameters, capsys, name, old, new, line, tmp_path
):
    place = parameters / name
    place.write_text(place.read_text().replace(old, new, 1) if old else new)
    status, built = asked("--profile", "smoke")
    said = capsys.readouterr().err
    assert (status, built) == (2, []) and said.startswith(line) and said.count("\n") == 1, said
    assert not (tmp_path / "build").exists()


def test_mistake_in_the_data_leaves_no_empty_book_and_is_not_said_twice(asked, tmp_path, monkeypatch, capsys):
    root = tmp_path / "build" / "elpv" / "smoke"
    told = []

    def run(line):
        told.append((root / command.DATA_ERROR).exists())
        (root / command.DATA_ERROR).parent.mkdir(parents=True, exist_ok=True)
        (root / command.DATA_ERROR).write_text("the data step has said it\n")
        return 1

    monkeypatch.setattr(command.processes, "run", run)
    assert asked("--profile", "smoke")[0] == 2 and capsys.readouterr().err == ""
    assert told == [False] and not root.parent.exists()
    (root / "data").mkdir(parents=True)
    (root / "data" / "data.json").write_text("{}")
    for _ in range(2):  # a message of last time is gone when a build starts
        assert asked("--profile", "smoke")[0] == 2
    assert told == [False] * 3 and (root / "data" / "data.json").exists()


SLOW = """
import os, signal, subprocess, sys, time
name = "kernel" if sys.argv[1:] == ["kernel"] else "snakemake"
if name == "snakemake":  # a chapter's kernel is in a session of its own
    subprocess.Popen([sys.executable, __file__, "kernel"], start_new_session=True)
open(os.path.join(os.environ["BOOK_TEST_FOLDER"], name), "w").write(str(os.getpid()))
try:
    time.sleep(30)
finally:
    print("many lines of traceback", file=sys.stderr)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_one_line_and_ends_every_process(tmp_path, number):
    script = tmp_path / "snakemake"
    script.write_text(f"#!{sys.executable}\n{SLOW}")
    script.chmod(0o755)
    environment = os.environ | {
        config.BUILD_VARIABLE: str(tmp_path / "build"),
        "BOOK_TEST_FOLDER": str(tmp_path / "ids"),
    }
    environment["PATH"] = f"{tmp_path}{os.pathsep}{environment['PATH']}"
    (tmp_path / "ids").mkdir()
    line = [sys.executable, "-m", "lib.book", "--dataset", "elpv", "--profile", "smoke", "--no-serve"]
    book = subprocess.Popen(
        line,
        cwd=config.REPOSITORY,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    files = [tmp_path / "ids" / name for name in ("snakemake", "kernel")]
    while not all(file.exists() and file.read_text() for file in files):
        assert book.poll() is None
        time.sleep(0.05)
    book.send_signal(number)
    _, said = book.communicate(timeout=30)
    assert (
        book.returncode == 130
        and said.strip() == "stopped; what was finished stays, and the same command goes on from there"
    )
    assert not any(psutil.pid_exists(int(file.read_text())) for file in files)


def test_no_line_of_a_library_stands_above_a_mistake_in_the_parameters(tmp_path):
    """In a process of its own, where TensorFlow is loaded for the first time."""
    folder = shutil.copytree(config.PARAMETERS, tmp_path / "params")
    file = folder / "smoke.yml"
    file.write_text(file.read_text().replace("HIDDEN: 1", "HIDDEN: 4"))
    code = f"import pathlib, sys; from lib import book, config; config.PARAMETERS = pathlib.Path({str(folder)!r}); "
    code += "sys.argv = ['book', '--profile', 'smoke', '--no-serve']; sys.exit(book.main())"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment |= {config.BUILD_VARIABLE: str(tmp_path / "build"), "PYTHONPATH": str(config.REPOSITORY)}
    line = [sys.executable, "-c", code]
    found = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert found.returncode == 2 and found.stderr.startswith("params/smoke.yml, 09_transfer: HIDDEN is 4; give 3")
    assert found.stderr.count("\n") == 1
