"""A network that ignores its input stops the book, in a profile that judges nothing."""

import os
import shutil
import subprocess
import sys

from lib import config

BLIND = "    first, second = parameters.filters\n"


def test_a_network_that_ignores_its_input_fails_the_chapter(root, tmp_path):
    for name in ("lib", "notebooks", "params"):
        shutil.copytree(config.REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(root / "data", tmp_path / "build" / "elpv" / "smoke" / "data")
    network = tmp_path / "lib" / "networks" / "simple.py"
    assert network.read_text().count(BLIND) == 1, "the simple network is built in other words; change them here too"
    network.write_text(network.read_text().replace(BLIND, f"    inputs = 0 * inputs\n{BLIND}"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), config.BUILD_VARIABLE: str(tmp_path / "build")}
    command = [sys.executable, "-m", "lib.chapters", "06_sanity_checks", "elpv", "smoke"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1 and "the network ignores its input" in done.stderr, done.stderr
    assert not (tmp_path / "build" / "elpv" / "smoke" / "chapters" / "06_sanity_checks").exists()
