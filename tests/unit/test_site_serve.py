"""The server of the built sites: detached, found again, stopped."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.site import serve


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((serve.HOST, 0))
        return probe.getsockname()[1]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "index.html").write_text("first")
    yield tmp_path
    serve.stop(tmp_path)


def get(address: str) -> tuple[str, str | None]:
    with urllib.request.urlopen(address, timeout=5) as reply:
        return reply.read().decode(), reply.headers["Cache-Control"]


def test_a_command_with_pipes_ends_while_its_server_goes_on(folder: Path) -> None:
    command = [sys.executable, "-m", "lib.site.serve", str(folder), "--port", str(free_port()), "--start"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)  # waits until every pipe is closed
    address = done.stdout.strip()
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{address}\n")
    assert get(address) == ("first", "no-cache")
    (folder / "index.html").write_text("second")
    assert get(address)[0] == "second"


def test_one_server_a_folder_and_the_next_port_for_another(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    port = free_port()
    address = serve.start(folder, port)
    assert serve.start(folder, port) == address == f"http://127.0.0.1:{port}/"
    other = tmp_path_factory.mktemp("other")
    try:
        assert serve.start(other, port) != address
    finally:
        assert serve.stop(other)


def test_a_stopped_server_is_gone_and_starts_again(folder: Path) -> None:
    port = free_port()
    address = serve.start(folder, port)
    assert serve.stop(folder) and not serve.stop(folder)
    deadline = time.monotonic() + 5
    with pytest.raises(OSError):
        while time.monotonic() < deadline:
            get(address)
            time.sleep(0.05)
    assert get(serve.start(folder, port))[0] == "first"


def test_a_stale_state_stops_nobody(folder: Path) -> None:
    (folder / serve.STATE).write_text(f'{{"pid": {os.getpid()}, "port": {free_port()}}}')
    assert serve.running(folder) is None
    assert not serve.stop(folder)


def test_no_free_port_is_said_in_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(serve, "PORTS_TRIED", 1)
    with socket.socket() as taken:
        taken.bind((serve.HOST, 0))
        taken.listen()
        assert serve.main([str(folder), "--port", str(taken.getsockname()[1])]) == 1
    assert capsys.readouterr().err.startswith("not served: no free port")
