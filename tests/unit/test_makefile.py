"""What is given to make reaches the commands as it was given, whatever stands in it."""

import json
import os
import subprocess
import sys

import pytest

from lib import config

TOLD = """#!{python}
import json, os, sys
names = ("BOOK_EXTERNAL", "BOOK_EXTERNAL_DATA", "BOOK_REASON")
print(json.dumps([sys.argv[1:], os.environ.get("BOOK_DATA"), [os.environ.get(name) for name in names]]))
"""


@pytest.fixture
def make(tmp_path):
    """`make(target, NAME=value)`: what the first Python command of a target is given: arguments, DATA, and all the rest."""
    (tmp_path / "bin").mkdir()
    for name in ("python", "ruff"):
        (tmp_path / "bin" / name).write_text(TOLD.format(python=sys.executable))
        (tmp_path / "bin" / name).chmod(0o755)

    def run(target: str, **given: str) -> tuple[list[str], str, list[str]]:
        settings = [f"{name}={value}" for name, value in {"VENV": tmp_path, "GPU": "0", **given}.items()]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BOOK_")}
        done = subprocess.run(
            ["make", "--silent", "--no-print-directory", target, *settings],
            cwd=config.REPOSITORY,
            env=inherited,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.parametrize("value", ["it's", "a b", 'say "x"', "$HOME", "$(HOME)", "a;ls", "-n", "~/x", "`ls`", ""])
def test_any_value_reaches_the_book_as_it_was_given(make, value):
    more = {"EXTERNAL": value, "EXTERNAL_DATA": value, "REASON": value}
    arguments, data, rest = make("book", DATA=value, DATASET=value, PROFILE="smoke", **more)
    given = dict(argument.split("=", 1) for argument in arguments[2:])
    assert arguments[:2] == ["-m", "lib.book"] and [data, *rest] == [value] * 4
    assert given["--dataset"] == value and given["--profile"] == "smoke" and given["--port"] == "8765"


def test_so_for_a_study_and_for_the_chapters_in_jupyterlab(make):
    nothing = ["", "", ""]
    assert make("study", STUDY="it's", DATA="a b") == [["-m", "lib.studies", "it's"], "a b", nothing]
    assert make("lab", DATA="it's") == [["-m", "lib.lab"], "it's", nothing]
