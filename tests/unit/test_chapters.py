"""A chapter runs to its end and is put in place whole, or fails with notebook, cell, error and log and leaves nothing."""

import os
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import pytest
import yaml

from lib import atomic, chapters, config

SCRIPT = """# %% [markdown]
# # Title

# %%
import os, sys
from pathlib import Path

# %% tags=["parameters"]
NUMBER = 1

# %% [markdown]
# Some prose.

# %%
folder = Path(os.environ["BOOK_CHAPTER_OUTPUT"])
(folder / "result.txt").write_text(str(NUMBER))
print("2026-01-01 00:00:00.1 process", os.getpid(), file=sys.stderr)
print("I0000 00:00:1795367207.2 18598 port.cc:153] log", file=sys.stderr)
NUMBER * 2

# %% mystnb={"figure": {"name": "fig-a", "caption": "A caption."}}
print("a warning of ours", file=sys.stderr)
{1, 2}
"""
FAILING = SCRIPT.replace("NUMBER * 2", 'raise RuntimeError("it broke")')
DYING = SCRIPT.replace("NUMBER * 2", "os.kill(os.getpid(), 9)")


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """`execute(script, name)`: run a script in this test's folder; returns the folder of the chapter."""
    monkeypatch.delenv(config.OUTPUT_VARIABLE, raising=False)

    def execute(script: str, name: str = "10_small", **named):
        (tmp_path / f"{name}.py").write_text(script)
        folder = tmp_path / "chapters" / name
        chapters.execute(tmp_path / f"{name}.py", folder, {"NUMBER": 21}, tmp_path / "logs" / f"{name}.log", **named)
        return folder

    return execute


def converted(tmp_path, script: str) -> nbformat.NotebookNode:
    (tmp_path / "10_small.py").write_text(script)
    return chapters.read(tmp_path / "10_small.py")


def test_ids_come_from_the_ordinal_among_code_cells(tmp_path):
    before = converted(tmp_path, SCRIPT)
    assert [cell.id for cell in before.cells] == ["text-01", "code-01", "code-02", "text-02", "code-03", "code-04"]
    more_prose = SCRIPT.replace("# Some prose.", "# Other prose.\n\n# %% [markdown]\n# And more of it.")
    after = converted(tmp_path, more_prose)
    assert len(after.cells) == 7 and chapters.code_cells(after) == chapters.code_cells(before)
    assert nbformat.validate(before) is None and before.metadata.kernelspec.name == "python3"
    assert nbformat.writes(before) == nbformat.writes(converted(tmp_path, SCRIPT))


def test_two_executions_are_byte_identical_and_carry_nothing_volatile(execute):
    contents = []
    for _ in range(2):
        folder = execute(SCRIPT)
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1] and set(contents[0]) == {"notebook.ipynb", "result.txt"}
    assert contents[0]["result.txt"] == b"21"
    notebook = nbformat.read(folder / "notebook.ipynb", 4)
    cells = chapters.code_cells(notebook)
    assert [cell.id for cell in cells] == ["code-01", "code-02", "code-03", "code-04"]
    assert cells[2].outputs[0].data["text/plain"] == "42" and len(cells[2].outputs) == 1
    assert cells[3].outputs[0].text == "a warning of ours\n"
    assert cells[3].metadata.mystnb.figure.name == "fig-a" and "papermill" not in notebook.metadata
    assert chapters.incomplete(notebook) is None
    assert config.OUTPUT_VARIABLE not in os.environ
    assert [path.name for path in folder.parent.iterdir()] == ["10_small"]


