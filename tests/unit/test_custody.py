"""Labels of the test part leave custody nowhere; what it writes is repeatable and survives bad files."""

import ast
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from lib import atomic, config, custody, ledger, splits
from lib.findings import copies, of_kind


def rows_of(folder) -> list[list[str]]:
    return [line.split() for line in (folder / "data" / "labels.csv").read_text().splitlines()]


def write_rows(folder, rows: list[list[str]]) -> None:
    (folder / "data" / "labels.csv").write_text("".join("  ".join(row) + "\n" for row in rows))


def written(context) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((context.root / "data").iterdir())}


def by_content(folder) -> dict[str, int]:
    """Row of the table of each image, by the hash of its file."""
    return {atomic.file_sha256(folder / "data" / row[0]): number for number, row in enumerate(rows_of(folder))}


@pytest.mark.parametrize("profile", ["smoke", "cpu"])
def test_test_rows_have_no_label_no_level_and_no_path_on_disk(book, profile):
    context = book(profile)
    custody.prepare("elpv", profile)
    table = pd.read_parquet(context.root / "data" / "manifest.parquet")
    hidden, told = table["part"] == "test", ["label", "level", "path"]
    assert hidden.any() and table.loc[hidden, told].isna().all(axis=None)
    assert table.loc[~hidden, told].notna().all(axis=None)
    assert table.loc[hidden, "image"].str.fullmatch(r"test-[0-9a-f]{12}(-\d+)?").all()
    assert table.loc[hidden, "group"].str.fullmatch(r"test-\d{4}").all()


def test_nothing_written_tells_a_test_label(book, changeable_data):
    """All test labels are turned round within their groups, which keeps the parts: not one byte may change."""
    context = book("cpu")
    custody.prepare("elpv", "cpu")
    before, table, rows = written(context), custody.images(context), rows_of(changeable_data)
    position = by_content(changeable_data)
    for _, members in table[table["part"] == "test"].groupby("group"):
        places = sorted(position[content] for content in members["sha256"])
        levels = [rows[place][1] for place in places]
        for place, level in zip(places, levels[::-1], strict=True):
            rows[place][1] = level
    assert rows != rows_of(changeable_data)
    write_rows(changeable_data, rows)
    custody.prepare("elpv", "cpu")
    assert written(context) == before


def test_a_visible_label_changes_the_hash(book, changeable_data):
    context = book("cpu")
    before = custody.data_sha256(context)
    table, rows, position = custody.images(context), rows_of(changeable_data), by_content(changeable_data)
    train = table[table["part"] == "train"]
    group = train[train["group"] == train["group"].iloc[0]]  # within a group, so that the parts stay
    first, other = group.iloc[0], group[group["level"] != group["level"].iloc[0]].iloc[0]
    first, other = position[first["sha256"]], position[other["sha256"]]
    rows[first][1], rows[other][1] = rows[other][1], rows[first][1]
    write_rows(changeable_data, rows)
    custody.prepare("elpv", "cpu")
    assert custody.data_sha256(context) != before


def test_smoke_never_holds_an_image_of_the_real_test_part(book):
    real, smoke = custody.images(book("cpu")), custody.images(book("smoke"))
    test_images = set(real[real["part"] == "test"]["sha256"])
    assert test_images and not test_images & set(smoke["sha256"])
    assert set(smoke["part"]) == set(splits.PARTS) and set(smoke["sha256"]) <= set(real["sha256"])


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
    """The card's cut lies at 0.5; 0.3333 is the nearest level below that it knows."""
    write_rows(changeable_data, [[path, "0.3333333333333333", kind] for path, _, kind in rows_of(changeable_data)])
    assert (custody.development(book("cpu"))["label"] == 0).all()


def test_development_comes_in_the_data_s_order(book, changeable_data):
    development = custody.development(book("cpu"))
    order = [row[0] for row in rows_of(changeable_data)]
    assert development["path"].tolist() == [path for path in order if path in set(development["path"])]
    assert (development["image"] == development["path"]).all()


def test_preparing_twice_gives_identical_bytes(book):
    context = book("cpu")
    contents = []
    for _ in range(2):
        custody.prepare("elpv", "cpu")
        contents.append(written(context))
    assert contents[0] == contents[1] and set(contents[0]) == {"manifest.parquet", "ledger.parquet", "data.json"}


def test_what_is_remembered_changes_nothing_and_is_in_no_order_of_files(book):
    """The cache of descriptions is the same whatever order files were read in."""
    context = book("cpu")
    custody.prepare("elpv", "cpu")
    cache = context.root.parent / "described.parquet"
    before, keys = written(context), pd.read_parquet(cache)["key"]
    assert keys.is_monotonic_increasing
    cache.unlink()
    custody.prepare("elpv", "cpu")
    assert written(context) == before


