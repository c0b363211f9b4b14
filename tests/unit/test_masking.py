"""What chapter 3 shows of masks: with a network, and nothing at all where a card names nothing to mask."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lib import masking, masks
from lib.estimates import Inapplicable


@pytest.fixture
def network():
    """A network that finds the left half of everything, and refuses images that are all black."""

    def find(image):
        mask = np.zeros(image.shape[:2], bool)
        mask[:, : image.shape[1] // 2] = True
        return SimpleNamespace(mask=mask, coverage_fraction=mask.mean(), refused=not image.any())

    return SimpleNamespace(
        settings=masks.Settings(of="cell"),
        iou=np.array([0.9, 0.96, 0.99, 0.97]),
        constant_iou=np.array([0.8, 0.8, 0.9, 0.7]),
        find=find,
        apply=lambda image: np.where(find(image).mask, image, image.min()),
    )


def test_a_card_without_a_mask_has_nothing_to_show():
    assert masking.finder(None, "quick") is None and masking.on_phantoms(None, 3) == masking.on_pictures(None, []) == {}
    assert masking.fit_table(None).empty and masking.coverage_table(None, lambda path: path, []).empty
    assert isinstance(masking.fit(None), Inapplicable)


def test_weights_that_are_given_are_taken_instead_of_teaching(monkeypatch):
    monkeypatch.setattr(masks, "get", lambda settings: settings)
    assert masking.finder("cell", "quick", "own.weights.h5").weights == Path("own.weights.h5")
    assert masking.finder("cell", "quick", "").weights is None


def test_the_fit_is_the_mean_over_phantoms_with_an_interval(network):
    found = masking.fit(network)
    low, high = found.interval()
    assert found.value == pytest.approx(network.iou.mean()) and low < found.value < high and found.groups == 4
    table = masking.fit_table(network).set_index("intersection over union")
    assert table.loc["found masks", "min"] == 0.9 and table.loc["one mask for all", "mean"] == pytest.approx(0.8)


def test_phantoms_stand_beside_their_true_and_found_masks(network):
    shown = masking.on_phantoms(network, 2)
    assert list(shown) == ["phantom", "true mask", "found mask"] and {len(row) for row in shown.values()} == {2}
    assert all(image.dtype == np.uint8 for row in shown.values() for image in row)
    assert np.unique(shown["found mask"][0]).tolist() == [0, 255]


def test_refused_and_suspicious_masks_are_counted(network):
    pictures = {"a": np.full((8, 8), 200, np.uint8), "b": np.zeros((8, 8), np.uint8)}
    pictures["a"][:, 4:] = 50
    table = masking.coverage_table(network, pictures.__getitem__, ["a", "b"])
    row, phantoms = table.loc["these images"], table.loc["phantoms, true masks"]
    assert (row["images"], row["refused"], row["median"], row[masking.SMALLER]) == (2, 1, 0.5, 2)
    assert row["brightness outside, of that inside"] == 0.25  # of the one that is not black
    assert phantoms[masking.SMALLER] == phantoms[masking.BRIGHTER] == 0 and phantoms["least covered"] > 0.5
    said = masking.conclusion(table).text
    assert "Of 2 masks, 2 cover less" in said and "does not mean that they fit these images" in said


def test_masks_as_large_as_those_of_phantoms_are_not_called_wrong(network):
    table = masking.coverage_table(network, lambda path: np.full((8, 8), 9, np.uint8), ["a"])
    table.loc["these images", [masking.SMALLER, masking.BRIGHTER]] = 0
    assert (
        "could be right" in masking.conclusion(table).text
        and "nothing to mask" in masking.conclusion(table.iloc[:0]).text
    )


def test_images_are_shown_before_and_after(network):
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    shown = masking.on_pictures(network, [image])
    assert (shown["before"][0] == image).all() and (shown["after"][0][:, 4:] == 0).all()
    assert (shown["after"][0][:, :4] == image[:, :4]).all()
