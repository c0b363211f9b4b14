"""One row an image, in the order given, with what the file tells; a file that cannot be read has a row too."""

import hashlib
import runpy
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib import atomic, manifest, perceptual

GENERATOR = np.random.default_rng(7)
NOISE = GENERATOR.integers(0, 256, (300, 400), dtype=np.uint8)
dicom_file = runpy.run_path(str(Path(__file__).parents[1] / "data" / "dicom_file.py"))["dicom_file"]


@pytest.fixture
def folder(tmp_path):
    """Good files of several kinds and depths, and one of each way to be unreadable."""
    images = tmp_path / "data" / "images"
    images.mkdir(parents=True)
    cv2.imwrite(str(images / "dark.png"), np.full((10, 20), 30, np.uint8))
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 200
    cv2.imwrite(str(images / "stripes.bmp"), stripes)
    cv2.imwrite(str(images / "noise.png"), NOISE)
    cv2.imwrite(str(images / "blurred.png"), cv2.GaussianBlur(NOISE, (9, 9), 3))
    (images / "scan.dcm").write_bytes(dicom_file(NOISE))
    np.save(images / "array.npy", NOISE)
    (images / "cut.png").write_bytes((images / "dark.png").read_bytes()[:50])
    (images / "empty.jpg").write_bytes(b"")
    (images / "pointer.png").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    (images / "page.jpg").write_bytes(b"<html>not found</html>")
    (images / "folder.png").mkdir()
    return tmp_path / "data"


GOOD = ["stripes.bmp", "dark.png", "noise.png", "blurred.png", "scan.dcm", "array.npy"]
BAD = {
    "empty.jpg": "empty_file",
    "cut.png": "truncated",
    "pointer.png": "lfs_pointer",
    "page.jpg": "not_an_image",
    "missing.png": "missing_file",
    "folder.png": "unreadable",
}
PATHS = [f"images/{name}" for pair in zip(GOOD, BAD, strict=True) for name in pair]


class Reader:
    """Reads below a folder and counts."""

    def __init__(self, folder: Path):
        self.folder, self.reads = folder, Counter()

    def __call__(self, path: str) -> bytes:
        self.reads[path] += 1
        return (self.folder / path).read_bytes()

    def identities(self, paths: list[str]) -> list[str]:
        return [self._identity(path) for path in paths]

    def _identity(self, path: str) -> str:
        if not (self.folder / path).exists():
            return path
        found = (self.folder / path).stat()
        return f"{path} {found.st_size} {found.st_mtime_ns}"


@pytest.fixture
def read(folder) -> Reader:
    return Reader(folder)


@pytest.fixture
def cached(read, tmp_path):
    """`cached(paths)`: the manifest through a cache; counts of reads start anew."""

    def build(paths: list[str] = PATHS) -> pd.DataFrame:
        read.reads.clear()
        return manifest.build(read, paths, read.identities(paths), tmp_path / "cache" / "rows.parquet")

    return build


def test_what_the_files_tell(folder, read):
    table = manifest.build(read, PATHS).set_index("path")
    dark, stripes = table.loc["images/dark.png"], table.loc["images/stripes.bmp"]
    assert (dark["width"], dark["height"], dark["mode"], dark["format"]) == (20, 10, "L", "PNG")
    assert (dark["brightness"], dark["contrast"], dark["sharpness"]) == (30, 0, 0)
    assert (dark["status"], dark["reason"]) == ("ok", "")
    assert (stripes["width"], stripes["height"], stripes["mode"], stripes["format"]) == (8, 8, "RGB", "BMP")
    assert (stripes["brightness"], stripes["contrast"]) == (100, 100)
    assert dark["sha256"] == atomic.file_sha256(folder / "images/dark.png")
    assert dark["bytes"] == (folder / "images/dark.png").stat().st_size
    assert (table.loc["images/scan.dcm", "format"], table.loc["images/array.npy", "format"]) == ("DICOM", "NPY")


def test_columns_and_types_are_the_same_whatever_the_images(read):
    for paths in ([], ["images/missing.png"], PATHS):
        table = manifest.build(read, paths)
        assert table.dtypes.astype(str).to_dict() == manifest.COLUMNS and len(table) == len(paths)


