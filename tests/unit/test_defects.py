"""Drawn defects lie in sound training images alone, where their masks say; a seed repeats them."""

from dataclasses import replace

import numpy as np
import pytest

from lib import atomic
from lib.training import controls, defects
from tests.unit.test_training import configuration, part, tiny

CELLS = np.full((30, 32, 32, 1), 180, np.uint8)


@pytest.fixture
def all_seen(monkeypatch):
    """Nothing is left out, so that numbers are exact."""
    monkeypatch.setattr(defects, "visible", lambda before, after: np.ones(len(before), bool))


@pytest.mark.parametrize("kind", defects.KINDS)
@pytest.mark.parametrize("size", [18, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_defects_darken_a_part_of_the_image_and_nothing_else(kind, size, channels):
    cells = np.full((30, size, size, channels), 180, np.uint8)
    images, masks = defects.drawn(cells, 7, (kind,))
    assert images.shape == cells.shape and images.dtype == np.uint8 and masks.shape == cells.shape[:3]
    assert masks.dtype == bool and (images[~masks] == 180).all() and (images[masks] < 180).all()
    shares = masks.mean(axis=(1, 2))
    assert shares.min() > 0 and shares.max() < 0.6
    assert len({image.tobytes() for image in images}) == 30
    assert images.reshape(30, -1).min(axis=1).mean() < 140  # they can be seen


def test_a_dark_area_is_larger_than_a_crack_and_reaches_the_border():
    masks = {kind: defects.drawn(CELLS, 7, (kind,))[1] for kind in defects.KINDS}
    assert masks["dark area"].mean() > 2 * masks["crack"].mean() > masks["fingers"].mean()
    border = np.ones((32, 32), bool)
    border[1:-1, 1:-1] = False
    assert masks["dark area"][:, border].any(axis=1).all()


def test_fingers_are_upright():
    heights, widths = (defects.drawn(CELLS, 7, ("fingers",))[1].any(axis=axis).sum(axis=1) for axis in (2, 1))
    assert heights.mean() > widths.mean()


def test_thin_lines_are_averaged_not_broken():
    """What is drawn small looks like what is drawn large and made small."""
    large, small = (defects.drawn(np.full((12, size, size, 1), 200, np.uint8), 7)[0] for size in (128, 32))
    averaged = large.reshape(12, 32, 4, 32, 4).mean(axis=(2, 4))
    assert np.abs(averaged - small[..., 0]).mean() < 3


def test_a_seed_repeats_them():
    first, again, other = (defects.drawn(CELLS, seed) for seed in (7, 7, 8))
    for own, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(own, same)
    assert (first[0] != other[0]).any()


@pytest.mark.parametrize("share", [0.2, 1.5])
def test_added_images_are_sound_ones_with_label_1(share, all_seen):
    data = part(50, 2, 1)
    together, masks = defects.added(data, share, 7)
    number = round(50 * share)
    assert len(together) == 50 + number and masks.shape == (number, 20, 20)
    for column in ("names", "groups", "labels", "sha256"):
        np.testing.assert_array_equal(getattr(together, column)[:50], getattr(data, column))
    np.testing.assert_array_equal(together.pixels[together.rows[:50]], data.pixels)
    assert (together.labels[50:] == 1).all() and len(set(together.names)) == len(together)
    sources = np.array([list(data.groups).index(group) for group in together.groups[50:]])
    assert (data.labels[sources] == 0).all()
    times = np.bincount(sources, minlength=50)[data.labels == 0]
    assert times.max() - times.min() <= 1
    images = together.pixels[50:]
    np.testing.assert_array_equal((images != data.pixels[sources]).any(axis=-1), masks)
    assert [atomic.sha256(image.tobytes()) for image in images] == together.sha256[50:].tolist()


def test_defects_are_drawn_into_training_images_alone(all_seen):
    data = tiny()
    seen, again, other = (controls.applied(configuration(drawn_defects=0.4, seed=seed), data) for seed in (7, 7, 8))
    assert len(seen.train) == 70 and seen.tuning is data.tuning and seen.validation is data.validation
    assert seen.fingerprint() == again.fingerprint() != other.fingerprint()
    both = controls.applied(configuration(drawn_defects=0.5, train_share=0.5), data)
    assert len(both.train) == 26 + 13


def test_several_classes_are_refused():
    with pytest.raises(
        ValueError, match="^defects are drawn into sound images of two classes; this data set has more$"
    ):
        defects.added(part(50, 3, 1), 0.5, 7)


def test_sound_images_are_enough_and_none_is_refused(all_seen):
    data = part(50, 2, 1)
    assert len(defects.added(data.chosen(np.flatnonzero(data.labels == 0)), 0.5, 7)[0]) == 37 + 18
    with pytest.raises(ValueError, match="no sound image"):
        defects.added(replace(data, labels=np.ones(50, int)), 0.5, 7)


def test_what_is_drawn_at_the_rim_or_where_it_is_dark_cannot_be_seen():
    before = np.full((4, 32, 32, 1), 180, np.uint8)
    after = before.copy()
    after[0, :2] = 0  # the uppermost rows
    after[1, 5:20, 9] = 100
    after[2, 5:20, 9] = 175  # hardly darker
    after[3, 5:8, 9] = 0  # hardly anything
    assert defects.visible(before, after).tolist() == [False, True, False, False]


def test_images_too_small_for_a_rim_are_seen_whole():
    before = np.full((1, 8, 8, 1), 180, np.uint8)
    assert defects.visible(before, before // 2).tolist() == [True]


def test_drawn_images_that_show_nothing_are_left_out_and_no_other():
    data = part(50, 2, 1)
    data = replace(
        data, pixels=np.where(np.arange(50)[:, None, None, None] % 4, data.pixels // 8 + 150, 0).astype(np.uint8)
    )
    kept, masks = defects.added(data, 0.8, 7)
    assert kept.names[:50].tolist() == data.names.tolist() and 0 < len(kept) - 50 == len(masks) < 40
    black = set(data.names[::4][data.labels[::4] == 0])
    assert black and not any(name.partition(" with defect ")[0] in black for name in kept.names[50:])
    images = kept.pixels[50:]
    sources = [data.names.tolist().index(name.partition(" with defect ")[0]) for name in kept.names[50:]]
    np.testing.assert_array_equal((images != data.pixels[sources]).any(axis=-1), masks)
    assert defects.visible(data.pixels[sources], images).all()
