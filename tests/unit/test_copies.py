"""Every kind of copy is found, and nothing that only looks alike."""

import hashlib

import cv2
import numpy as np
import pandas as pd
import pytest

from lib import perceptual
from lib.findings import COLUMNS, candidates, copies, likeness, near_links


def photograph(seed: int, side: int = 200, detail: float = 1.0) -> np.ndarray:
    """Noise of all octaves, as in natural pictures: (side, side) uint8."""
    generator = np.random.default_rng(seed)
    octaves = [
        cv2.resize(
            generator.normal(size=(2**k, 2**k)) * (1 if k < 4 else detail), (side, side), interpolation=cv2.INTER_CUBIC
        )
        / 1.6**k
        for k in range(1, 8)
    ]
    total = np.sum(octaves, axis=0)
    return np.clip(128 + 45 * (total - total.mean()) / total.std(), 0, 255).astype(np.uint8)


def cell(seed: int) -> np.ndarray:
    """Look-alikes: the same shades and the same dark bars, and faint grains of its own."""
    picture = 100 + 0.5 * photograph(99, detail=0.0)
    picture[::50], picture[1::50], picture[:4], picture[:, :4] = 60, 70, 40, 40
    grains = cv2.resize(np.random.default_rng(seed).normal(size=(24, 24)), (200, 200), interpolation=cv2.INTER_CUBIC)
    return np.clip(picture + 2.4 * grains, 0, 255).astype(np.uint8)


def row(path: str, pixels: np.ndarray, encoding: str = "png", quality: int = 95) -> dict:
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if encoding == "jpg" else []
    data = cv2.imencode(f".{encoding}", pixels, options)[1].tobytes()
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    small = perceptual.thumbnail(grey)
    return {
        "path": path,
        "sha256": hashlib.sha256(data).hexdigest(),
        "pixels_sha256": hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest(),
        "perceptual_hash": perceptual.perceptual_hash(small),
        "thumbnail": small.tobytes(),
        "bytes": len(data),
        "format": encoding.upper(),
        "mode": "L" if pixels.ndim == 2 else "RGB",
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "brightness": grey.mean(),
        "contrast": grey.std(),
        "status": "ok",
    }


def table(rows: list[dict]) -> pd.DataFrame:
    types = {"perceptual_hash": "UInt64", "bytes": "Int64", "width": "Int32", "height": "Int32"}
    return pd.DataFrame(rows, columns=[*row("", cell(0))]).astype(types)


def linked(findings: pd.DataFrame) -> set[frozenset[str]]:
    groups: list[set[str]] = []
    for pair in zip(findings["image"], findings["other"], strict=True):
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched] + [set(pair).union(*touched)]
    return {frozenset(group) for group in groups}


def point(change) -> np.ndarray:
    """A picture whose grey values all went through one function."""
    return np.clip(change(photograph(1).astype(float)), 0, 255).round().astype(np.uint8)


CHANGED = {
    "half the size": lambda: cv2.resize(photograph(1), (100, 100), interpolation=cv2.INTER_AREA),
    "larger": lambda: cv2.resize(photograph(1), (300, 300), interpolation=cv2.INTER_CUBIC),
    "another shape": lambda: cv2.resize(photograph(1), (160, 120), interpolation=cv2.INTER_AREA),
    "less contrast": lambda: point(lambda grey: 128 + 0.6 * (grey - 128)),
    "more contrast": lambda: point(lambda grey: 128 + 1.4 * (grey - 128)),
    "brighter": lambda: point(lambda grey: grey + 30),
    "darker": lambda: point(lambda grey: grey - 30),
    "gamma 0.7": lambda: point(lambda grey: 255 * (grey / 255) ** 0.7),
    "gamma 1.4": lambda: point(lambda grey: 255 * (grey / 255) ** 1.4),
    "colour": lambda: cv2.cvtColor(photograph(1), cv2.COLOR_GRAY2BGR),
    "several": lambda: cv2.cvtColor(cv2.resize(point(lambda grey: 20 + 0.7 * grey), (150, 150)), cv2.COLOR_GRAY2BGR),
}
OTHERS = [row(f"others/{seed}.png", photograph(seed)) for seed in range(10, 40)]


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.parametrize("encoding", [("png", 0), ("jpg", 40), ("jpg", 80)], ids=["png", "jpg 40", "jpg 80"])
def test_a_changed_picture_is_a_near_copy(change, encoding):
    rows = [*OTHERS[:15], row("a.png", photograph(1)), *OTHERS[15:], row("b", CHANGED[change](), *encoding)]
    found = copies.near(table(rows))
    assert found[["kind", "image", "other"]].to_numpy().tolist() == [["near_copy", "b", "a.png"]]


