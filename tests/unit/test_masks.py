"""Masks: phantoms are what they say, a network learns from them, and what it finds is applied as the document does it."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from lib import config, masks
from lib.masks import applying, learning, phantoms, settings
from lib.steps import Mask

TINY = (settings.Stage(size=32, images=320, epochs=2, learning_rate=0.02),)
real_run = subprocess.run


def shifted(logits: np.ndarray) -> applying.Predict:
    """A network that always answers the same."""
    return lambda inputs: logits


@pytest.fixture
def build(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(config.BUILD_VARIABLE, str(tmp_path / "build"))
    return tmp_path / "build"


@pytest.fixture
def taught(build, monkeypatch):
    """Stands in for the process that teaches: files without content. Gives the list of what was asked of it."""
    asked = []

    def run(command, **options):
        asked.append(command)
        (Path(command[4]) / "network.onnx").write_bytes(b"")
        return subprocess.CompletedProcess(command, 0, stderr="")

    monkeypatch.setattr(masks.subprocess, "run", run)
    monkeypatch.setattr(masks, "_measured", lambda network: {"iou": [1.0], "constant_iou": [0.5]})
    return asked


@pytest.mark.parametrize("kind", phantoms.KINDS)
def test_phantoms_repeat_and_differ(kind):
    images, true = phantoms.draw(kind, 6, 48, seed=7)
    again, _ = phantoms.draw(kind, 3, 48, seed=7)
    other, _ = phantoms.draw(kind, 3, 48, seed=8)
    assert images.shape == true.shape == (6, 48, 48) and images.dtype == np.uint8 and true.dtype == bool
    np.testing.assert_array_equal(again, images[:3])
    assert (other != again).any(axis=(1, 2)).all() and (images[0] != images[1]).any()


@pytest.mark.parametrize(("kind", "brighter"), [("lungs", False), ("cell", True)])
def test_a_phantom_shows_what_its_mask_says(kind, brighter):
    """Parts hang together, cover what such a thing covers, and differ in brightness from what lies around them."""
    images, true = phantoms.draw(kind, 24, 96, seed=3)
    assert [ndimage.label(mask)[1] for mask in true].count(phantoms.PARTS[kind]) >= 23
    assert (true.mean(axis=(1, 2)) > 0.1).all() and (true.mean(axis=(1, 2)) < 1).all()
    for image, mask in zip(images, true, strict=True):
        near = ndimage.binary_dilation(mask, iterations=6) & ~ndimage.binary_dilation(mask, iterations=2)
        inside, outside = np.median(image[mask]), np.median(image[near])
        assert (inside > outside) == brighter


def test_an_unknown_phantom_says_which_exist():
    with pytest.raises(ValueError, match="no phantom is called 'breast'; there are: lungs, cell"):
        phantoms.draw("breast", 1, 32, 7)


@pytest.mark.parametrize("kind", phantoms.KINDS)
def test_a_network_learns_more_than_one_mask_for_all(kind, monkeypatch):
    monkeypatch.setitem(settings.EFFORTS, "quick", TINY)
    chosen = masks.Settings(of=kind, effort="quick", filters=(8, 16))
    network = learning.train(chosen)
    images, true = phantoms.draw(kind, 40, 32, seed=99)
    constant = [applying.iou(true.mean(axis=0) > 0.5, mask) for mask in true]

    def predict(inputs):
        return np.asarray(network(inputs[None], training=False))[0, ..., 0]

    found = [applying.find(image, predict, phantoms.PARTS[kind], 32).mask for image in images]
    reached = [applying.iou(one, mask) for one, mask in zip(found, true, strict=True)]
    assert np.mean(reached) > np.mean(constant) + 0.02


def test_input_is_grey_square_and_of_full_range():
    colour = np.zeros((40, 60, 3), np.uint8)
    colour[:20] = (90, 90, 90)
    seen = applying.network_input(colour, 16)
    assert seen.shape == (16, 16, 1) and seen.dtype == np.float32
    assert seen.min() == 0 and seen.max() == 255
    np.testing.assert_array_equal(applying.network_input(colour[..., 0] // 2 + 10, 16), seen)
    assert not applying.network_input(np.full((1, 1), 77, np.uint8), 16).any()


def test_what_shrinks_is_averaged_where_the_other_side_grows():
    rows, columns = np.arange(3200) % 2, np.repeat([120, 240], 4)
    seen = applying.network_input(np.outer(rows, columns).astype(np.uint8), 16)
    assert (seen == seen[:1]).all() and seen[0, 0] < 30 and seen[0, -1] > 225


def test_holes_are_filled_and_only_the_largest_parts_stay():
    mask = np.zeros((9, 12), bool)
    mask[1:6, 1:6] = True
    mask[3, 3] = False  # a hole
    mask[1:4, 8:11] = True
    mask[7, 8] = True  # a crumb
    mask[6, 6] = True  # touches the first by a corner only
    first, both = applying.cleaned(mask, 1), applying.cleaned(mask, 2)
    assert first.sum() == 25 and first[3, 3] and not first[2, 9] and not first[6, 6]
    assert both.sum() == 34 and both[2, 9] and not both[7, 8]
    np.testing.assert_array_equal(applying.cleaned(both, 2), both)
    assert not applying.cleaned(np.zeros((3, 3), bool), 2).any()


@pytest.mark.parametrize("shape", [(50, 70), (50, 70, 3)])
def test_inside_nothing_changes_and_outside_is_the_darkest_value(shape):
    image = np.random.default_rng(7).integers(30, 200, shape, dtype=np.uint8)
    logits = np.full((64, 64), -9.0)
    logits[:, :32] = 9  # the left half
    found = applying.find(image, shifted(logits), 1, 64)
    masked = applying.apply(image, found)
    assert found.mask.shape == (50, 70) and found.coverage_fraction == pytest.approx(0.5, abs=0.02)
    assert masked.dtype == np.uint8 and masked.shape == shape
    np.testing.assert_array_equal(masked[:, :34], image[:, :34])
    assert (masked[:, 36:] == image.min()).all()


@pytest.mark.parametrize(("columns", "refused"), [(0, True), (4, True), (6, False), (97, False), (99, True)])
def test_a_mask_of_hardly_anything_or_nearly_all_is_refused(columns, refused):
    image = np.random.default_rng(7).integers(1, 256, (100, 100), dtype=np.uint8)
    logits = np.where(np.arange(100) < columns, 9.0, -9.0) * np.ones((100, 1))
    found = applying.find(image, shifted(logits), 1, 100)
    assert found.refused == refused and found.coverage_fraction == pytest.approx(columns / 100)
    assert (applying.apply(image, found) is image) == refused


def test_taught_once_and_by_one(taught, build):
    chosen = masks.Settings(of="cell", effort="quick")
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: masks.get(chosen), range(3)))
    assert len(taught) == 1 and len({one.folder for one in found}) == 1
    assert taught[0][:3] == [sys.executable, "-m", "lib.masks"]
    assert found[0].iou.tolist() == [1.0] and found[0].folder.is_relative_to(build)


@pytest.mark.parametrize("change", ["of", "effort", "filters", "seed", "stages", "code"])
def test_whatever_differs_is_another_network(monkeypatch, tmp_path, change):
    chosen = masks.Settings(of="cell", effort="quick")
    before = masks.key(chosen)
    changes = {"of": {"of": "lungs"}, "effort": {"effort": "full"}, "filters": {"filters": (4, 8)}, "seed": {"seed": 8}}
    if change == "stages":
        monkeypatch.setitem(settings.EFFORTS, "quick", TINY)
    elif change == "code":
        other = tmp_path / "other.py"
        other.write_text(masks.SOURCES[0].read_text() + "\nADDED = 1\n")
        monkeypatch.setattr(masks, "SOURCES", [other, *masks.SOURCES[1:]])
    assert masks.key(masks.Settings(**(chosen.model_dump() | changes.get(change, {})))) != before
    assert masks.key(chosen) == before or change in ("stages", "code")


def test_a_failure_leaves_nothing(build, monkeypatch):
    monkeypatch.setattr(
        masks.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, -9, stderr="a\nlast words\n")
    )
    with pytest.raises(masks.TrainingFailed, match="mask of cell: its process ended with -9: last words"):
        masks.get(masks.Settings(of="cell"))
    assert [path for path in (build / "masks").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("name", ["absent.weights.h5", "folder.weights.h5", "notes.txt"])
def test_weights_that_are_no_file_are_refused_in_one_line(build, tmp_path, taught, name):
    (tmp_path / "folder.weights.h5").mkdir()
    (tmp_path / "notes.txt").write_text("no weights")
    with pytest.raises(config.UserError) as caught:
        masks.get(masks.Settings(of="lungs", weights=tmp_path / name))
    text = str(caught.value)
    assert name in text and "name a `.weights.h5` file" in text and "\n" not in text and not taught


def test_weights_of_the_network_are_taken_and_those_of_another_refused(tmp_path):
    fits = masks.Settings(of="lungs", weights=tmp_path / "own.weights.h5", filters=(2, 4))
    network = learning._network(fits, fits.size)
    network.save_weights(fits.weights)
    np.testing.assert_array_equal(learning.load(fits).get_weights()[0], network.get_weights()[0])
    (tmp_path / "rubbish.weights.h5").write_bytes(b"rubbish")
    for other in (
        fits.model_copy(update={"filters": (2, 6)}),
        fits.model_copy(update={"filters": (2, 4, 8)}),
        fits.model_copy(update={"weights": tmp_path / "rubbish.weights.h5"}),
    ):
        with pytest.raises(masks.WeightsRefused) as caught:
            learning.load(other)
        text = str(caught.value)
        assert f"does not fit a unet of filters {list(other.filters)}" in text and "\n" not in text


def test_the_real_process_from_weights_to_masks_without_a_deep_learning_library(build, tmp_path, python):
    """Its own process exports what is given; what uses it loads ONNX Runtime alone."""
    chosen = masks.Settings(of="cell", weights=tmp_path / "own.weights.h5", filters=(2, 4))
    learning._network(chosen, chosen.size).save_weights(chosen.weights)
    code = f"""
        import sys
        from lib import masks
        from lib.steps import Mask
        masks.HELD_OUT = 2
        step = Mask(of="cell", weights={str(chosen.weights)!r}, filters=(2, 4))
        images, _ = masks.held_out(step.settings, 3)
        table = masks.survey(step.network, lambda path: images[int(path)], ["2", "0"])
        masked = step.apply(images[0], 32)
        print(masked.shape, masked.dtype, list(table["path"]), len(step.network.iou), "tensorflow" in sys.modules)
    """
    assert python(code).splitlines()[-1] == "(300, 300) uint8 ['2', '0'] 100 False"


def test_the_step_is_plain_settings():
    step = Mask(of="lungs")
    assert Mask.model_validate(step.model_dump(mode="json")) == step and not step.in_graph
    assert step.fingerprint()[-1] == masks.key(masks.Settings(of="lungs"))
    with pytest.raises(ValueError, match="'lungs' or 'cell'"):
        Mask(of="breast")
