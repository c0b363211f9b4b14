"""The cache holds exactly what the steps give, is computed once, and is computed anew when anything differs."""

import time
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from lib import atomic, config, decode, manifest, pixels, steps

RECIPE = (steps.Grey(), steps.Resize(), steps.RepeatChannels(count=3))


@pytest.fixture
def raw(tmp_path):
    """Twelve images of several shapes, grey and colour."""
    folder = tmp_path / "raw"
    folder.mkdir()
    generator = np.random.default_rng(7)
    for number in range(12):
        shape = (20 + number, 30 - number) + (() if number % 2 else (3,))
        cv2.imwrite(str(folder / f"image{number:02d}.png"), generator.integers(0, 256, shape, dtype=np.uint8))
    return folder


def reading(raw):
    """Gives the bytes of a path."""
    return lambda name: (raw / name).read_bytes()


def described(raw):
    table = manifest.build(reading(raw), sorted(path.name for path in raw.glob("*.png")))
    return table.assign(image=table["path"].str.removesuffix(".png"))


@pytest.fixture
def cached(raw, tmp_path):
    """`cached(recipe, size)`: the cache of the folder as it is now."""
    return lambda recipe=RECIPE, size=16: pixels.cached(tmp_path / "cache", reading(raw), described(raw), recipe, size)


def folders(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").iterdir() if path.is_dir())


def test_pixels_are_those_of_direct_application(raw, cached):
    cache = cached()
    assert cache.array.shape == (12, 16, 16, 1) and cache.array.dtype == np.uint8
    for row, name in enumerate(cache.names):
        image = decode.decode((raw / f"{name}.png").read_bytes()).pixels
        np.testing.assert_array_equal(cache.array[row], steps.apply(RECIPE, image, 16))
        assert cache.sha256[row] == atomic.sha256(cache.array[row].tobytes())


def test_array_is_mapped_and_cannot_be_written(cached):
    cache = cached()
    assert isinstance(cache.array, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        cache.array[0] = 0


def test_rows_of_named_images(cached):
    cache = cached()
    names = cache.names[[5, 2, 9]]
    np.testing.assert_array_equal(cache.rows(names), [5, 2, 9])
    with pytest.raises(KeyError, match="nobody"):
        cache.rows([*names, "nobody"])


def test_second_use_decodes_nothing(raw, tmp_path, monkeypatch):
    table = described(raw)
    first = pixels.cached(tmp_path / "cache", reading(raw), table, RECIPE, 16)
    monkeypatch.setattr(decode, "decode", lambda _: pytest.fail("decoded again"))
    again = pixels.cached(tmp_path / "cache", reading(raw), table, RECIPE, 16)
    np.testing.assert_array_equal(again.array, first.array)


def test_one_computes_while_others_wait(raw, tmp_path, monkeypatch):
    table, calls = described(raw), []
    real = decode.decode

    def slow(data):
        calls.append(1)
        time.sleep(0.02)
        return real(data)

    monkeypatch.setattr(decode, "decode", slow)
    with ThreadPoolExecutor(3) as pool:
        caches = list(pool.map(lambda _: pixels.cached(tmp_path / "cache", reading(raw), table, RECIPE, 16), range(3)))
    assert len(calls) == 12 and all((cache.array == caches[0].array).all() for cache in caches)


def test_steps_of_the_graph_share_a_cache(cached, tmp_path):
    cached(RECIPE)
    cached(RECIPE[:2])
    assert len(folders(tmp_path)) == 1


@pytest.mark.parametrize("change", ["size", "recipe", "content", "an image more"])
def test_whatever_differs_is_computed_anew(raw, cached, tmp_path, change):
    before = cached()
    recipe, size = RECIPE, 16
    if change == "size":
        size = 17
    elif change == "recipe":
        recipe = (steps.Resize(), steps.Grey())
    else:
        name = "image03.png" if change == "content" else "image99.png"
        cv2.imwrite(str(raw / name), np.full((30, 30), 77, np.uint8))
    after = cached(recipe, size)
    assert len(folders(tmp_path)) == 2
    if change == "content":
        np.testing.assert_array_equal(after.array[3], np.full((16, 16, 1), 77))
        assert (after.sha256 != before.sha256).tolist() == [row == 3 for row in range(12)]


def test_failure_names_image_and_reason_and_leaves_nothing(raw, cached, tmp_path):
    with pytest.raises(config.UserError, match=r"^image00\.png: recipe: .*add `resize`"):
        cached((steps.Grey(),))
    assert folders(tmp_path) == []
    assert cached().array.shape[0] == 12


def test_the_step_that_cannot_take_an_image_is_named_with_it(raw, cached):
    with pytest.raises(config.UserError, match=r"^image00\.png: step 2, otsu: takes images of one channel, this has 3"):
        cached((steps.Resize(), steps.Otsu()))


def test_images_of_other_channels_than_the_first_are_refused(raw, cached):
    with pytest.raises(config.UserError, match=r"^image01\.png: .* 1 channels, the first image has 3; begin it with"):
        cached((steps.Resize(),))


KILLED = """
    import os, signal
    from pathlib import Path
    from lib import atomic, manifest, pixels, steps
    raw, cache = Path({raw!r}), Path({cache!r})
    table = manifest.build(lambda name: (raw / name).read_bytes(), sorted(path.name for path in raw.glob("*.png")))
    table["image"] = table["path"]
    real, calls = steps.apply, []
    def apply(*arguments):
        calls.append(1)
        if len(calls) == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments)
    steps.apply = apply
    pixels.cached(cache, lambda name: (raw / name).read_bytes(), table, (steps.Grey(), steps.Resize()), 16)
"""


def test_killed_in_the_middle_leaves_nothing_that_is_taken_for_a_cache(raw, cached, tmp_path, python_dies):
    python_dies(KILLED.format(raw=str(raw), cache=str(tmp_path / "cache")))
    assert [name for name in folders(tmp_path) if not name.startswith(".")] == []
    assert cached().array.shape == (12, 16, 16, 1)


def test_raw_data_are_only_read(raw, cached):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in raw.iterdir()}
    cached()
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in raw.iterdir()} == before