def test_in_what_a_copy_differs_is_said():
    small = cv2.resize(photograph(1), (100, 100), interpolation=cv2.INTER_AREA)
    rows = [row("a", photograph(1)), row("b", photograph(1), "jpg", 70), row("c", small), row("d", CHANGED["colour"]())]
    found = copies.near(table(rows)).set_index("image")["detail"]
    assert found["b"] == "the same picture at another encoding, JPG against PNG"
    assert found["c"] == "the same picture at another size, 100 x 100 against 200 x 200"
    assert found["d"].startswith("the same picture at another colour mode, RGB against ")


def test_look_alikes_are_no_copies():
    rows = [row(str(seed), cell(seed)) for seed in range(60)]
    hashes = np.array([each["perceptual_hash"] for each in rows], np.uint64)
    assert np.median(np.bitwise_count(hashes[:, None] ^ hashes)) <= candidates.HASH_DISTANCE, "all pairs are candidates"
    assert not len(copies.near(table(rows)))
    rows.append(row("copy", cell(7), "jpg", 60))
    assert copies.near(table(rows))[["image", "other"]].to_numpy().tolist() == [["copy", "7"]]


def test_pictures_of_little_contrast_are_not_all_alike():
    rows = [row(str(seed), (photograph(seed) * 0.04 + 100).astype(np.uint8)) for seed in range(30)]
    assert not len(copies.near(table(rows)))


def test_of_faint_pictures_only_the_same_are_copies():
    def faint(picture):
        return perceptual.thumbnail((picture * 0.07 + 100).round().astype(np.uint8))[None]

    side = np.full(1, 200.0)
    first, other = photograph(1, detail=0.3).astype(float), photograph(2, detail=0.3)
    assert likeness.distances(faint(first), faint(0.9 * first + 0.4 * other), side) > near_links.SAME_OUTSIDE_CROWDS
    assert likeness.distances(faint(first), faint(0.9 * first + 20), side) < near_links.SAME


def test_blank_and_unreadable_pictures_take_no_part():
    blank = [row(f"blank{grey}", np.full((100, 100), grey, np.uint8)) for grey in (0, 100, 101, 255)]
    faint = (photograph(2) * 0.012 + 100).round().astype(np.uint8)
    blank += [row("faint", faint), row("faint too", cv2.resize(faint, (100, 100), interpolation=cv2.INTER_AREA))]
    broken = row("broken", CHANGED["brighter"]()) | {"status": "truncated"}
    empty = dict.fromkeys(broken) | {"path": "empty", "status": "empty_file"}
    found = table([row("a", photograph(1)), *blank, broken, empty])
    assert not len(copies.near(found)) and not len(copies.exact(found)) and not len(copies.repeated_trees(found))


def test_tiny_pictures_are_found_unless_re_encoded():
    small = [cv2.resize(photograph(seed), (28, 28), interpolation=cv2.INTER_AREA) for seed in range(20)]
    changed = np.clip(small[3] * 0.8 + 30, 0, 255).astype(np.uint8)
    large = cv2.resize(small[4], (56, 56), interpolation=cv2.INTER_NEAREST)
    rows = [row(str(seed), picture) for seed, picture in enumerate(small)]
    rows += [row("changed", changed), row("large", large), row("jpg", small[5], "jpg", 40)]
    assert linked(copies.near(table(rows))) == {frozenset({"3", "changed"}), frozenset({"4", "large"})}