def test_summary_counts_what_the_manifest_holds(book):
    context = book("cpu")
    table = custody.images(context)
    summary = atomic.read_json(context.root / "data" / "data.json")
    assert (summary["dataset"], summary["profile"], summary["rows"]) == ("elpv", "cpu", len(table))
    assert summary["data_hash"] == custody.data_sha256(context) and summary["groups"] == table["group"].nunique()
    for part, counts in summary["parts"].items():
        rows = table[table["part"] == part]
        assert counts == {"images": len(rows), "groups": rows["group"].nunique()}


def test_bad_images_are_left_out_with_their_reason_and_move_no_group(book, changeable_data):
    images = changeable_data / "data" / "images"
    before = custody.images(book("cpu")).set_index("sha256")
    groups = dict(custody.development(book("cpu"))[["path", "group"]].to_numpy())
    whole = (images / "cell0055.png").read_bytes()
    bad = {atomic.file_sha256(images / f"cell{number:04d}.png") for number in (1, 12, 55)}
    (images / "cell0001.png").write_bytes(b"")
    (images / "cell0012.png").unlink()
    (images / "cell0055.png").write_bytes(whole[: len(whole) // 2])
    custody.prepare("elpv", "cpu")
    after = custody.images(book("cpu"))
    assert set(before.index) - set(after["sha256"]) == bad
    after = after[after["part"] != "test"]
    assert all(groups.get(path, group) == group for path, group in zip(after["path"], after["group"], strict=True))
    told = custody.ledger(book("cpu")).set_index("kind")
    for kind, image in {"empty_file": "1.png", "missing_file": "12.png", "truncated": "55.png"}.items():
        row = told.loc[kind]
        assert row["image"].endswith(image) and (row["decision"], row["by"]) == ("drop", "policy") and row["reason"]


def test_table_that_gives_no_usable_level_is_a_finding(book, changeable_data):
    rows = rows_of(changeable_data)
    rows[2][1], rows[3][1], rows[4] = "high", "0.5", rows[4][:1]
    write_rows(changeable_data, [*rows, [*rows[9], "more"]])
    custody.prepare("elpv", "cpu")
    told = custody.ledger(book("cpu"))
    found = {kind: list(images) for kind, images in told.groupby("kind")["image"]}
    assert found["unknown_label"] == [rows[2][0], rows[3][0]] and found["missing_label"] == [rows[4][0]]
    assert found["skipped_line"] == [""] and len(custody.images(book("cpu"))) == 125


def test_every_image_is_left_or_has_a_reason_to_be_gone(book, changeable_data, monkeypatch):
    """Also where the card selects: files = rows of the manifest + images that the ledger drops."""
    card = (config.PARAMETERS / "datasets" / "elpv.yml").read_text()
    parameters = shutil.copytree(config.PARAMETERS, changeable_data.parent / "params")
    (parameters / "datasets" / "elpv.yml").write_text(card + "selection: {balanced: 60}\n")
    monkeypatch.setattr(config, "PARAMETERS", parameters)
    (changeable_data / "data" / "images" / "cell0001.png").write_bytes(b"")
    (changeable_data / "data" / "images" / "more.png").write_bytes(b"")
    context = book("cpu")
    custody.prepare("elpv", "cpu")
    told = custody.ledger(context)
    gone = set(told.loc[told["decision"] == "drop", "image"])
    assert len(custody.images(context)) == 60 and len(gone) == 129 - 60
    assert set(told.loc[told["kind"] == "not_selected", "decision"]) == {"drop"}


def test_half_written_data_are_made_again(book):
    context = book("cpu")
    custody.prepare("elpv", "cpu")
    (context.root / "data" / "data.json").unlink()  # killed between the two files
    assert len(custody.data_sha256(context)) == 64


def test_raw_data_are_only_read(book, data_folder):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in data_folder.rglob("*.*")}
    custody.prepare("elpv", "cpu")
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in data_folder.rglob("*.*")} == before


def decided(monkeypatch, folder, *lines: str) -> None:
    """Decisions by hand on the tiny data set."""
    parameters = shutil.copytree(config.PARAMETERS, folder / "params")
    (parameters / "datasets" / "elpv.csv").write_text("\n".join([",".join(ledger.OVERRIDE_COLUMNS), *lines]))
    monkeypatch.setattr(config, "PARAMETERS", parameters)


