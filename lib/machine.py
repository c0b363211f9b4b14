"""The machine and the libraries that compute, without importing them."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any


def device() -> dict[str, Any]:
    """The machine: processor's name, cores, and the NVIDIA GPU's name if there is one."""
    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    gpu = None
    if shutil.which("nvidia-smi"):
        query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        gpu = subprocess.run(query, capture_output=True, text=True).stdout.strip().splitlines() or None
    return {
        "processor": (names or [platform.processor() or platform.machine()])[0],
        "cores": os.cpu_count(),
        "gpu": gpu and gpu[0],
    }


def versions() -> dict[str, str]:
    """Versions of what computes, without importing it."""
    tensorflow = next(_version(name) for name in ("tensorflow-cpu", "tensorflow") if _version(name))
    return {"python": platform.python_version(), "tensorflow": tensorflow} | {
        name: _version(name) for name in ("keras", "numpy")
    }


def minor_versions() -> list[str]:
    """Of TensorFlow and Keras, as `2.21`: what a run's result follows."""
    found = versions()
    return [".".join(found[name].split(".")[:2]) for name in ("tensorflow", "keras")]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
