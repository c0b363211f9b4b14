"""Frozen features: both engines agree, what differs is computed anew, and reading loads no deep-learning library."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from lib import atomic, backbones, config, features, graph, networks, onnx, pixels, steps, weights
from lib.features.__main__ import main

SIZE = 32
BACKBONE = "efficientnet_lite0"
RECIPE = (steps.Grey(), steps.Resize(), steps.RepeatChannels())
ASKED = {"BACKBONE": BACKBONE, "FEATURE_SIZE": SIZE}
real_run = subprocess.run


def settings(**changes) -> features.Settings:
    values = {"recipe": RECIPE, "image_size": SIZE, "backbone": BACKBONE, "threads": 1}
    return features.Settings(**(values | changes))


@pytest.fixture
def images():
    return np.random.default_rng(7).integers(0, 256, (5, SIZE, SIZE, 1), dtype=np.uint8)


@pytest.fixture
def cache(images, tmp_path):
    """`cache(images)`: a pixel cache as `pixels.cached` gives it."""

    def make(content=images):
        np.save(tmp_path / "pixels.npy", content)
        names = np.array([f"image{row}" for row in range(len(content))])
        hashes = np.array([atomic.sha256(image.tobytes()) for image in content])
        return pixels.PixelCache(np.load(tmp_path / "pixels.npy", mmap_mode="r"), names, hashes)

    return make


@pytest.fixture
def computed(monkeypatch):
    """Stands in for the process that computes: the mean grey value. Gives the list of what was asked of it."""
    asked = []

    def run(command, **options):
        if "lib.features.extraction" not in command:
            return real_run(command, **options)
        asked.append(command)
        time.sleep(0.05)
        array = np.load(command[3])
        np.save(command[5], array.mean(axis=(1, 2)).astype(np.float32))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return asked


@pytest.fixture(scope="module")
def network():
    from lib.features import extraction

    return extraction.build(settings(), channels=1)


@pytest.fixture(scope="module")
def exported(network):
    """The network as ONNX, once: exporting takes seconds."""
    return onnx.exported(network)


@pytest.fixture
def forward(network, exported, monkeypatch):
    from lib.features import extraction

    monkeypatch.setattr(onnx, "exported", lambda _: exported)
    return lambda engine, images, threads=1: extraction.ENGINES[engine](network, threads)(images)


def test_engines_agree(forward, images):
    keras, onnx = forward("keras", images), forward("onnx", images)
    assert keras.shape == onnx.shape == (5, 1280) and keras.dtype == onnx.dtype == np.float32
    assert keras.std(axis=0).max() > 0.1
    np.testing.assert_allclose(onnx, keras, atol=1e-4)


def test_numbers_of_onnx_depend_on_the_image_alone(forward, images):
    alone = forward("onnx", images)
    np.testing.assert_array_equal(forward("onnx", images, threads=3), alone)
    np.testing.assert_array_equal(forward("onnx", images[3:], threads=2), alone[3:])


@pytest.mark.parametrize("recipe", [RECIPE, RECIPE[:2], (steps.Colour(), steps.Resize())])
def test_grey_images_reach_the_backbone_as_colour(network, images, recipe):
    """Repeated by the recipe, repeated because the recipe does not, or three channels already."""
    from lib.features import extraction

    colour = recipe[0].step == "colour"
    given = images.repeat(3, axis=-1) if colour else images
    other = extraction.build(settings(recipe=recipe), channels=given.shape[-1])
    np.testing.assert_allclose(other(given.astype(np.float32)), network(images.astype(np.float32)), atol=1e-5)


def test_what_is_not_finite_is_refused(network, images, monkeypatch, tmp_path):
    from lib.features import extraction

    monkeypatch.setattr(extraction, "build", lambda *_: network)
    monkeypatch.setitem(extraction.ENGINES, "keras", lambda *_: lambda images: np.full((len(images), 1280), np.nan))
    with pytest.raises(ValueError, match="images 0 to 5 are not all finite"):
        extraction.extract(images, settings(), tmp_path / "features.npy")


def test_a_book_has_features_of_its_development_images(book, python):
    """The real process, asked for by one that never loads a deep-learning library."""
    book("smoke")
    code = f"""
        import sys
        from lib import config, custody, features
        context = config.chapter("test", "elpv", "smoke")
        found = features.get(context, {BACKBONE!r}, {SIZE})
        rows = custody.development(context)
        assert sorted(found.names) == sorted(rows["image"])
        assert found.of(rows["image"]).std(axis=0).max() > 0.01
        assert found.record["images"] == len(rows)
        print(found.array.shape[1], type(found.array).__name__, sorted({{"tensorflow", "keras"}} & set(sys.modules)))
    """
    assert python(code) == "1280 memmap []\n"


def test_computed_once_and_then_only_mapped(cache, tmp_path, computed):
    first, again = (features.cached(tmp_path / "features", cache(), settings()) for _ in range(2))
    assert len(computed) == 1 and first.record["key"] == again.record["key"]
    assert isinstance(again.array, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        again.array[0] = 0


def test_rows_of_named_images(cache, tmp_path, computed, images):
    found = features.cached(tmp_path / "features", cache(), settings())
    expected = images.mean(axis=(1, 2))[[3, 1]]
    np.testing.assert_allclose(found.of(pd.Series(["image3", "image1"])), expected, rtol=1e-6)
    with pytest.raises(KeyError, match="nobody"):
        found.of(["image3", "nobody"])


def test_one_computes_while_others_wait(cache, tmp_path, computed):
    made = cache()
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: features.cached(tmp_path / "features", made, settings()), range(3)))
    assert len(computed) == 1 and len({one.record["key"] for one in found}) == 1


def test_a_failure_leaves_nothing(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, -9))
    with pytest.raises(features.FeaturesFailed, match="ended with -9"):
        features.cached(tmp_path / "features", cache(), settings())
    assert [path.name for path in (tmp_path / "features").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize(
    "change", ["size", "engine", "threads", "recipe", "pixels", "names", "code", "network", "weights"]
)
def test_whatever_differs_is_computed_anew(cache, tmp_path, monkeypatch, computed, images, change):
    folder, made = tmp_path / "features", cache()
    before = features.cached(folder, made, settings())
    changes = {"size": {"image_size": 33}, "engine": {"engine": "onnx"}, "threads": {"threads": 2}}
    changes |= {"recipe": {"recipe": RECIPE[:2]}}
    other = tmp_path / "other.py"
    if change == "pixels":
        made = cache(images[::-1])
    elif change == "names":
        made = pixels.PixelCache(made.array, made.names[::-1], made.sha256)
    elif change == "code":
        other.write_text(features.EXTRACTION.read_text() + "\nADDED = 1\n")
        monkeypatch.setattr(features, "EXTRACTION", other)
    elif change == "network":
        other.write_text(networks.source("efficientnet_lite").read_text() + "\nADDED = 1\n")
        monkeypatch.setattr(networks, "source", lambda _: other)
    elif change == "weights":
        other.write_bytes(b"other weights")
        monkeypatch.setattr(weights, "find", lambda _: other)
    after = features.cached(folder, made, settings(**changes.get(change, {})))
    assert len(computed) == 2 and before.record["key"] != after.record["key"]


def test_prose_changes_nothing(tmp_path, monkeypatch):
    before = features.fingerprint(settings())
    other = tmp_path / "other.py"
    other.write_text(features.EXTRACTION.read_text().replace('"""', '"""Another. ', 1) + "\n# a comment\n")
    monkeypatch.setattr(features, "EXTRACTION", other)
    assert features.fingerprint(settings()) == before


def test_mistakes_are_one_line(cache, tmp_path, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("nothing is computed"))
    with pytest.raises(
        config.UserError, match="^FEATURE_SIZE: image size 8 is too small for efficientnet_lite0: it needs 32 pixels"
    ):
        features.cached(tmp_path, cache(), settings(image_size=8))
    with pytest.raises(config.UserError, match="BACKBONE='vgg' does not exist; BACKBONE is one of: efficientnet_lite0"):
        features.settings_for(ASKED | {"BACKBONE": "vgg"}, "elpv", "smoke")
    monkeypatch.setattr(networks, "pretrained", lambda *_: (_ for _ in ()).throw(weights.WeightsRefused("not there")))
    with pytest.raises(config.UserError, match="BACKBONE efficientnet_lite0: not there"):
        features.check(settings())
    monkeypatch.setattr(networks, "input_range", lambda _: (-1.0, 1.0))
    with pytest.raises(
        config.UserError, match=r"ends in values of \[0.0, 255.0\], efficientnet_lite takes \[-1.0, 1.0\]"
    ):
        features.check(settings())


def test_a_backbone_may_start_from_a_file_of_ones_own(tmp_path, images):
    """What has to be done where nothing can be downloaded."""
    own = f"mobilenet={tmp_path / 'own.weights.h5'}"
    asked = features.settings_for(ASKED | {"BACKBONE": own}, "elpv", "smoke")
    assert asked.network == backbones.network("mobilenet", tmp_path / "own.weights.h5")
    assert asked.slug.startswith(f"mobilenet-{SIZE}px-") and "/" not in asked.slug
    with pytest.raises(config.UserError, match="BACKBONE mobilenet: weights .*own.weights.h5 do not exist"):
        features.check(asked)
    (tmp_path / "own.weights.h5").write_text("no weights")
    np.save(tmp_path / "pixels.npy", images)
    arguments = [tmp_path / "pixels.npy", asked.model_dump_json(), tmp_path / "features.npy"]
    command = [sys.executable, "-m", "lib.features.extraction", *map(str, arguments)]
    done = real_run(command, cwd=config.REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.endswith("no whole file of HDF5's format; give another, or remove it\n")
    assert "Traceback" not in done.stderr


def test_engine_and_threads_are_the_profiles():
    for profile in config.PROFILES:
        chosen, found = config.profile_settings(profile), features.settings_for(ASKED, "elpv", profile)
        assert (found.engine, found.threads) == (chosen.feature_engine, chosen.feature_threads)
    assert features.settings_for({"IMAGE_SIZE": 32, "BACKBONE": BACKBONE}, "elpv", "cpu") is None


def test_the_graph_makes_them_for_the_chapters_that_ask(monkeypatch):
    given = config.chapter_parameters
    added = {"01_explore": ASKED, "02_clean_and_split": ASKED | {"FEATURE_SIZE": 16}}
    monkeypatch.setattr(config, "chapter_parameters", lambda name, *rest: given(name, *rest) | added.get(name, {}))
    defaults = graph.default_parameters
    monkeypatch.setattr(graph, "default_parameters", lambda name: defaults(name) | added.get(name, {}))
    expected = features.settings_for(ASKED, "elpv", "smoke")
    assert graph.features_of("01_explore", "elpv", "smoke") == {expected.slug: expected}
    assert graph.features_of("05_simple_network", "elpv", "smoke") == {}
    with pytest.raises(
        config.UserError, match="^params/smoke.yml, 02_clean_and_split: FEATURE_SIZE: image size 16 is too small"
    ):
        graph.check_parameters("elpv", "smoke")


def test_the_job_names_the_key(book, computed, tmp_path, capsys):
    book("smoke")
    target = tmp_path / "marker" / "features.json"
    written = []
    for _ in range(2):
        assert main("elpv", "smoke", BACKBONE, str(SIZE), str(target)) == 0
        written.append(target.read_bytes())
    assert len(computed) == 1 and written[0] == written[1] and atomic.read_json(target)["key"]
    assert main("elpv", "smoke", "vgg", str(SIZE), str(target)) == 1
    assert capsys.readouterr().err == (
        f"BACKBONE='vgg' does not exist; BACKBONE is one of: {', '.join(backbones.BACKBONES)}; the nearest is 'vgg16'\n"
    )


def test_an_interpreter_of_its_own_computes(cache, tmp_path, computed):
    features.cached(tmp_path / "features", cache(), settings())
    assert computed[0][:3] == [sys.executable, "-m", "lib.features.extraction"]
