"""One row an image, in the order given, with what the file tells; a file that cannot be read has a row too."""

import cv2
import numpy as np
import pandas as pd
import pytest

from lib import atomic, manifest


@pytest.fixture
def folder(tmp_path):
    """A dark grey, a bright colour, a cut and an empty file."""
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "dark.png"), np.full((10, 20), 30, np.uint8))
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 200
    cv2.imwrite(str(tmp_path / "images" / "stripes.bmp"), stripes)
    (tmp_path / "images" / "cut.png").write_bytes((tmp_path / "images" / "dark.png").read_bytes()[:40])
    (tmp_path / "images" / "empty.jpg").write_bytes(b"")
    return tmp_path


PATHS = ["images/stripes.bmp", "images/empty.jpg", "images/dark.png", "images/missing.png", "images/cut.png"]


def test_what_the_files_tell(folder):
    table = manifest.build(folder, PATHS).set_index("image")
    dark, stripes = table.loc["images/dark"], table.loc["images/stripes"]
    assert (dark["width"], dark["height"], dark["mode"], dark["format"]) == (20, 10, "L", "PNG")
    assert (dark["brightness"], dark["contrast"], dark["status"]) == (30, 0, "ok")
    assert (stripes["width"], stripes["height"], stripes["mode"], stripes["format"]) == (8, 8, "RGB", "BMP")
    assert (stripes["brightness"], stripes["contrast"]) == (100, 100)
    assert dark["sha256"] == atomic.file_sha256(folder / "images/dark.png")
    assert dark["bytes"] == (folder / "images/dark.png").stat().st_size


def test_rows_come_in_the_order_given(folder):
    assert manifest.build(folder, PATHS)["path"].tolist() == PATHS
    assert manifest.build(folder, PATHS[::-1])["path"].tolist() == PATHS[::-1]


def test_unreadable_files_say_why_and_break_nothing(folder):
    table = manifest.build(folder, PATHS).set_index("image")
    for name in ("empty", "missing", "cut"):
        row = table.loc[f"images/{name}"]
        assert row["status"] != "ok" and pd.isna(row["width"]) and pd.isna(row["brightness"])
    assert "No such file" in table.loc["images/missing", "status"]
    assert pd.isna(table.loc["images/missing", "sha256"]) and table.loc["images/cut", "bytes"] == 40


def test_content_hash_follows_names_and_content_alone(folder):
    before = manifest.content_sha256(manifest.build(folder, PATHS[:3]))
    assert manifest.content_sha256(manifest.build(folder, PATHS[:3]).assign(brightness=0)) == before
    cv2.imwrite(str(folder / "images" / "dark.png"), np.full((10, 20), 31, np.uint8))
    assert manifest.content_sha256(manifest.build(folder, PATHS[:3])) != before


def test_raw_files_are_only_read(folder):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")}
    manifest.build(folder, PATHS)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*")} == before
