"""JupyterLab on the chapters: `python -m lib.lab [FOLDER] [--port N] [--no-browser]`.

Scripts open as notebooks with a double click and are saved as scripts; settings lie in build/lab and touch no other
JupyterLab of this machine.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lib import atomic, config, external

SETTINGS = {
    "docmanager-extension/plugin": {"defaultViewers": {"python": "Jupytext Notebook"}},
    "notebook-extension/tracker": {"autoStartDefaultKernel": True},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}

KERNEL = {
    "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "display_name": "Python 3 (this book)",
    "language": "python",
}


def command(folder: Path, home: Path, port: int, browser: bool) -> list[str]:
    """Command line of a JupyterLab that shows `folder`; `home` holds its settings and workspaces."""
    options = {
        "ServerApp.root_dir": folder.resolve(),
        "ServerApp.port": port,
        "ServerApp.open_browser": browser,
        "ServerApp.allow_root": hasattr(os, "geteuid") and os.geteuid() == 0,
        "LabApp.user_settings_dir": home / "settings",
        "LabApp.workspaces_dir": home / "workspaces",
        "LabApp.extension_manager": "readonly",
        "FileCheckpoints.checkpoint_dir": home / "checkpoints",
    }
    return [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]


def environment(home: Path) -> dict[str, str]:
    """Environment of JupyterLab: its configuration, data and working files lie in `home`, not in the user's folder."""
    folders = {"JUPYTER_CONFIG_DIR": home / "config", "JUPYTER_DATA_DIR": home / "data", "IPYTHONDIR": home / "ipython"}
    return {
        **os.environ,
        **{name: str(path) for name, path in folders.items()},
        "JUPYTER_PREFER_ENV_PATH": "0",
        "PYTHONHASHSEED": "0",
    }


def write_settings(home: Path) -> None:
    """Write what makes scripts open as notebooks, with the kernel of this environment and no question."""
    # jupytext takes a kernel for granted when its command is the interpreter that runs JupyterLab, by its whole path.
    atomic.write_json(home / "data" / "kernels" / "python3" / "kernel.json", KERNEL)
    for name, values in SETTINGS.items():
        atomic.write_json(home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings", values)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: becomes JupyterLab; a mistake in DATA is one line, and exit status 2."""
    parser = argparse.ArgumentParser(description="Open the chapters in JupyterLab.")
    parser.add_argument("folder", type=Path, nargs="?", default=config.NOTEBOOKS, help="folder of percent scripts")
    parser.add_argument("--port", type=int, default=8888)
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args(arguments)
    try:
        config.settle_data()
        external.settle(external.asked(), os.environ.get(external.FOLDER_VARIABLE, ""))
    except config.UserError as error:
        print(error, file=sys.stderr)
        return 2
    home = config.build_folder() / "lab"
    write_settings(home)
    run = command(options.folder, home, options.port, not options.no_browser)
    os.execve(run[0], run, environment(home))
    return 0


if __name__ == "__main__":
    sys.exit(main())
