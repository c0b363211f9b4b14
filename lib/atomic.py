"""Files that are absent or whole, hashes of content and of code, locks between processes."""

import ast
import hashlib
import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock

PARSING = threading.Lock()  # Python 3.11 fails now and then where two threads parse at once


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder; when the block ends well, rename it to `path`, else remove it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)  # mkstemp's 0600 would hide results from colleagues
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path, partial: Path | None = None) -> Iterator[Path]:
    """The same for a folder: what the block writes appears as `path` at once, or not at all.

    partial: a fixed temporary folder that outlives a killed process, for work that can be resumed.
    """
    keep = partial is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = partial if keep else Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    temporary.mkdir(exist_ok=True)
    temporary.chmod(0o755)
    try:
        yield temporary
        if path.exists():  # moved aside first: killed while removing it, `path` is never half a folder
            aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
            os.replace(path, aside)
            os.replace(temporary, path)
            shutil.rmtree(aside)
        else:
            os.replace(temporary, path)
    finally:
        if not keep:
            shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, keys sorted, so that equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def lock(path: Path) -> FileLock:
    """One holder at a time across processes; freed by the system when the holder dies. `path` is the file of the lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def value_sha256(value: Any) -> str:
    """Hexadecimal SHA-256 of a JSON-able value, independent of the order of keys."""
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


@cache  # a module counts for many chapters and runs
def code_sha256(source: str) -> str:
    """Hash of what code does: its syntax tree without docstrings, comments and layout. Raises SyntaxError."""
    with PARSING:
        tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return sha256(ast.dump(tree).encode())
