"""From percent script to executed notebook: convert, run by papermill, check that it is whole, put it in place.

Run as `python -m lib.chapters NAME DATASET PROFILE` it is a job of the build graph.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import jupytext
import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from lib import atomic, config, custody, external, machine

# TensorFlow's own log lines carry times and process ids; they say nothing about the result.
LOG_LINE = re.compile(
    r"^(\d{4}-\d\d-\d\d .*|[IWE]\d{4} .*|WARNING: All log messages before absl.*|To enable the following.*)\n?", re.M
)
INJECTED_ID = "injected-parameters"
VOLATILE = ("papermill", "execution", "ExecuteTime")


class ChapterFailed(RuntimeError):
    """A chapter that did not run to its end; the message names notebook, cell, error and log."""


def read(source: Path) -> NotebookNode:
    """A percent script as a notebook.

    Ids come from the ordinal among code cells (`code-07`) and among text cells (`text-07`), so that they are the same in
    every conversion and editing prose moves no code id.
    """
    notebook = jupytext.read(source)
    counts = {"code": 0, "markdown": 0, "raw": 0}
    for cell in notebook.cells:
        counts[cell.cell_type] += 1
        cell["id"] = f"{'code' if cell.cell_type == 'code' else 'text'}-{counts[cell.cell_type]:02d}"
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    )
    return notebook


def incomplete(notebook: NotebookNode) -> str | None:
    """Why an executed notebook is not whole: the first code cell that failed or never ran; None when all is well."""
    for number, cell in enumerate(code_cells(notebook), start=1):
        for output in cell.outputs:
            if output.output_type == "error":
                return f"cell {number} ({cell.id}) failed with {output.ename}: {output.evalue}"
        if cell.source.strip() and cell.execution_count is None:
            return f"cell {number} ({cell.id}) was not executed"
    return None


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells of the script in order, without the one that papermill injects."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.id != INJECTED_ID]


def execute(
    source: Path, folder: Path, parameters: dict[str, Any], log: Path, record: Callable[[Path], dict] | None = None
) -> None:
    """Run a percent script with parameters; `folder` then holds `notebook.ipynb` and what the notebook wrote, or nothing new.

    Two executions with equal results give equal bytes. Output of the cells goes to `log` while they run.
    record: gives the content of `record.json` once the notebook has run, from the folder that it wrote to; None: there is
    no such file.
    Raises ChapterFailed; the notebook as far as it came is then beside the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing_folder(folder) as output:
        os.environ[config.OUTPUT_VARIABLE] = str(output)  # inherited by the kernel
        prepared, executed = output / "input.ipynb", output / "notebook.ipynb"
        nbformat.write(read(source), prepared)
        try:
            log.write_text("")
            with log.open("a") as log_file, _kernel_errors_to(log_file):
                _papermill(prepared, executed, parameters, folder.name, log_file)
            notebook = normalised(nbformat.read(executed, 4))
            problem = incomplete(notebook)
        except (papermill.PapermillExecutionError, DeadKernelError) as error:
            raise _failure(source.stem, executed, log, error) from None
        finally:
            del os.environ[config.OUTPUT_VARIABLE]
        if problem:
            raise ChapterFailed(f"notebook {source.stem}: {problem}\nlog: {log}")
        nbformat.write(notebook, executed)
        prepared.unlink()
        if record:
            atomic.write_json(output / "record.json", record(output))


def build(name: str, dataset: str, profile: str) -> None:
    """Execute a chapter of a book into `chapters/<name>/` with a record of where its numbers come from."""
    root = config.book_root(dataset, profile)
    context = config.Context(name, dataset, profile, root, root / "chapters" / name)
    parameters = external.parameters(name, dataset, profile)
    execute_recorded(context, parameters, lambda output: {"data_hash": custody.data_sha256(context)})


def execute_recorded(
    context: config.Context, parameters: dict[str, Any], data: Callable[[Path], dict[str, Any]]
) -> None:
    """Execute the notebook of a context into its folder, with a record of where its numbers come from.

    data: gives what the record says of the data, from the folder that the notebook wrote to. Raises ChapterFailed.
    """
    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()
    name, root = context.chapter, context.root

    def record(output: Path) -> dict[str, Any]:
        return {
            "chapter": name,
            "dataset": context.dataset,
            "profile": context.profile,
            "parameters": parameters,
            **data(output),
            "commit": commit(),
            "started": started,
            "seconds": round(time.perf_counter() - clock, 1),
            "device": machine.device(),
            "versions": machine.versions(),
        }

    log = root / "logs" / f"{name}.log"
    execute(config.NOTEBOOKS / f"{name}.py", context.output, parameters, log, record)


