"""Files are absent or whole, one process holds a lock, hashes follow what code does."""

import os
import stat
import subprocess
import sys

import filelock
import pytest

from lib import atomic, config

KILLED_WRITER = """
    import os, signal, sys
    from pathlib import Path
    from lib import atomic
    with atomic.replacing(Path(sys.argv[1])) as temporary:
        temporary.write_text("half of the new cont")
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("old", [None, "old content"])
def test_killed_writer_leaves_old_content_or_nothing(tmp_path, python_dies, old):
    path = tmp_path / "result.json"
    if old:
        path.write_text(old)
    python_dies(KILLED_WRITER, path)
    assert (path.read_text() if path.exists() else None) == old


def test_new_content_takes_the_place_of_the_old_at_once(tmp_path):
    """The old file is never written to: who has it open, or linked, keeps it whole."""
    path, linked = tmp_path / "result.txt", tmp_path / "linked.txt"
    path.write_text("old")
    linked.hardlink_to(path)
    atomic.write_text(path, "new")
    assert (path.read_text(), linked.read_text()) == ("new", "old")
    with atomic.replacing(path) as temporary:
        temporary.write_text("newer")
        written = temporary.stat().st_ino
    assert (path.read_text(), linked.read_text(), path.stat().st_ino) == ("newer", "old", written)


def test_failing_writer_leaves_old_content_and_no_rubbish(tmp_path):
    path = tmp_path / "deep" / "result.txt"
    atomic.write_text(path, "old")
    with pytest.raises(RuntimeError, match="half way"), atomic.replacing(path) as temporary:
        temporary.write_text("ne")
        raise RuntimeError("half way")
    assert path.read_text() == "old" and os.listdir(path.parent) == ["result.txt"]


def test_written_file_is_readable_by_colleagues(tmp_path):
    atomic.write_text(tmp_path / "result.txt", "text")
    with atomic.replacing_folder(tmp_path / "folder"):
        pass
    assert stat.S_IMODE((tmp_path / "result.txt").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o755


def test_replacing_keeps_the_ending_that_writers_look_at(tmp_path):
    with atomic.replacing(tmp_path / "state.npz") as temporary:
        assert temporary.suffix == ".npz" and temporary.parent == tmp_path


KILLED_FOLDER_WRITER = """
    import os, shutil, signal, sys
    from pathlib import Path
    from lib import atomic
    if sys.argv[2] == "while writing":
        with atomic.replacing_folder(Path(sys.argv[1])) as temporary:
            (temporary / "a").write_text("new")
            os.kill(os.getpid(), signal.SIGKILL)
    remove = os.unlink
    def unlink(*arguments, **named):  # the first file of the old folder is gone, then the power fails
        remove(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    os.unlink = unlink
    with atomic.replacing_folder(Path(sys.argv[1])) as temporary:
        (temporary / "a").write_text("new")
        (temporary / "b").write_text("new")
"""


@pytest.mark.parametrize("when", ["while writing", "while removing the old folder"])
def test_killed_folder_writer_leaves_a_whole_folder_or_none(tmp_path, python_dies, when):
    folder = tmp_path / "chapter"
    with atomic.replacing_folder(folder) as temporary:
        for name in "ab":
            (temporary / name).write_text("old")
    python_dies(KILLED_FOLDER_WRITER, folder, when)
    content = {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else None
    allowed = [{"a": "old", "b": "old"}] if when == "while writing" else [None, {"a": "new", "b": "new"}]
    assert content in allowed


def test_folder_is_replaced_whole_and_leaves_no_rubbish(tmp_path):
    folder = tmp_path / "chapter"
    for content in ("old", "new"):
        with atomic.replacing_folder(folder) as temporary:
            (temporary / content).write_text(content)
            assert not (folder / content).exists()
    assert os.listdir(folder) == ["new"] and os.listdir(tmp_path) == ["chapter"]


def test_failing_folder_writer_leaves_nothing_new(tmp_path):
    with pytest.raises(RuntimeError), atomic.replacing_folder(tmp_path / "chapter") as temporary:
        (temporary / "a").write_text("new")
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_partial_folder_outlives_a_failure_and_becomes_the_folder(tmp_path):
    folder, partial = tmp_path / "run", tmp_path / "partial-run"
    with pytest.raises(RuntimeError), atomic.replacing_folder(folder, partial) as temporary:
        (temporary / "state").write_text("epoch 3")
        raise RuntimeError
    assert not folder.exists()
    with atomic.replacing_folder(folder, partial) as temporary:
        assert (temporary / "state").read_text() == "epoch 3"
    assert os.listdir(tmp_path) == ["run"]


def test_lock_is_held_by_one_process_and_freed_when_it_dies(tmp_path):
    path = tmp_path / "new" / "run.lock"
    code = "import sys; from pathlib import Path; from lib import atomic\n"
    code += "with atomic.lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(path)]
    holder = subprocess.Popen(command, cwd=config.REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(filelock.Timeout):
        atomic.lock(path).acquire(timeout=0.1)
    holder.kill()
    holder.communicate()
    with atomic.lock(path).acquire(timeout=5):
        pass


def test_json_of_equal_values_has_equal_bytes(tmp_path):
    atomic.write_json(tmp_path / "a.json", {"x": 1, "y": [1.5, None, "ä"]})
    atomic.write_json(tmp_path / "b.json", {"y": [1.5, None, "ä"], "x": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert atomic.read_json(tmp_path / "a.json") == {"x": 1, "y": [1.5, None, "ä"]}


def test_hashes_of_content(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert atomic.sha256(b"abc") == atomic.file_sha256(tmp_path / "file") == known
    assert atomic.value_sha256({"a": 1, "b": 2}) == atomic.value_sha256({"b": 2, "a": 1})
    assert atomic.value_sha256([1, 2]) != atomic.value_sha256([2, 1])


CODE = '''
"""Module."""
class Shape:
    """Class."""
    def area(self, width: int) -> int:
        """Method."""
        return width * 2  # doubled
async def wait():
    """Only a docstring."""
'''
SAME = [
    CODE.replace("Module.", "Another module."),
    CODE.replace("  # doubled", ""),
    CODE.replace("Method.", "Longer.\n\n        Raises nothing."),
    CODE.replace('"""Module."""\n', ""),
    CODE.replace("width * 2", "(width\n                * 2)"),
    CODE.replace('"""Only a docstring."""', "pass"),
]
DIFFERENT = [
    CODE.replace("* 2", "* 3"),
    CODE.replace("width", "length"),
    CODE.replace("-> int", "-> float"),
    CODE.replace("async def", "def"),
    CODE.replace('"""Only a docstring."""', 'return "Only a docstring."'),
]


@pytest.mark.parametrize("changed", SAME)
def test_code_hash_ignores_docstrings_comments_and_layout(changed):
    assert changed != CODE and atomic.code_sha256(changed) == atomic.code_sha256(CODE)


@pytest.mark.parametrize("changed", DIFFERENT)
def test_code_hash_notices_code(changed):
    assert atomic.code_sha256(changed) != atomic.code_sha256(CODE)


def test_code_hash_refuses_what_is_no_code():
    with pytest.raises(SyntaxError):
        atomic.code_sha256("def broken(:")
