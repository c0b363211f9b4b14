"""Serve the built sites on this machine: `python -m lib.site.serve BUILD_FOLDER [--port N] [--start | --stop]`.

`--start` leaves a server in the background and prints its address; one that serves the folder already is used again.
"""

import argparse
import functools
import http.client
import http.server
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lib import atomic

HOST = "127.0.0.1"
PORTS_TRIED = 50
START_SECONDS = 20.0
STATE = ".server.json"  # {"pid", "port"}, written once the server listens


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, always asked for anew, so that a reload shows new pages."""

    def end_headers(self) -> None:
        """Add the header that makes browsers ask each time."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep no log of requests."""


class Server(http.server.ThreadingHTTPServer):
    """A server that takes no port which another one listens on."""

    allow_reuse_address = os.name == "posix"  # on Windows it would share the port
    daemon_threads = True


def listen(folder: Path, port: int) -> Server:
    """A server of the folder, bound to the first free port from `port` on (0: any). Raises OSError when all are taken."""
    handler = functools.partial(Handler, directory=str(folder))
    for candidate in range(port, port + PORTS_TRIED):
        try:
            return Server((HOST, candidate), handler)
        except OSError:
            continue
    raise OSError(f"no free port between {port} and {port + PORTS_TRIED - 1}; name another one with --port")


def running(folder: Path) -> dict[str, int] | None:
    """Process and port of the live server of a folder, which proves itself by serving the folder's state file."""
    try:
        state = json.loads((folder / STATE).read_text())
        connection = http.client.HTTPConnection(HOST, state["port"], timeout=2)
        connection.request("GET", f"/{STATE}")
        return state if json.loads(connection.getresponse().read()) == state else None
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return None


def serve(folder: Path, port: int) -> None:
    """Serve until stopped; prints the address."""
    server = listen(folder, port)
    state = {"pid": os.getpid(), "port": server.server_port}
    atomic.write_json(folder / STATE, state)
    print(address(state), flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        (folder / STATE).unlink(missing_ok=True)


def start(folder: Path, port: int) -> str:
    """Address of a server in the background, started unless one is live; it outlives the caller and holds no pipe of it.

    Raises RuntimeError, naming the log, when it does not answer in time.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / ".server.log"
    with atomic.lock(folder / ".server.lock"):
        if state := running(folder):
            return address(state)
        (folder / STATE).unlink(missing_ok=True)
        command = [sys.executable, "-m", "lib.site.serve", str(folder), "--port", str(port)]
        with log.open("w") as output:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and child.poll() is None:
            if state := running(folder):
                return address(state)
            time.sleep(0.05)
    raise RuntimeError(f"the server did not start; see {log}")


def stop(folder: Path) -> bool:
    """Stop the live server of a folder; returns whether there was one."""
    state = running(folder)
    if state:
        os.kill(state["pid"], signal.SIGTERM)
    (folder / STATE).unlink(missing_ok=True)
    return state is not None


def address(state: dict[str, int]) -> str:
    """Where a server is reached."""
    return f"http://{HOST}:{state['port']}/"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Serve the built sites on this machine.")
    parser.add_argument("folder", type=Path, help="the build folder")
    parser.add_argument("--port", type=int, default=8765, help="the next free one is taken")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--start", action="store_true", help="in the background; prints the address")
    action.add_argument("--stop", action="store_true", help="stop the one in the background")
    options = parser.parse_args(arguments)
    try:
        if options.stop:
            stop(options.folder)
        elif options.start:
            print(start(options.folder, options.port))
        else:
            serve(options.folder.resolve(), options.port)
    except (OSError, RuntimeError) as problem:
        print(f"not served: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
