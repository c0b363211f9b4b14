"""The record of what was planted tells what findings leave out."""

import itertools

import pandas as pd

from tests.data.planted import COPIES


def test_missed_tells_what_findings_leave_out(planted):
    tree = planted("cats_and_dogs")
    rows = [
        {"kind": kind, "image": image, "other": other, "detail": ""}
        for kind, things in tree.defects.items()
        for image, other in (sorted(thing) if isinstance(thing, frozenset) else (thing, "") for thing in things)
    ]
    findings = pd.DataFrame(rows)
    assert tree.missed(findings) == {}
    for kind in itertools.chain(COPIES, {"blank", "label_conflict"}):
        assert tree.missed(findings[findings["kind"] != kind]) == {kind: tree.defects[kind]}
        assert tree.missed(findings[findings["kind"] != kind], ignore=[kind]) == {}
    closer = findings.replace({"kind": {"near_copy": "copy_of_pixels"}})
    assert tree.missed(closer) == {}
    nested = pd.DataFrame([{"kind": "repeated_tree", "image": "chest_xray/train/NORMAL/x.jpeg", "other": ""}])
    assert "repeated_tree" not in planted("chest_xray").missed(nested)
