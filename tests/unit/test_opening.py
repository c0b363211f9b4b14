"""Openings of the test part: entered before a label is read, the same decisions once, everything else with a reason."""

import json
import os

import pandas as pd
import pytest

from lib import atomic, config, custody
from lib.custody import opening, openings

DECISIONS = {"chosen": "transfer", "finalists": {"transfer": {"key": "k1", "temperature": 1.2, "threshold": 0.3}}}
OTHER = {**DECISIONS, "chosen": "scratch"}


@pytest.fixture
def path(tmp_path):
    """A ledger of this test."""
    return tmp_path / "ledger" / "elpv.jsonl"


@pytest.fixture
def three(path):
    """A ledger with three openings."""
    for number in range(3):
        openings.enter(path, "data", {"model": number}, f"look {number}", {"images": 5})
    return path


def lines(path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


def test_the_first_opening_needs_no_reason_and_the_same_one_is_entered_once(path):
    entry, again = openings.enter(path, "data", DECISIONS, "", {"images": 5})
    assert not again and (entry["number"], entry["reason"], entry["images"]) == (1, openings.FIRST, 5)
    before = path.read_bytes()
    assert openings.enter(path, "data", dict(reversed(DECISIONS.items())), "", {"images": 6}) == (entry, True)
    assert path.read_bytes() == before and openings.read(path) == [entry]


@pytest.mark.parametrize("data, decisions", [("data", OTHER), ("other data", DECISIONS)])
def test_another_key_needs_a_reason(path, data, decisions):
    openings.enter(path, "data", DECISIONS, "", {})
    with pytest.raises(config.UserError, match="opened before .1x, last for: first opening.*REASON=") as caught:
        openings.enter(path, data, decisions, "  ", {})
    assert "\n" not in str(caught.value) and len(openings.read(path)) == 1
    entry, again = openings.enter(path, data, decisions, "a fault\nin the labels", {})
    assert not again and entry["number"] == 2 and entry["reason"] == "a fault in the labels"
    assert entry["previous"] == openings.read(path)[0]["hash"]


def edited(path):
    path.write_text(path.read_text().replace("look 1", "look 9"))


def rehashed(path):
    """An edited line with a hash that fits: the next one is bound to the old hash."""
    first, second, third = map(json.loads, lines(path))
    second["reason"] = "look 9"
    second["hash"] = openings._hash(second)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in (first, second, third)))


def removed(path):
    path.write_text("".join(lines(path)[i] for i in (0, 2)))


def reordered(path):
    path.write_text("".join(lines(path)[i] for i in (1, 0, 2)))


def truncated(path):
    path.write_text("".join(lines(path)[:2]))


def half_a_line(path):
    path.write_text(path.read_text()[:-30])


def emptied(path):
    path.write_text("")


def deleted(path):
    path.unlink()


def beheaded(path):
    path.with_suffix(".head.json").unlink()


def head_of_two(path):
    """The head counts two again: one entry more is what a killed process leaves, but it must be the one it names."""
    second = json.loads(lines(path)[1])
    atomic.write_json(path.with_suffix(".head.json"), {"entries": 1, "hash": second["hash"]})


def garbage(path):
    path.with_suffix(".head.json").write_text("{")


@pytest.mark.parametrize(
    "tamper",
    [edited, rehashed, removed, reordered, truncated, half_a_line, emptied, deleted, beheaded, head_of_two, garbage],
)
def test_tampering_is_refused_in_one_line_whatever_is_asked(three, tamper):
    tamper(three)
    left = three.read_bytes() if three.exists() else None
    for ask in (
        lambda: openings.read(three),
        lambda: openings.enter(three, "data", {"model": 0}, "", {}),
        lambda: openings.enter(three, "data", {"model": 7}, "a reason", {}),
    ):
        with pytest.raises(config.UserError, match="ledger of openings elpv.jsonl was changed") as caught:
            ask()
        assert "\n" not in str(caught.value)
    assert (three.read_bytes() if three.exists() else None) == left


@pytest.mark.parametrize("at", range(3))
def test_a_full_disk_leaves_the_ledger_as_it_was_or_whole(three, monkeypatch, at):
    """The head, the ledger and the head again are put in their place: each of the three may fail."""
    renamed, replace = [], os.replace

    def full(source, target):
        renamed.append(target)
        if len(renamed) == at + 1:
            raise OSError(28, "No space left on device")
        replace(source, target)

    before = openings.read(three)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        openings.enter(three, "data", DECISIONS, "a reason", {})
    monkeypatch.setattr(os, "replace", replace)
    after = openings.read(three)
    assert after[:3] == before and len(after) == (4 if at == 2 else 3)
    entry, again = openings.enter(three, "data", DECISIONS, "a reason", {})
    assert (entry["number"], again) == (4, at == 2) and len(openings.read(three)) == 4
    assert sorted(file.name for file in three.parent.iterdir()) == ["elpv.head.json", "elpv.jsonl", "elpv.lock"]


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from lib.custody import openings
    replace, seen = os.replace, []
    def killed(source, target):
        seen.append(target)
        if len(seen) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)
    os.replace = killed
    openings.enter(Path(sys.argv[1]), "data", {"model": 9}, "a reason", {})
