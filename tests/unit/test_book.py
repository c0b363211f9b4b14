"""A mistake in what was asked for is one line that says what exists, and exit status 2; nothing is built."""

import os
import subprocess
import sys

import filelock
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

    def run(line, **_):
        calls.append(line)
        return subprocess.CompletedProcess(line, returncode=len(calls) == 9, stdout="")

    monkeypatch.setattr(command.subprocess, "run", run)

    def ask(*options: str) -> tuple[int, list[str]]:
        calls.clear()
        monkeypatch.setattr(sys, "argv", ["book", "--dataset", "elpv", "--no-serve", "--data", "", *options])
        status = command.main()
        return status, [part.split("=")[1] for line in calls for part in line if part.startswith("profile=")]

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
    failed = subprocess.CompletedProcess([], returncode=1, stdout="")
    monkeypatch.setattr(command.subprocess, "run", lambda *_, **__: failed)
    status, _ = asked("--profile", "smoke")
    assert status == 1 and "the smoke book stopped" in capsys.readouterr().err