@pytest.mark.parametrize(
    "line",
    [
        "2026-04-01 12:00:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.",
        "I0000 00:00:1795367207.204603   18598 port.cc:153] oneDNN custom operations are on.",
        "E0000 00:00:1 1 cuda_dnn.cc:8310] Unable to register cuDNN factory",
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
        "To enable the following instructions: AVX2, in other operations, rebuild TensorFlow.",
    ],
)
def test_log_lines_of_libraries_are_filtered_and_nothing_else(line):
    def stream(name, text):
        return nbformat.v4.new_output("stream", name=name, text=text)

    outputs = [
        stream("stderr", f"{line}\n"),
        stream("stderr", f"ours\n{line}\nours too\n"),
        stream("stdout", f"{line}\n"),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=outputs)])
    kept = chapters.normalised(notebook).cells[0].outputs
    assert [(output.name, output.text) for output in kept] == [("stderr", "ours\nours too\n"), ("stdout", f"{line}\n")]


def test_cell_that_was_not_executed_is_found():
    cells = [nbformat.v4.new_code_cell("1", execution_count=1, id="code-01"), nbformat.v4.new_markdown_cell("text")]
    empty = nbformat.v4.new_code_cell(" \n", id="code-02")
    whole = nbformat.v4.new_notebook(cells=[*cells, empty])
    assert chapters.incomplete(whole) is None
    hollow = nbformat.v4.new_notebook(cells=[*cells, empty, nbformat.v4.new_code_cell("2", id="code-03")])
    assert chapters.incomplete(hollow) == "cell 3 (code-03) was not executed"
    error = nbformat.v4.new_output("error", ename="KeyError", evalue="'a'", traceback=[])
    cells[0].outputs = [error]
    assert chapters.incomplete(hollow) == "cell 1 (code-01) failed with KeyError: 'a'"


def test_hollow_notebook_fails_though_nothing_was_raised(execute, tmp_path, monkeypatch):
    monkeypatch.setattr(chapters, "_papermill", lambda source, target, *_: shutil.copy(source, target))
    with pytest.raises(
        chapters.ChapterFailed, match=r"notebook 10_small: cell 1 \(code-01\) was not executed\nlog: .*log"
    ):
        execute(SCRIPT)
    assert list((tmp_path / "chapters").iterdir()) == []


@pytest.mark.parametrize(("script", "error"), [(FAILING, "RuntimeError: it broke"), (DYING, "Kernel died")])
def test_failing_cell_is_named_with_error_and_log_and_leaves_no_folder(execute, tmp_path, script, error):
    with pytest.raises(chapters.ChapterFailed) as caught:
        execute(script)
    message, log = str(caught.value), tmp_path / "logs" / "10_small.log"
    assert f"notebook 10_small, cell 3 of 4 (code-03): {error}" in message
    assert f"log: {log}\n" in message and "\x1b" not in message
    assert list((tmp_path / "chapters").iterdir()) == [] and config.OUTPUT_VARIABLE not in os.environ
    kept = nbformat.read(tmp_path / "logs" / "10_small.failed.ipynb", 4)
    assert kept.cells[-1].id == "code-04" and kept.cells[-1].execution_count is None
    if script is FAILING:
        assert 'raise RuntimeError("it broke")' in message and "it broke" in log.read_text()


def test_a_mistake_of_the_user_is_one_line_without_traceback(execute, tmp_path):
    script = FAILING.replace(
        'raise RuntimeError("it broke")', 'from lib import config; raise config.UserError("say why")'
    )
    with pytest.raises(chapters.ChapterFailed) as caught:
        execute(script)
    expected = f"notebook 10_small, cell 3 of 4 (code-03): say why\nlog: {tmp_path / 'logs' / '10_small.log'}"
    assert script != FAILING and str(caught.value) == expected
    assert "UserError" in (tmp_path / "logs" / "10_small.log").read_text()


def test_failure_keeps_what_an_earlier_execution_made(execute):
    folder = execute(SCRIPT)
    before = (folder / "notebook.ipynb").read_bytes()
    with pytest.raises(chapters.ChapterFailed):
        execute(FAILING)
    assert (folder / "notebook.ipynb").read_bytes() == before