def test_a_person_decides_on_single_images(book, monkeypatch, tmp_path):
    decided(monkeypatch, tmp_path, "manual,images/cell0005.png,drop,a finger is in it")
    context = book("cpu")
    row = custody.ledger(context).set_index("kind").loc["manual"]
    assert (row["image"], row["decision"], row["reason"]) == ("images/cell0005.png", "drop", "a finger is in it")
    assert row["by"] == "hand" and len(custody.images(context)) == 127


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("truncated,*,keep,half is enough", "'images/cell0055.png' cannot be read and cannot be kept"),
        ("missing_label,*,keep,why not", "'images/cell0005.png' has no label and cannot be kept"),
        (
            "manual,images/cell9999.png,drop,gone",
            "elpv.csv, line 2: nothing of the kind manual was found for 'images/cell",
        ),
        (
            "near_copy,cell0001.png,keep,other",
            "was found for 'cell0001.png'; found: nothing; the nearest is 'images/cell",
        ),
        ("blank,images/cell0055.png,keep,dark", "found for 'images/cell0055.png'; found: truncated"),
    ],
)
def test_decisions_that_cannot_be_carried_out_are_one_line(book, changeable_data, monkeypatch, tmp_path, line, words):
    image = changeable_data / "data" / "images" / "cell0055.png"
    image.write_bytes(image.read_bytes()[:200])
    rows = rows_of(changeable_data)
    rows[4] = rows[4][:1]
    write_rows(changeable_data, rows)
    decided(monkeypatch, tmp_path, line)
    with pytest.raises(config.UserError, match=words) as caught:
        custody.prepare("elpv", "cpu")
    assert "\n" not in str(caught.value)


def test_near_copies_share_a_group_and_so_a_part(book, monkeypatch):
    paths = [f"images/cell{number:04d}.png" for number in (1, 60, 128)]  # of three groups
    pairs = of_kind("near_copy", paths[1:], others=paths[:-1], details="half the size")
    monkeypatch.setattr(copies, "near", lambda _: pairs)
    table = custody.images(book("cpu"))
    assert table["group"].nunique() == 14 and (table.groupby("group")["part"].nunique() == 1).all()


def command(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "lib.custody", *arguments]
    return subprocess.run(command, cwd=config.REPOSITORY, capture_output=True, text=True, timeout=60)


def test_too_few_groups_is_one_line_on_the_command_line(book, changeable_data):
    write_rows(changeable_data, rows_of(changeable_data)[:20])
    done = command("elpv", "cpu")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("3 groups for 4 parts; every part needs a group of its own: give")


def test_no_image_is_one_line_on_the_command_line(book, changeable_data):
    shutil.rmtree(changeable_data / "data" / "images")
    done = command("elpv", "cpu")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "holds no image" in done.stderr


def test_no_readable_image_says_what_was_found(book, changeable_data):
    for image in (changeable_data / "data" / "images").iterdir():
        image.write_bytes(b"")
    with pytest.raises(config.UserError, match="left after the step 'files and labels', of 128; found: empty_file 128"):
        custody.prepare("elpv", "cpu")


def reads_all_labels(source: str) -> bool:
    """Whether code calls `rows()` without arguments, names `listing` of a reader, or the steps within custody."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="rows"), args=[], keywords=[]):
                return True
            case ast.Attribute(attr="listing" | "curate" | "curation") | ast.alias(name="curation"):
                return True
            case ast.ImportFrom(module="lib.custody.curation") | ast.alias(name="lib.custody.curation"):
                return True
    return False


def test_nobody_but_custody_cards_and_readers_reads_all_labels():
    files = [*(config.REPOSITORY / "lib").rglob("*.py"), *config.NOTEBOOKS.glob("*.py")]
    found = {str(path.relative_to(config.REPOSITORY)) for path in files if reads_all_labels(path.read_text())}
    allowed = {"lib/cards.py", "lib/custody/__init__.py", "lib/custody/curation.py", "lib/custody/opening.py"}
    allowed |= {"lib/custody/external.py"}  # of another data set
    assert allowed <= found and found <= allowed | {"lib/readers/table.py", "lib/readers/files.py"}
    for code in (
        "card.rows()",
        "r = cards.load('x').reader; r.listing()",
        "from lib.custody import curation",
        "from lib.custody.curation import curate",
        "import lib.custody.curation as c",
        "f = c.reader.listing",
        "custody.curation.curate(card)",
    ):
        assert reads_all_labels(code), code
    assert not reads_all_labels("cache.rows(images)\npart.rows[0]")


def opens_the_test_part(source: str) -> bool:
    """Whether code names the function that opens the labels of the test part."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "open_labels"
        or isinstance(node, ast.alias)
        and node.name == "open_labels"
        for node in ast.walk(ast.parse(source))
    )


def test_one_chapter_alone_opens_the_test_part():
    files = [*(config.REPOSITORY / "lib").rglob("*.py"), *config.NOTEBOOKS.glob("*.py")]
    found = [path.name for path in files if opens_the_test_part(path.read_text())]
    assert found == ["17_final_test.py"]
    assert opens_the_test_part("from lib.custody.opening import open_labels") and not opens_the_test_part(
        "opening.hidden(c)"
    )
