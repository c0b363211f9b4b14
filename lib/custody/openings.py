"""The ledger of openings of a test part: append-only, every entry bound to the one before it, with a head that shows a cut end.

`<data set>.jsonl` holds one entry a line, `<data set>.head.json` their number and the last hash. Whoever removes both, or
rewrites all of both, leaves no trace here: whoever commits `custody/` has version control show that.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lib import atomic, config

FIRST = "first opening"
START = ""  # what the first entry is bound to
KEY_LENGTH = 20  # hexadecimal digits


def key_of(data: str, decisions: dict[str, Any]) -> str:
    """The key of an opening: hash of the data and of every decision that was frozen before, and of nothing else."""
    return atomic.value_sha256([data, decisions])[:KEY_LENGTH]


def enter(
    path: Path, data: str, decisions: dict[str, Any], reason: str, facts: dict[str, Any]
) -> tuple[dict[str, Any], bool]:
    """Note an opening before anything is opened; returns its entry, and whether it was there already.

    path: of the ledger. data: hash of the data and its hidden labels. decisions: what was frozen, plain JSON. reason: why
    the part is opened again; the first opening needs none. facts: further fields of the entry. The same key is the same
    opening and writes nothing. One process at a time; a killed one, or a full disk, leaves the ledger as it was, or with
    the entry whole.
    Raises UserError in one line for a new key without a reason, and as `read`.
    """
    with atomic.lock(path.with_suffix(".lock")):
        known, key = read(path), key_of(data, decisions)
        for entry in known:
            if entry["key"] == key:
                return entry, True
        reason = " ".join(reason.split())
        if known and not reason:
            raise config.UserError(
                f"the test part was opened before ({len(known)}x, last for: {known[-1]['reason']}), with other data or "
                "decisions; a further opening needs a stated reason: REASON='why it is opened again'"
            )
        entry = {
            "number": len(known) + 1,
            "key": key,
            "opened": datetime.now(UTC).isoformat(timespec="seconds"),
            "reason": reason or FIRST,
            "data": data,
            "decisions": decisions,
            **facts,
            "previous": known[-1]["hash"] if known else START,
        }
        entry["hash"] = _hash(entry)
        _write(path, known, entry)
    return entry, False


def read(path: Path) -> list[dict[str, Any]]:
    """All entries of a ledger, the first one first; none where it was never opened.

    An entry more than the head counts was written by a process that was killed, and holds. Raises UserError in one line
    where the ledger or its head is missing, or a line was edited, removed, put elsewhere or cut off.
    """
    head = _head(path)
    if head is None or not path.exists():
        if path.exists() or (head and head["entries"]):
            gone = path if head else _head_path(path)
            raise _tampered(path, f"{gone.name} is missing")
        return []
    entries: list[dict[str, Any]] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        entries.append(_entry(path, number, line, entries[-1]["hash"] if entries else START))
    hashes = [START, *(entry["hash"] for entry in entries)]
    if not 0 <= len(entries) - head["entries"] <= 1:
        raise _tampered(path, f"it has {len(entries)} entries, its head counts {head['entries']}")
    if hashes[head["entries"]] != head["hash"]:
        raise _tampered(path, f"line {head['entries']} is not the one that its head names")
    return entries


def _entry(path: Path, number: int, line: bytes, previous: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
        whole = entry["hash"] == _hash(entry) and isinstance(entry["key"], str) and isinstance(entry["reason"], str)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _tampered(path, f"line {number} is no entry") from None
    if not whole or entry["number"] != number or entry["previous"] != previous:
        raise _tampered(path, f"line {number} was edited or moved")
    return entry


def _write(path: Path, known: list[dict[str, Any]], entry: dict[str, Any]) -> None:
    """The ledger first, then its head: between the two it has one entry more than the head counts, which is no less true."""
    _write_head(path, known)
    lines = [json.dumps(each, sort_keys=True, ensure_ascii=False) + "\n" for each in [*known, entry]]
    with atomic.replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    _write_head(path, [*known, entry])


def _write_head(path: Path, entries: list[dict[str, Any]]) -> None:
    last = entries[-1]["hash"] if entries else START
    atomic.write_json(_head_path(path), {"entries": len(entries), "hash": last})


def _head(path: Path) -> dict[str, Any] | None:
    if not _head_path(path).exists():
        return None
    try:
        head = atomic.read_json(_head_path(path))
        return {"entries": int(head["entries"]), "hash": str(head["hash"])}
    except (ValueError, KeyError, TypeError):
        raise _tampered(path, f"{_head_path(path).name} cannot be read") from None


def _head_path(path: Path) -> Path:
    return path.with_suffix(".head.json")


def _hash(entry: dict[str, Any]) -> str:
    return atomic.value_sha256({name: value for name, value in entry.items() if name != "hash"})


def _tampered(path: Path, what: str) -> config.UserError:
    return config.UserError(
        f"the ledger of openings {path.name} was changed: {what}; put it back as it was, until then nothing is opened"
    )