def test_pixels_have_a_hash_of_their_own(read):
    table = manifest.build(read, PATHS).set_index("path")
    expected = hashlib.sha256(b"(300, 400)" + NOISE.tobytes()).hexdigest()
    for name in ("noise.png", "array.npy"):  # another file, the same picture
        assert table.loc[f"images/{name}", "pixels_sha256"] == expected
    assert table["sha256"].dropna().is_unique


def test_the_small_picture_and_its_hash_are_those_of_the_grey_picture(read):
    row = manifest.build(read, ["images/noise.png"]).iloc[0]
    small = perceptual.thumbnail(NOISE)
    assert row["thumbnail"] == small.tobytes() and len(row["thumbnail"]) == 64 * 64
    assert row["perceptual_hash"] == perceptual.perceptual_hash(small)


def test_blur_takes_sharpness(read):
    table = manifest.build(read, PATHS).set_index("path")
    assert table.loc["images/blurred.png", "sharpness"] < table.loc["images/noise.png", "sharpness"] / 20


def test_sharpness_agrees_with_its_definition():
    picture = NOISE[:100, :120]
    padded = np.pad(picture.astype(float), 1, mode="reflect")
    laplacian = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * padded[1:-1, 1:-1]
    assert manifest._sharpness(picture) == pytest.approx(laplacian.var())


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (2, 2), (1, 1, 3)])
def test_pictures_of_any_shape_are_described(shape):
    data = cv2.imencode(".png", np.full(shape, 9, np.uint8))[1].tobytes()
    row = manifest.build(lambda _: data, ["thin.png"]).iloc[0]
    assert row["status"] == "ok" and (row["height"], row["width"]) == shape[:2] and row["sharpness"] == 0


def test_rows_come_in_the_order_given(read):
    assert manifest.build(read, PATHS)["path"].tolist() == PATHS
    assert manifest.build(read, PATHS[::-1])["path"].tolist() == PATHS[::-1]


def test_unreadable_files_say_why_and_break_nothing(folder, read):
    table = manifest.build(read, PATHS).set_index("path")
    assert {name: table.loc[f"images/{name}", "status"] for name in BAD} == BAD
    bad = table.loc[[f"images/{name}" for name in BAD]]
    assert bad["reason"].str.len().gt(5).all() and not bad["reason"].str.contains(str(folder), regex=False).any()
    assert bad[["pixels_sha256", "perceptual_hash", "width", "format", "brightness", "sharpness"]].isna().all(axis=None)
    assert table.loc["images/cut.png", "bytes"] == 50 and len(table.loc["images/cut.png", "sha256"]) == 64
    assert pd.isna(table.loc["images/missing.png", "sha256"]) and pd.isna(table.loc["images/missing.png", "bytes"])


def test_errors_that_are_not_of_the_system_are_not_hidden():
    def broken(path: str) -> bytes:
        raise KeyError(path)

    with pytest.raises(KeyError):
        manifest.build(broken, ["a.png"])


def test_forbidden_files_are_unreadable():
    def forbidden(path: str) -> bytes:
        raise PermissionError(13, "Permission denied", f"/somewhere/{path}")

    row = manifest.build(forbidden, ["a.png"]).iloc[0]
    assert (row["status"], row["reason"]) == ("unreadable", "cannot be read: Permission denied")


def test_raw_files_are_only_read(folder, read):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*") if path.is_file()}
    manifest.build(read, PATHS)
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.*") if path.is_file()}
    assert after == before


# ---- the cache


def test_rows_of_unchanged_images_are_not_read_again(read, cached):
    first = cached()
    assert set(read.reads) == set(PATHS)
    pd.testing.assert_frame_equal(cached(), first)
    assert set(read.reads) == {"images/missing.png", "images/folder.png"}  # these may be there the next time
    pd.testing.assert_frame_equal(manifest.build(read, PATHS), first)


def test_a_changed_image_is_read_again(folder, read, cached):
    before = cached()
    cv2.imwrite(str(folder / "images/dark.png"), np.full((11, 20), 31, np.uint8))
    (folder / "images/missing.png").write_bytes((folder / "images/noise.png").read_bytes())
    after = cached()
    assert set(read.reads) == {"images/dark.png", "images/missing.png", "images/folder.png"}
    pd.testing.assert_frame_equal(after, manifest.build(read, PATHS))
    changed = after.loc[after["sha256"].fillna("") != before["sha256"].fillna(""), "path"]
    assert set(changed) == {"images/dark.png", "images/missing.png"}


