"""What the repository holds, and what it must never hold."""

import os
import re
import subprocess

import pytest

from lib import config

LARGEST_FILE = 500_000  # bytes
MACHINE_PATH = re.compile(r"(?<![\w.}\])-])/(?:work|root|home/\w+|Users/\w+)/")
PACKAGE_INDEX = re.compile(r"pypi\.org/[s]imple|files\.[p]ythonhosted|\b(?:extra[-_])?index[-_]url\b|[-]-find-links")


def git(*arguments: str) -> list[str]:
    """Lines of a git command's answer, whoever owns the checkout."""
    command = ["git", "-c", "safe.directory=*", "-C", str(config.REPOSITORY), *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode in (0, 1) and not result.stderr, f"{command}: {result.stderr}"
    return result.stdout.splitlines()


def files() -> list[str]:
    """Everything committed, or about to be: neither ignored nor deleted."""
    names = git("ls-files", "--cached", "--others", "--exclude-standard")
    return [name for name in names if (config.REPOSITORY / name).is_file()]


def text_files() -> dict[str, str]:
    found = {name: (config.REPOSITORY / name).read_bytes() for name in files()}
    return {name: content.decode() for name, content in found.items() if b"\0" not in content}


def test_no_executed_notebook_is_committed():
    assert not [name for name in files() if name.endswith(".ipynb") and not name.startswith("tests/")]


def test_no_large_file_and_nothing_built():
    names = files()
    assert len(names) > 50
    assert not [name for name in names if (config.REPOSITORY / name).stat().st_size > LARGEST_FILE]
    assert not [name for name in names if name.split("/")[0] in ("build", ".venv", ".snakemake")]


def test_the_library_is_not_ignored():
    sources = sorted((config.REPOSITORY / "lib").rglob("*.py"))
    assert not git("check-ignore", "--no-index", *map(str, sources))
    built = ["build/elpv/smoke/site/index.html", ".venv/bin/python", ".snakemake/log"]
    assert git("check-ignore", "--no-index", *built) == built


@pytest.mark.parametrize("pattern", [MACHINE_PATH, PACKAGE_INDEX], ids=["path of one machine", "package index"])
def test_no_file_names(pattern):
    texts = text_files()
    found = [f"{name}: {match.group()}" for name, text in texts.items() for match in pattern.finditer(text)]
    assert not found


def test_such_names_are_caught():
    for text in ("cd /" + "work/main", "'/" + "root/.cache'", "/home/" + "me/data"):
        assert MACHINE_PATH.search(text)
    assert not MACHINE_PATH.search("{ROOT}/work/x, build/root/, /where/it/is")
    assert PACKAGE_INDEX.search("--index" + "-url https://x") and PACKAGE_INDEX.search("https://pypi.org/" + "simple")


def test_ci_runs_the_test_command_of_the_readme():
    readme = (config.REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", readme, flags=re.MULTILINE | re.DOTALL)
    commands = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    tests = {command for command in commands if re.match(r"make test\b", command)}
    assert len(tests) == 1, f"README.md names {tests or 'no command'} to run the tests; it names one"
    script = config.REPOSITORY / ".ci" / "run"
    assert tests <= {line.strip() for line in script.read_text().splitlines()}
    assert os.access(script, os.X_OK), ".ci/run is not executable"