def test_tiny_look_alikes_are_no_copies():
    small = [cv2.resize(cell(seed), (28, 28), interpolation=cv2.INTER_AREA) for seed in range(20)]
    for count in (2, 20):  # alone or in a crowd
        assert not len(copies.near(table([row(str(seed), picture) for seed, picture in enumerate(small[:count])])))


def test_joined_groups_are_one():
    groups = near_links.Groups(np.arange(6))
    for one, two in [(0, 1), (2, 3), (1, 3), (0, 2), (4, 5), (3, 5)]:
        groups.join(one, two)
    assert len(set(groups.label)) == 1 and groups.links == [(0, 1), (2, 3), (1, 3), (4, 5), (3, 5)]


def clique() -> list[dict]:
    variants = [row(f"q{quality}", photograph(1), "jpg", quality) for quality in range(40, 96, 5)]
    return [*OTHERS, *variants, row("small", CHANGED["half the size"]()), row("bright", CHANGED["brighter"]())]


def test_a_photograph_of_which_there_are_n_pictures_gives_n_minus_one_links():
    found = copies.near(table(clique()))
    assert len(found) == len(clique()) - len(OTHERS) - 1
    assert linked(found) == {frozenset(each["path"] for each in clique()[len(OTHERS) :])}
    position = {each["path"]: place for place, each in enumerate(clique())}
    assert all(position[image] > position[other] for image, other in zip(found["image"], found["other"], strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_linked_does_not_depend_on_the_order_or_on_blocks(seed, monkeypatch):
    rows = clique() + [row(f"cell{number}", cell(number)) for number in range(40)] + [row("copy", cell(7), "jpg", 70)]
    expected = linked(copies.near(table(rows)))
    monkeypatch.setattr(candidates, "BLOCK", 24)
    monkeypatch.setattr(candidates, "ROWS", 5)
    monkeypatch.setattr(near_links, "BATCH", 16)
    shuffled = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
    assert linked(copies.near(table(shuffled))) == expected
    pd.testing.assert_frame_equal(copies.near(table(shuffled)), copies.near(table(shuffled)))


def test_the_second_hash_loses_no_copy(monkeypatch):
    rows = clique() + [row(f"cell{number}", cell(number)) for number in range(40)] + [row("copy", cell(7), "jpg", 70)]
    expected = linked(copies.near(table(rows)))
    monkeypatch.setattr(candidates, "FEWEST", 10)
    monkeypatch.setattr(candidates, "BITS", 64)  # as many as so few pictures can give, twice
    monkeypatch.setattr(candidates, "second_hash", doubled(candidates.second_hash))
    assert linked(copies.near(table(rows))) == expected


def doubled(second_hash):
    def both_words(hashes, pictures):
        return np.concatenate([second_hash(hashes, pictures)] * 2)

    return both_words


@pytest.mark.parametrize(
    "hashes", [np.zeros(1100, np.uint64), np.arange(1100, dtype=np.uint64)], ids=["equal", "different"]
)
def test_the_second_hash_of_many_pictures(hashes):
    fields = np.random.default_rng(7).integers(0, 256, (550, 8, 8), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    pictures = np.concatenate([fields, fields // 2 + 40])  # everyone twice, the second time with less contrast
    found = candidates.second_hash(hashes, lambda positions: pictures[positions])
    assert found.shape == (2, 1100) and found.dtype == np.uint64
    distance = np.bitwise_count(found[:, :550, None] ^ found[:, None, 550:]).sum(axis=0)
    copies_apart, others_apart = np.diag(distance), distance[~np.eye(550, dtype=bool)]
    assert np.quantile(copies_apart, 0.99) <= candidates.SECOND_DISTANCE < np.quantile(others_apart, 0.001)


def test_the_number_of_neighbours_counts_every_pair_once():
    hashes = np.random.default_rng(7).integers(0, 64, 300, dtype=np.uint64)  # all within 6 bits
    search = candidates.Search(hashes, None)
    with near_links.ThreadPoolExecutor(2) as pool:
        found = list(search.pairs(np.zeros(300, int), pool))
    assert (search.neighbours == 299).all()
    assert sum(len(one) for one, _ in found) == 0, "one group: nothing is left to be found"


def test_exact_copies():
    picture = photograph(1)
    rows = [row("first", picture), row("other", photograph(2)), row("bytes", picture), row("pixels", picture, "bmp")]
    rows.append(row("again", picture, "bmp"))
    found = copies.exact(table(rows))
    assert tuple(found.columns) == COLUMNS
    assert found.to_numpy().tolist() == [
        ["copy_of_bytes", "bytes", "first", "the same file"],
        ["copy_of_pixels", "pixels", "first", "the same pixels in another encoding, BMP against PNG"],
        ["copy_of_bytes", "again", "pixels", "the same file"],
    ]
    assert not len(copies.near(table(rows)))


@pytest.mark.parametrize(
    "rows", [[], [row("a", photograph(1))], [row(str(place), photograph(1)) for place in range(50)]]
)
def test_nothing_one_and_all_the_same(rows):
    found, nothing = table(rows), max(len(rows) - 1, 0)
    assert len(copies.exact(found)) == nothing
    assert not len(copies.near(found)) and not len(copies.repeated_trees(found))
    parts = pd.Series(["train", "test"] * (len(rows) // 2) or [""] * len(rows), index=found.index, dtype=object)
    assert len(copies.across(found, parts)) == (len(rows) // 2 * 2 - 1 if len(rows) > 1 else 0)


def tree(
    folder: str, seeds: range, names: tuple[str, ...] = ("train/NORMAL", "train/PNEUMONIA", "test/NORMAL")
) -> list[dict]:
    """Files without pixels: what matters here is the path and which pixels are equal."""
    paths = [(f"{folder}{name}/{seed}.jpg", f"{name}{seed}") for name in names for seed in seeds]
    return [
        dict.fromkeys(row("", cell(0))) | {"path": path, "pixels_sha256": pixels, "status": "ok"}
        for path, pixels in paths
    ]


@pytest.mark.parametrize(
    ("outer", "inner"), [("", "chest_xray/"), ("data/", "data_copy/"), ("x/data/", "x/data/data/")]
)
@pytest.mark.parametrize("repeated_first", [False, True])
def test_a_whole_tree_twice(outer, inner, repeated_first):
    first, second = tree(outer, range(10)), tree(inner, range(10)) + tree(inner + "more/", range(100, 101))
    nested = inner.startswith(outer)
    manifest = pd.DataFrame(second[:-3] + first + second[-3:] if repeated_first and nested else first + second)
    found = copies.repeated_trees(manifest)
    assert set(found["kind"]) == {"repeated_tree"} and len(found) == 30
    assert all(
        inner + twin.removeprefix(outer) == image for image, twin in zip(found["image"], found["other"], strict=True)
    )
    where = outer.rstrip("/") or "the folder it lies in"
    assert set(found["detail"]) == {f"{inner.rstrip('/')} repeats {where}: 30 of its 33 images have a twin there"}


def test_what_is_no_repeated_tree():
    first = tree("", range(10))
    half = tree("half/", range(10), ("train/NORMAL",)) + tree("half/", range(50, 70), ("train/NORMAL",))
    leak = [each | {"path": each["path"].replace("train/", "test/")} for each in tree("", range(10), ("train/a/b",))]
    flat = [
        {**each, "path": each["path"].replace("NORMAL", "ALSO_NORMAL")}
        for each in tree("", range(10), ("test/NORMAL",))
    ]
    few = tree("few/", range(3), ("train/NORMAL",))
    for others in (half, leak + tree("", range(10), ("train/a/b",)), flat, few):
        assert not len(copies.repeated_trees(pd.DataFrame(first + others)))


def test_one_folder_twice_under_the_same_name():
    first, second = tree("a/", range(10), ("NORMAL", "OTHER")), tree("b/", range(10), ("NORMAL",))
    found = copies.repeated_trees(pd.DataFrame(first + second + tree("b/", range(50, 90), ("OTHER",))))
    assert set(found["detail"]) == {"b/NORMAL repeats a/NORMAL: 10 of its 10 images have a twin there"}


def test_three_trees_have_one_original():
    found = copies.repeated_trees(pd.DataFrame(tree("a/", range(5)) + tree("b/", range(5)) + tree("c/", range(5))))
    assert {other.split("/")[0] for other in found["other"]} == {"a"} and len(found) == 30


def test_copies_across_parts():
    jpeg = row("test/jpeg", photograph(1), "jpg", 60)
    rows = [row("train/a", photograph(1)), row("train/b", CHANGED["brighter"]()), row("train/c", photograph(1))]
    rows += [jpeg, jpeg | {"path": "val/same"}, row("train/only", photograph(2)), row("train/too", photograph(2))]
    rows += [row("dropped", CHANGED["darker"]()), row("test/bmp", photograph(1), "bmp")]
    part = pd.Series(["train", "train", "train", "test", "validation", "train", "train", None, "test"])
    found = copies.across(table(rows), part)
    pairs = {(kind, image): (other, detail) for kind, image, other, detail in found.to_numpy().tolist()}
    assert pairs["copy_of_pixels", "train/a"][0] == "test/bmp" == pairs["copy_of_pixels", "train/c"][0]
    assert pairs["near_copy", "train/b"][0] == "test/jpeg"
    assert pairs["copy_of_bytes", "val/same"] == ("test/jpeg", "validation and test: the same file")
    assert {image for _, image in pairs} == {"train/a", "train/b", "train/c", "val/same"}
    assert all(detail.split(":")[0].split(" and ")[0] in ("train", "validation") for detail in found["detail"])
    pd.testing.assert_frame_equal(found, copies.across(table(rows), part, copies.near(table(rows))))


@pytest.mark.parametrize("seed", range(3))
def test_across_names_every_image_whatever_was_linked_first(seed):
    rows = clique()
    order = np.random.default_rng(seed).permutation(len(rows))
    rows = [rows[place] for place in order]
    part = pd.Series(["test" if each["path"] in ("q40", "small") else "train" for each in rows])
    found = copies.across(table(rows), part)
    expected = {each["path"] for each in clique()[len(OTHERS) :]}
    assert set(found["image"]) == expected - {"q40", "small"} and set(found["image"]) | set(
        found["other"]
    ) >= expected - {"small"}
    assert not len(copies.across(table(rows), pd.Series(["train"] * len(rows))))


def test_distances_are_ordered_as_described():
    side = np.full(1, 200.0)
    first, other = (perceptual.thumbnail(photograph(seed))[None] for seed in (1, 2))
    encoded = cv2.imdecode(cv2.imencode(".jpg", photograph(1), [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 0)
    assert likeness.distances(first, first, side) < 1e-6
    assert likeness.distances(first, perceptual.thumbnail(encoded)[None], side) < near_links.SAME
    assert likeness.distances(first, other, side) > 3
    assert len(likeness.distances(first[:0], first[:0], side[:0])) == 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (28, 28), (64, 64), (1000, 700)])
def test_thumbnails_of_every_shape(shape):
    grey = np.random.default_rng(7).integers(0, 255, shape, dtype=np.uint8)
    small = perceptual.thumbnail(grey)
    assert small.shape == (64, 64) and small.dtype == np.uint8
    assert abs(small.mean() - grey.mean()) < 8
    assert 0 <= perceptual.perceptual_hash(small) < 2**64


def test_a_thumbnail_holds_means_of_areas():
    grey = photograph(1, side=640)
    means = grey.reshape(64, 10, 64, 10).mean(axis=(1, 3))
    assert abs(perceptual.thumbnail(grey) - means).max() <= 0.51


def test_the_hash_survives_what_copying_does():
    first = perceptual.perceptual_hash(perceptual.thumbnail(photograph(1)))
    for change in CHANGED.values():
        grey = change() if change().ndim == 2 else cv2.cvtColor(change(), cv2.COLOR_BGR2GRAY)
        assert (first ^ perceptual.perceptual_hash(perceptual.thumbnail(grey))).bit_count() <= 8
    assert (first ^ perceptual.perceptual_hash(perceptual.thumbnail(photograph(2)))).bit_count() > 16