def test_a_further_image_is_read_alone(read, cached):
    cached(PATHS[1:])
    cached()
    assert PATHS[0] in read.reads and "images/noise.png" not in read.reads


def test_the_cache_names_no_path(read, cached, tmp_path):
    cached()
    content = (tmp_path / "cache" / "rows.parquet").read_bytes()
    assert "path" not in pd.read_parquet(tmp_path / "cache" / "rows.parquet") and b"images/" not in content


@pytest.mark.parametrize("module", ["manifest", "perceptual", "decode", "dicom", "pictures"])
def test_other_code_reads_everything_again(module, read, cached, monkeypatch):
    cached()
    source = (Path(manifest.__file__).parent / f"{module}.py").read_text()
    real = atomic.code_sha256
    monkeypatch.setattr(atomic, "code_sha256", lambda text: "other" if text == source else real(text))
    cached()
    assert set(read.reads) == set(PATHS)


def test_other_packages_read_everything_again(read, cached, monkeypatch):
    cached()
    monkeypatch.setattr(manifest.metadata, "version", lambda package: "0" if package == "pillow" else "1")
    cached()
    assert set(read.reads) == set(PATHS)


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def foreign(path: Path) -> None:
    pd.DataFrame({"key": ["a"], "sha256": ["b"]}).to_parquet(path)


def of_other_types(path: Path) -> None:
    pd.read_parquet(path).assign(width="wide").to_parquet(path)


@pytest.mark.parametrize("change", [damaged, foreign, of_other_types, lambda path: path.write_bytes(b"")])
def test_a_cache_that_cannot_be_used_is_made_anew(change, read, cached, tmp_path):
    first = cached()
    change(tmp_path / "cache" / "rows.parquet")
    pd.testing.assert_frame_equal(cached(), first)
    assert set(read.reads) == set(PATHS)
    cached()
    assert len(read.reads) == 2


def test_an_interrupted_run_keeps_what_it_has_read(read, cached, monkeypatch):
    real = manifest._describe

    def interrupted(read: Reader, path: str) -> dict:
        if path == PATHS[6]:
            raise KeyboardInterrupt
        return real(read, path)

    monkeypatch.setattr(manifest, "_describe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cached()
    monkeypatch.setattr(manifest, "_describe", real)
    cached()
    assert PATHS[6] in read.reads and not set(PATHS[:6]) & set(read.reads)


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from lib import manifest
    folder, cache = Path(sys.argv[1]), Path(sys.argv[2])
    manifest.BATCH = 2
    names = sorted(path.name for path in (folder / "images").iterdir() if path.is_file())
    def read(name):
        if name == names[int(sys.argv[3])]:
            os.kill(os.getpid(), signal.SIGKILL)
        return (folder / "images" / name).read_bytes()
    manifest.build(read, names, names, cache)
"""


def test_a_killed_run_keeps_the_batches_before(folder, python_dies, tmp_path):
    cache = tmp_path / "killed.parquet"
    python_dies(KILLED, folder, cache, 0)
    assert not cache.exists()
    python_dies(KILLED, folder, cache, 5)
    assert len(pd.read_parquet(cache)) == 4
    names = sorted(path.name for path in (folder / "images").iterdir() if path.is_file())
    read = Reader(folder / "images")
    table = manifest.build(read, names, names, cache)
    assert set(read.reads) == set(names[4:])
    pd.testing.assert_frame_equal(table, manifest.build(read, names))


@given(st.lists(st.tuples(st.sampled_from(PATHS), st.booleans()), max_size=8))
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_neither_order_nor_cache_nor_history_changes_a_row(folder, read, cached, chosen):
    """The cache goes on from example to example; an image is asked for twice, or not, and touched in between."""
    for path, touched in chosen:
        if touched and (folder / path).is_file():
            (folder / path).touch()
    paths = [path for path, _ in chosen]
    table = cached(paths)
    pd.testing.assert_frame_equal(table, manifest.build(read, paths))
    together = manifest.build(read, sorted(set(paths))).set_index("path")
    pd.testing.assert_frame_equal(table.set_index("path"), together.loc[paths])