"""


def test_killed_between_writing_and_renaming_it_goes_on(three, python_dies):
    """At the rename of the ledger, then at that of its head."""
    python_dies(KILLED, three, 2)
    assert len(openings.read(three)) == 3
    python_dies(KILLED, three, 3)
    assert len(openings.read(three)) == 4
    assert openings.enter(three, "data", {"model": 9}, "", {})[1]
    assert openings.enter(three, "data", DECISIONS, "another", {})[0]["number"] == 5 == len(openings.read(three))


AT_ONCE = """
    import os, sys, time
    from pathlib import Path
    from lib import config
    from lib.custody import openings
    before = openings.read
    def slow(path):
        found = before(path)
        time.sleep(0.3)
        return found
    openings.read = slow
    try:
        openings.enter(Path(os.environ["BOOK_LEDGER"]), "data", {"model": int(os.environ["BOOK_MODEL"])}, "", {})
    except config.UserError as error:
        Path(os.environ["BOOK_LEDGER"]).with_name(f"refused-{os.environ['BOOK_MODEL']}").write_text(str(error))
"""


def test_of_two_processes_that_open_at_once_one_is_first(path, child, monkeypatch):
    monkeypatch.setenv("BOOK_LEDGER", str(path))
    started = []
    for model in ("1", "2"):
        monkeypatch.setenv("BOOK_MODEL", model)
        started.append(child(AT_ONCE))
    for process in started:
        process.join(60)
    assert [entry["number"] for entry in openings.read(path)] == [1]
    (refused,) = path.parent.glob("refused-*")
    assert "REASON=" in refused.read_text()


def truth(folder) -> dict[str, float]:
    """Level of each file by the hash of its content."""
    rows = [line.split() for line in (folder / "data" / "labels.csv").read_text().splitlines()]
    return {atomic.file_sha256(folder / "data" / path): float(level) for path, level, _ in rows}


@pytest.mark.parametrize("profile", ["smoke", "cpu"])
def test_labels_and_pictures_are_those_of_the_images(book, data_folder, profile):
    context = book(profile)
    rows, read = opening.hidden(context), opening.pictures(context)
    assert rows[["label", "level"]].isna().all(axis=None) and (rows["path"] == rows["image"]).all()
    assert [atomic.sha256(read(name)) for name in rows["image"]] == rows["sha256"].tolist()
    opened = opening.open_labels(context, DECISIONS)
    assert opened.images["image"].equals(rows["image"]) and not opened.again
    assert opened.images["level"].tolist() == pytest.approx([truth(data_folder)[sha] for sha in rows["sha256"]])
    assert (opened.images["label"] == (opened.images["level"] > 0.5)).all() and opened.images["label"].dtype == int
    assert opening.open_labels(context, DECISIONS).again


def test_smoke_has_a_ledger_of_its_own_and_needs_no_reason(book, tmp_path):
    context, own = book("smoke"), config.REPOSITORY / "custody"
    before = {path.name: path.read_bytes() for path in own.glob("*")}
    assert opening.open_labels(context, DECISIONS).entry["reason"] == opening.REHEARSAL
    assert opening.open_labels(context, OTHER).entry["number"] == 2
    assert opening.ledger_path(context) == context.root / "custody.jsonl"
    assert not (tmp_path / "build" / "custody").exists()
    assert {path.name: path.read_bytes() for path in own.glob("*")} == before


def test_the_ledger_of_a_real_book_lies_in_custody(book, tmp_path, monkeypatch):
    context = book("cpu")
    assert opening.ledger_path(context) == tmp_path / "build" / "custody" / "elpv.jsonl"
    monkeypatch.delenv(config.BUILD_VARIABLE)
    assert opening.ledger_path(context) == config.REPOSITORY / "custody" / "elpv.jsonl"


def refuses_to_read(monkeypatch) -> None:
    def read(*_):
        raise AssertionError("labels were read")

    monkeypatch.setattr(opening, "_sealed", lambda *_: "hash of all labels")
    monkeypatch.setattr(opening, "_labels", read)


def test_it_is_refused_before_labels_are_read(book, monkeypatch):
    context = book("cpu")
    opening.open_labels(context, DECISIONS)
    refuses_to_read(monkeypatch)
    with pytest.raises(config.UserError, match="REASON="):
        opening.open_labels(context, OTHER)
    truncated_ledger = opening.ledger_path(context)
    truncated_ledger.write_text("")
    with pytest.raises(config.UserError, match="was changed"):
        opening.open_labels(context, DECISIONS)


def test_a_full_disk_opens_nothing(book, monkeypatch):
    context = book("cpu")
    opening.hidden(context)
    refuses_to_read(monkeypatch)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(openings, "_write", full)
    with pytest.raises(OSError, match="No space"):
        opening.open_labels(context, DECISIONS)
    assert opening.entries(context) == []


def test_the_reason_comes_from_make(book, monkeypatch):
    context = book("cpu")
    opening.open_labels(context, DECISIONS)
    monkeypatch.setenv(opening.REASON_VARIABLE, "labels of two images were corrected")
    assert opening.open_labels(context, OTHER).entry["reason"] == "labels of two images were corrected"
    assert [entry["number"] for entry in opening.entries(context)] == [1, 2]


def test_a_test_image_that_changed_since_is_one_line(book, changeable_data):
    context = book("cpu")
    name = opening.hidden(context)["sha256"].iloc[0]
    for image in (changeable_data / "data" / "images").iterdir():
        if atomic.file_sha256(image) == name:
            image.write_bytes(image.read_bytes() + b"x")
    with pytest.raises(config.UserError, match="is not there any more, or has changed"):
        opening.open_labels(context, DECISIONS)


def test_a_label_that_is_gone_is_one_line(book, changeable_data):
    context = book("cpu")
    gone = set(opening.hidden(context)["sha256"])
    table = changeable_data / "data" / "labels.csv"
    rows = [line.split() for line in table.read_text().splitlines()]
    kept = [
        row if atomic.file_sha256(changeable_data / "data" / row[0]) not in gone else [row[0], "what", row[2]]
        for row in rows
    ]
    table.write_text("".join("  ".join(row) + "\n" for row in kept))
    with pytest.raises(config.UserError, match="has no label any more"):
        opening.open_labels(context, DECISIONS)


def test_a_label_that_was_corrected_makes_another_opening_that_needs_a_reason(book, changeable_data):
    context = book("cpu")
    opening.open_labels(context, DECISIONS)
    first = opening.hidden(context)["sha256"].iloc[0]
    table = changeable_data / "data" / "labels.csv"
    rows = [line.split() for line in table.read_text().splitlines()]
    for row in rows:
        if atomic.file_sha256(changeable_data / "data" / row[0]) == first:
            row[1] = str(1 - float(row[1]))
    table.write_text("".join("  ".join(row) + "\n" for row in rows))
    with pytest.raises(config.UserError, match="a further opening needs a stated reason"):
        opening.open_labels(context, DECISIONS)
    assert not opening.open_labels(context, DECISIONS, "one label was corrected").again


def test_of_copies_with_two_labels_the_one_kept_by_hand_counts(book, changeable_data, monkeypatch):
    context = book("cpu")
    first = opening.hidden(context)["sha256"].iloc[0]
    table, images = changeable_data / "data" / "labels.csv", changeable_data / "data" / "images"
    original = next(image for image in images.iterdir() if atomic.file_sha256(image) == first)
    (images / "cell9999.png").write_bytes(original.read_bytes())
    level = truth(changeable_data)[first]
    table.write_text(table.read_text() + f"images/cell9999.png  {1 - level}  mono\n")
    with pytest.raises(config.UserError, match="has copies with two labels"):
        opening.open_labels(context, DECISIONS)
    by_hand = pd.DataFrame([("label_conflict", "images/cell9999.png", "keep", "seen again")])
    by_hand.columns = ["kind", "image", "decision", "reason"]
    monkeypatch.setattr(opening.ledger, "overrides", lambda _: by_hand)
    opened = opening.open_labels(context, DECISIONS).images
    assert opened.set_index("sha256")["level"][first] == pytest.approx(1 - level, abs=1e-4)


def test_studies_that_saw_all_labels_are_named(book):
    context = book("cpu")
    assert opening.studies_with_labels(context) == []
    atomic.write_json(context.root.parent / "studies" / "chapters" / "study_one" / "labels_used.json", {})
    assert opening.studies_with_labels(context) == ["study_one"]


def test_whoever_is_killed_leaves_no_lock(path, python_dies):
    python_dies(
        """
        import os, signal, sys
        from pathlib import Path
        from lib import atomic
        with atomic.lock(Path(sys.argv[1]).with_suffix(".lock")):
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        path,
    )
    assert openings.enter(path, "data", DECISIONS, "", {})[0]["number"] == 1


def test_nothing_is_opened_by_preparing_or_by_a_chapter_of_before(book):
    context = book("cpu")
    custody.prepare("elpv", "cpu")
    custody.development(context)
    assert opening.entries(context) == []
