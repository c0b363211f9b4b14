"""The locks: hashed, naming no index, equal to one another where they meet, the same for conda as for make."""

import re
import tomllib
from collections import defaultdict

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from lib import config

LOCKS = ("cpu", "gpu", "uv")
PROJECT = tomllib.loads((config.REPOSITORY / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
HARDWARE = ("cpu", "gpu")  # extras of one lock each; all others stand in both
TENSORFLOW = SpecifierSet("~=2.21.0")


def lock_text(name: str) -> str:
    return (config.REPOSITORY / "requirements" / f"{name}.txt").read_text()


def entries(name: str) -> list[str]:
    """The requirements of a lock, each with its continued lines, without comments."""
    lines = [line for line in lock_text(name).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def versions(name: str) -> dict[str, set[Version]]:
    """Pinned versions by canonical name; several where platforms differ."""
    found = defaultdict(set)
    for entry in entries(name):
        requirement = Requirement(entry.split("--hash")[0])
        (pin,) = requirement.specifier
        assert pin.operator == "=="
        found[canonicalize_name(requirement.name)].add(Version(pin.version))
    return dict(found)


@pytest.mark.parametrize("name", LOCKS)
def test_every_entry_has_hashes_and_no_index_is_named(name):
    for entry in entries(name):
        assert re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==\S+( ; [^#]*?)?( +--hash=sha256:[0-9a-f]{64})+", entry), entry
    assert "://" not in lock_text(name)


def test_locks_agree_where_they_meet():
    cpu, gpu, uv = map(versions, LOCKS)
    common = cpu.keys() & gpu.keys()
    assert len(common) > 100
    assert {name: cpu[name] for name in common} == {name: gpu[name] for name in common}
    assert uv["uv"] == cpu["uv"] == gpu["uv"] and len(uv["uv"]) == 1


@pytest.mark.parametrize(("lock", "names"), [("cpu", {"tensorflow", "tensorflow-cpu"}), ("gpu", {"tensorflow"})])
def test_tensorflow_is_the_tested_one(lock, names):
    pinned = {name: found for name, found in versions(lock).items() if name in ("tensorflow", "tensorflow-cpu")}
    assert pinned.keys() == names
    assert all(version in TENSORFLOW for found in pinned.values() for version in found)


@pytest.mark.parametrize("lock", HARDWARE)
def test_every_direct_dependency_is_locked(lock):
    other = [extra for extra in EXTRAS if extra not in HARDWARE]
    direct = [*PROJECT["dependencies"], *EXTRAS[lock], *(name for extra in other for name in EXTRAS[extra])]
    locked = versions(lock)
    for requirement in map(Requirement, direct):
        found = locked.get(canonicalize_name(requirement.name), set())
        assert found, f"requirements/{lock}.txt lacks {requirement.name}; run `make lock`"
        assert all(version in requirement.specifier for version in found), f"{requirement}: {found}; run `make lock`"


def test_make_locks_all_extras():
    makefile = (config.REPOSITORY / "Makefile").read_text()
    named = set(re.findall(r"--extra (\w+)", makefile))
    assert named == set(EXTRAS)


def test_conda_installs_the_same_lock():
    environment = yaml.safe_load((config.REPOSITORY / "environment.yml").read_text())
    names = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert [line.replace("--requirement", "-r") for line in pip if "requirements/" in line] == [
        "-r requirements/cpu.txt"
    ]
    assert not [line for line in pip if re.search(r"[=<>~]=|[<>]", line)], "versions come from the lock alone"
    (python,) = [entry for entry in names if re.match(r"python\b", entry)]
    assert SpecifierSet(python.removeprefix("python").strip()) == SpecifierSet(PROJECT["requires-python"])
    assert {re.split(r"[\s=<>]", entry)[0] for entry in names} <= {"python", "pip", "make", "git"}
