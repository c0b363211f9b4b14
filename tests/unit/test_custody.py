"""Labels of the test part leave custody nowhere; what it writes is repeatable and survives bad files."""

import ast
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from lib import atomic, config, custody, splits


def rows_of(folder) -> list[list[str]]:
    return [line.split() for line in (folder / "data" / "labels.csv").read_text().splitlines()]


def write_rows(folder, rows: list[list[str]]) -> None:
    (folder / "data" / "labels.csv").write_text("".join("  ".join(row) + "\n" for row in rows))


@pytest.mark.parametrize("profile", ["smoke", "cpu"])
def test_test_rows_have_no_label_and_no_level_on_disk(book, profile):
    context = book(profile)
    custody.prepare("elpv", profile)
    table = pd.read_parquet(context.root / "data" / "manifest.parquet")
    hidden = table["part"] == "test"
    assert hidden.any() and table.loc[hidden, ["label", "level"]].isna().all(axis=None)
    assert table.loc[~hidden, ["label", "level"]].notna().all(axis=None)


def test_nothing_written_tells_a_test_label(book, changeable_data):
    """All test labels are turned round within their groups, which keeps the parts: not one byte may change."""
    context = book("cpu")
    custody.prepare("elpv", "cpu")
    written = {path: path.read_bytes() for path in (context.root / "data").iterdir()}
    table, rows = custody.images(context), rows_of(changeable_data)
    for _, members in table[table["part"] == "test"].groupby("group"):
        levels = [rows[row][1] for row in members.index]
        for row, level in zip(members.index, levels[::-1], strict=True):
            rows[row][1] = level
    assert rows != rows_of(changeable_data)
    write_rows(changeable_data, rows)
    custody.prepare("elpv", "cpu")
    assert {path: path.read_bytes() for path in (context.root / "data").iterdir()} == written


def test_a_visible_label_changes_the_hash(book, changeable_data):
    context = book("cpu")
    before = custody.data_sha256(context)
    table, rows = custody.images(context), rows_of(changeable_data)
    train = table[table["part"] == "train"]
    group = train[train["group"] == train["group"].iloc[0]]  # within a group, so that the parts stay
    first, other = group.index[0], group.index[group["level"] != group["level"].iloc[0]][0]
    rows[first][1], rows[other][1] = rows[other][1], rows[first][1]
    write_rows(changeable_data, rows)
    custody.prepare("elpv", "cpu")
    assert custody.data_sha256(context) != before


def test_smoke_never_holds_an_image_of_the_real_test_part(book):
    real, smoke = custody.images(book("cpu")), custody.images(book("smoke"))
    test_images = set(real[real["part"] == "test"]["image"])
    assert test_images and not test_images & set(smoke["image"])
    assert set(smoke["part"]) == set(splits.PARTS) and set(smoke["image"]) <= set(real["image"])


def test_smoke_keeps_about_so_many_images_of_all_groups(book, monkeypatch):
    monkeypatch.setattr(config, "profile_settings", lambda _: config.Profile(images=40))
    smoke = custody.images(book("smoke"))
    assert len(smoke) == 40 and smoke.groupby("group").size().max() <= 5


def test_groups_stay_whole(book):
    assert (custody.images(book("cpu")).groupby("group")["part"].nunique() == 1).all()


def test_labels_follow_the_levels(book):
    development = custody.development(book("cpu"))
    assert (development["label"] == (development["level"] > 0.5)).all()
    assert set(development["part"]) == {"train", "tuning", "validation"} and development["label"].dtype == int


def test_level_at_the_boundary_is_not_above_it(book, changeable_data):
    write_rows(changeable_data, [[path, "0.5", kind] for path, _, kind in rows_of(changeable_data)])
    assert (custody.development(book("cpu"))["label"] == 0).all()


def test_preparing_twice_gives_identical_bytes(book):
    context = book("cpu")
    contents = []
    for _ in range(2):
        custody.prepare("elpv", "cpu")
        contents.append({path.name: path.read_bytes() for path in sorted((context.root / "data").iterdir())})
    assert contents[0] == contents[1] and set(contents[0]) == {"manifest.parquet", "data.json"}


def test_summary_counts_what_the_manifest_holds(book):
    context = book("cpu")
    table = custody.images(context)
    summary = atomic.read_json(context.root / "data" / "data.json")
    assert (summary["dataset"], summary["profile"], summary["rows"]) == ("elpv", "cpu", len(table))
    assert summary["data_hash"] == custody.data_sha256(context) and summary["groups"] == table["group"].nunique()
    for part, counts in summary["parts"].items():
        rows = table[table["part"] == part]
        assert counts == {"images": len(rows), "groups": rows["group"].nunique()}


def test_unreadable_images_are_left_out_and_move_no_group(book, changeable_data):
    images = changeable_data / "data" / "images"
    before = custody.images(book("cpu")).set_index("image")["group"]
    (images / "cell0001.png").write_bytes(b"")
    (images / "cell0012.png").unlink()
    whole = (images / "cell0055.png").read_bytes()
    (images / "cell0055.png").write_bytes(whole[: len(whole) // 2])
    custody.prepare("elpv", "cpu")
    after = custody.images(book("cpu")).set_index("image")["group"]
    gone = {f"images/cell{number:04d}" for number in (1, 12, 55)}
    assert set(before.index) - set(after.index) == gone and (after == before[after.index]).all()


def test_half_written_data_are_made_again(book):
    context = book("cpu")
    custody.prepare("elpv", "cpu")
    (context.root / "data" / "data.json").unlink()  # killed between the two files
    assert len(custody.data_sha256(context)) == 64


def test_raw_data_are_only_read(book, data_folder):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in data_folder.rglob("*.*")}
    custody.prepare("elpv", "cpu")
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in data_folder.rglob("*.*")} == before


def command(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "lib.custody", *arguments]
    return subprocess.run(command, cwd=config.REPOSITORY, capture_output=True, text=True, timeout=60)


def test_too_few_groups_is_one_line_on_the_command_line(book, changeable_data):
    write_rows(changeable_data, rows_of(changeable_data)[:20])
    done = command("elpv", "cpu")
    assert done.returncode != 0 and done.stderr.strip().count("\n") == 0
    assert "3 groups for 4 parts; every part needs a group of its own" in done.stderr


def test_no_readable_image_is_one_line_on_the_command_line(book, changeable_data):
    shutil.rmtree(changeable_data / "data" / "images")
    done = command("elpv", "cpu")
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "no image" in done.stderr and "cell0001.png" in done.stderr


def reads_all_labels(source: str) -> bool:
    """Whether code calls `rows()` without arguments, or names `reader.rows` or the private table of custody."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="rows"), args=[], keywords=[]):
                return True
            case ast.Attribute(value=ast.Attribute(attr="reader"), attr="rows") | ast.Attribute(attr="_annotated"):
                return True
    return False


def test_nobody_but_custody_and_cards_reads_all_labels():
    files = [*(config.REPOSITORY / "lib").rglob("*.py"), *config.NOTEBOOKS.glob("*.py")]
    found = {str(path.relative_to(config.REPOSITORY)) for path in files if reads_all_labels(path.read_text())}
    assert "lib/custody.py" in found and found <= {"lib/custody.py", "lib/cards.py"}
    for code in (
        "card.reader.rows()",
        "r = cards.load('x').reader; r.rows()",
        "custody._annotated(card)",
        "f = c.reader.rows",
    ):
        assert reads_all_labels(code), code
    assert not reads_all_labels("cache.rows(images)\npart.rows[0]")