KILLED = """
    import sys
    from pathlib import Path
    from lib import chapters
    chapters.execute(Path(sys.argv[1]), Path(sys.argv[2]), {}, Path(sys.argv[3]))
"""


def test_killed_during_an_execution_leaves_nothing(tmp_path):
    waiting = SCRIPT.replace(
        "NUMBER * 2", '(folder.parents[1] / "pid").write_text(str(os.getpid())); import time; time.sleep(60)'
    )
    (tmp_path / "10_small.py").write_text(waiting)
    arguments = [tmp_path / "10_small.py", tmp_path / "chapters" / "10_small", tmp_path / "log"]
    code = "\n".join(line.strip() for line in KILLED.splitlines())
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=config.REPOSITORY, stderr=subprocess.DEVNULL
    )
    kernel = tmp_path / "pid"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (kernel.exists() and kernel.read_text()):
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "chapters" / "10_small").exists()
    while time.monotonic() < deadline and is_alive(int(kernel.read_text())):
        time.sleep(0.05)
    assert not is_alive(int(kernel.read_text())), "the kernel went on without its parent"


def is_alive(process: int) -> bool:
    try:
        return "Z" not in open(f"/proc/{process}/stat").read().split(")")[1].split()[0]
    except OSError:
        return False


@pytest.fixture
def small_book(book, tmp_path, monkeypatch):
    """A book of one small chapter; `context` of it."""
    notebooks, parameters = tmp_path / "notebooks", tmp_path / "params"
    notebooks.mkdir()
    (notebooks / "10_small.py").write_text(
        SCRIPT.replace("NUMBER = 1", 'NUMBER = 1\nDATASET = "elpv"\nPROFILE = "smoke"')
    )
    shutil.copytree(config.PARAMETERS / "datasets", parameters / "datasets")
    shutil.copy(config.PARAMETERS / "ledger.yml", parameters)
    (parameters / "cpu.yml").write_text(yaml.safe_dump({"chapters": {"10_small": {"NUMBER": 5}}}))
    monkeypatch.setattr(config, "PARAMETERS", parameters)
    monkeypatch.setattr(config, "NOTEBOOKS", notebooks)
    return config.book_root("elpv", "cpu")


def test_built_chapter_has_a_record_of_where_its_numbers_come_from(small_book):
    chapters.build("10_small", "elpv", "cpu")
    folder = small_book / "chapters" / "10_small"
    record = atomic.read_json(folder / "record.json")
    assert record["parameters"] == {"DATASET": "elpv", "PROFILE": "cpu", "NUMBER": 5}
    assert (record["chapter"], record["dataset"], record["profile"]) == ("10_small", "elpv", "cpu")
    assert record["data_hash"] == atomic.read_json(small_book / "data" / "data.json")["data_hash"]
    assert record["started"].endswith("+00:00") and record["seconds"] > 0 and record["versions"] and record["device"]
    assert (folder / "result.txt").read_text() == "5"
    assert [path.name for path in folder.parent.iterdir()] == ["10_small"] and not (small_book / "interactive").exists()


def test_chapter_is_not_there_before_its_record_is(small_book, monkeypatch):
    def killed():
        raise KeyboardInterrupt

    monkeypatch.setattr(
        chapters, "_papermill", lambda source, target, *_: nbformat.write(nbformat.v4.new_notebook(), target)
    )
    monkeypatch.setattr(chapters.machine, "device", killed)
    with pytest.raises(KeyboardInterrupt):
        chapters.build("10_small", "elpv", "cpu")
    assert not (small_book / "chapters" / "10_small").exists()


def test_mistake_of_the_user_is_one_line_on_the_command_line(small_book, capsys):
    assert chapters.main(["11_missing", "elpv", "cpu"]) == 1
    assert (
        capsys.readouterr().err.strip()
        == "params/cpu.yml has no section for chapter 11_missing; add one under `chapters:`"
    )