def train(job: str, dataset: str, profile: str, configurations: list[dict[str, Any]]) -> None:
    """Train runs ahead of the chapters, one after the other, as a job of its own, into `trained/<job>/`."""
    root = config.book_root(dataset, profile)
    parameters = {"DATASET": dataset, "PROFILE": profile, "CONFIGURATIONS": configurations}
    execute(config.NOTEBOOKS / "train.py", root / "trained" / job, parameters, root / "logs" / f"train-{job}.log")


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Without what differs between equal runs: times, papermill's marks, log lines of libraries."""
    for key in ("papermill", "widgets"):
        notebook.metadata.pop(key, None)
    for cell in notebook.cells:
        for key in VOLATILE:
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = INJECTED_ID
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
        if cell.cell_type == "code":
            cell.outputs = _without_log_lines(cell.outputs)
    return notebook


def commit() -> str | None:
    """The commit of the checkout, with `+` when files differ from it; None outside a checkout."""
    git = ["git", "-C", str(config.REPOSITORY)]
    head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
    if head.returncode:
        return None
    changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True).stdout
    return head.stdout.strip() + ("+" if changed else "")


@contextmanager
def _kernel_errors_to(log: TextIO) -> Iterator[None]:
    """What libraries write to a kernel's standard error goes to the log; this process keeps the terminal for progress."""
    sys.stderr.flush()
    terminal, python_stderr = os.dup(2), sys.stderr
    os.dup2(log.fileno(), 2)
    try:
        with open(terminal, "w", closefd=False) as sys.stderr:
            yield
    finally:
        sys.stderr = python_stderr
        os.dup2(terminal, 2)
        os.close(terminal)


def _papermill(source: Path, target: Path, parameters: dict, name: str, log_file: TextIO) -> None:
    papermill.execute_notebook(
        str(source),
        str(target),
        parameters=parameters,
        kernel_name="python3",
        cwd=str(config.NOTEBOOKS),
        progress_bar={"desc": name, "ncols": 80, "mininterval": 1, "miniters": 1},
        stdout_file=log_file,
        stderr_file=log_file,
    )


def _failure(
    name: str, executed: Path, log: Path, error: papermill.PapermillExecutionError | DeadKernelError
) -> ChapterFailed:
    kept = log.with_suffix(".failed.ipynb")
    os.replace(executed, kept)
    traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(getattr(error, "traceback", ())))
    with log.open("a") as file:
        file.write(f"\n{traceback}\n")
    notebook = nbformat.read(kept, 4)
    begun = {cell.id for cell in notebook.cells if cell.metadata.get("papermill", {}).get("start_time")}
    cells = code_cells(normalised(notebook))
    failed = ([cell for cell in cells if cell.id in begun] or cells)[-1]
    where = f"cell {cells.index(failed) + 1} of {len(cells)} ({failed.id})"
    died = isinstance(error, DeadKernelError)
    if getattr(error, "ename", "") == config.UserError.__name__:  # its line says everything
        return ChapterFailed(f"notebook {name}, {where}: {error.evalue}\nlog: {log}")
    what = f"{error}, killed or out of memory" if died else f"{error.ename}: {error.evalue}"
    return ChapterFailed(f"{traceback}\n\nnotebook {name}, {where}: {what}\nlog: {log}\nas far as it came: {kept}")


def _without_log_lines(outputs: list) -> list:
    kept = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            output.text = LOG_LINE.sub("", output.text)
            if not output.text.strip():
                continue
        kept.append(output)
    return kept


def main(arguments: list[str]) -> int:
    """`NAME DATASET PROFILE`, or `train JOB DATASET PROFILE CONFIGURATIONS-AS-JSON`; prints one clear failure."""
    os.environ["PYTHONHASHSEED"] = "0"  # the kernel's (S3.13): seeds alone do not fix the order of sets
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        if arguments[0] == "train":
            train(*arguments[1:4], json.loads(arguments[4]))
        else:
            build(*arguments)
    except (ChapterFailed, config.UserError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
