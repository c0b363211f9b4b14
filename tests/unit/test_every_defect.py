"""The data step on every generated tree: what was planted is found, what is good stays, raw files are never touched."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lib import atomic, cards, classical, config, custody, inflation, ledger, pixels, properties
from lib.custody import curation
from lib.findings import labels
from tests.data import TREES, Planted

REFUSED = {  # tree -> what the one line says
    "diabetic_retinopathy headless": "trainLabels.csv has no column 'image'",
    "medmnist short": "val_images of shape (20, 28, 28), val_labels of shape (19, 1); one label an image is needed",
    "folder one_class": "has no two folders of classes (found: cats)",
    "folder no_images": "has no two folders of classes (found: none; no images in: cats, dogs)",
}
LEAKING = {"medmnist": "train and test: near copy    1", "folder parts": "train and test: near copy    1"}
WHOLE = [name for name in TREES if name not in {**REFUSED, **LEAKING}]
OF_MODELS = {"label_error", "shortcut"}  # chapters find them
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def use(planted, tmp_path, monkeypatch) -> Callable[[str], tuple[Planted, str]]:
    """`use(name)`: the tree of this name as DATA, and its data set; a build folder of this test."""

    def get(name: str) -> tuple[Planted, str]:
        tree, card = planted(name), name.split()[0]
        monkeypatch.setenv(config.BUILD_VARIABLE, str(tmp_path / "build"))
        monkeypatch.setenv(config.DATA_VARIABLE, str(tree.folder))
        return tree, card if card in config.datasets() else config.own_dataset()[0]

    return get


@pytest.fixture
def decided(tmp_path, monkeypatch) -> Callable[[str, str], None]:
    """`decided(dataset, decision)`: leaks of this data set are decided on by hand, in a copy of the parameters."""

    def write(dataset: str, decision: str) -> None:
        copy = tmp_path / "params"
        if not copy.exists():
            shutil.copytree(config.PARAMETERS, copy)
            monkeypatch.setattr(config, "PARAMETERS", copy)
        table = copy / "datasets" / f"{dataset}.csv"
        table.write_text(f"kind,image,decision,reason\nacross_parts,*,{decision},as published\n")

    return write


def files_below(folder: Path) -> dict[str, tuple]:
    """Path -> content and time of change of every file and link."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or path.is_file():
            content = path.readlink() if path.is_symlink() else path.read_bytes()
            found[str(path.relative_to(folder))] = (content, path.lstat().st_mtime_ns)
    return found


def named(tree: Planted) -> set[str]:
    """All paths that have to do with a planted defect."""
    things = set().union(*tree.defects.values()) if tree.defects else set()
    return {path for thing in things for path in ([thing] if isinstance(thing, str) else thing)}


@pytest.mark.parametrize("name", WHOLE)
def test_every_planted_defect_is_found_and_nothing_good_is_lost(name, use, tmp_path):
    tree, dataset = use(name)
    curated = curation.curate(cards.load(dataset), tmp_path / "cache.parquet")
    found, left = curated.ledger, set(curated.table["path"])
    missed = tree.missed(found, ignore=OF_MODELS)
    learned = set(curated.table.loc[curated.table["part"] != "test", "path"])
    assert not any(
        both & learned for both in missed.pop("label_conflict", ())
    )  # labels of test images are not looked at
    assert missed == {}
    dropped = found[(found["decision"] == "drop") & ~found["kind"].isin(["not_selected", "across_parts"])]
    lost = set(curated.everything["path"]) & set(dropped["image"])
    assert {path for path in lost - named(tree) if not path.startswith("chest_xray/")} == set()
    rules = ledger.policy()
    bad = {kind for kind in tree.defects if kind not in OF_MODELS and rules[kind].decision == "drop"}
    assert not left & set().union(*(tree.defects[kind] for kind in bad))
    for path in tree.unusual.values():
        assert path in left or path in set(found["image"]), path
    if not tree.defects:
        allowed = {"count_differs", "imbalance", "junk", "not_selected", "repeated_row", "skipped_line", "empty_folder"}
        assert set(found["kind"]) <= allowed | {kind for kind in rules if kind.startswith("outlier_")}
        assert len(left) == tree.images - (found["kind"] == "not_selected").sum()


@pytest.mark.parametrize("name", WHOLE)
def test_preparing_again_gives_the_same_bytes_and_writes_below_the_build_folder_only(name, use, tmp_path):
    tree, dataset = use(name)
    raw, parameters = files_below(tree.folder), files_below(config.PARAMETERS)
    written = {}
    for step in ("at first", "with the cache", "without the cache"):
        for profile in ("cpu", "smoke"):
            custody.prepare(dataset, profile)
            data = config.book_root(dataset, profile) / "data"
            content = {path.name: path.read_bytes() for path in data.iterdir()}
            assert set(content) == {"manifest.parquet", "ledger.parquet", "data.json"}
            assert written.setdefault(profile, content) == content, (step, profile)
        if step == "with the cache":
            (tmp_path / "build" / dataset / "described.parquet").unlink()
    assert files_below(tree.folder) == raw and files_below(config.PARAMETERS) == parameters
    assert [path.name for path in tmp_path.iterdir()] == ["build"]
    real, thin = (custody.images(config.chapter("test", dataset, profile)) for profile in ("cpu", "smoke"))
    assert not set(thin["sha256"]) & set(real.loc[real["part"] == "test", "sha256"])


@pytest.mark.parametrize("name", REFUSED)
def test_a_data_set_that_cannot_be_used_is_refused_in_one_line(name, use, tmp_path):
    _, dataset = use(name)
    with pytest.raises(config.UserError) as caught:
        custody.prepare(dataset, "cpu")
    assert REFUSED[name] in str(caught.value) and "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.parquet")) and not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize("name", LEAKING)
def test_leaks_across_published_parts_stop_until_they_are_decided_on(name, use, decided, tmp_path):
    tree, dataset = use(name)
    with pytest.raises(config.UserError, match="the parts leak") as caught:
        custody.prepare(dataset, "cpu")
    assert LEAKING[name] in str(caught.value) and f"params/datasets/{dataset}.csv" in str(caught.value)
    assert not list(tmp_path.rglob("manifest.parquet")) and not list(tmp_path.rglob("data.json"))
    near = {path for both in tree.defects["near_copy"] & tree.defects["across_parts"] for path in both}
    for decision, left in [("drop", 1), ("keep", 2)]:
        decided(dataset, decision)
        curated = curation.curate(cards.load(dataset), tmp_path / "cache.parquet")
        assert tree.missed(curated.ledger) == {}
        assert len(near & set(curated.table["path"])) == left
        assert all("test" in path for path in near & set(curated.table["path"])) or decision == "keep"
        for profile in ("cpu", "smoke"):
            custody.prepare(dataset, profile)
            summary = atomic.read_json(config.book_root(dataset, profile) / "data" / "data.json")
            assert summary["let_through"] == ({"as published": 1} if decision == "keep" else {})


def test_wrong_labels_are_suspected_where_they_may_be_seen(use):
    tree, dataset = use("folder mislabelled")
    card, context = cards.load(dataset), config.chapter("test", dataset, "cpu")
    development = custody.development(context)
    cache = pixels.cached(context.root / "pixels", card.read, development, card.recipe, 48)
    features = classical.hog_features(cache.array[cache.rows(development["image"])])
    label, group = development["label"].to_numpy(int), development["group"].to_numpy()
    honest = inflation.honest(features, label, group, range(7, 12))
    found = labels.label_errors(development["path"], label, honest, card.classes)
    planted_here = tree.defects["label_error"] & set(development["path"])
    assert len(planted_here) >= 5
    most = len(planted_here) - 1  # a model learnt from 83 images may be in doubt about one
    assert set(found["image"].head(most)) <= planted_here


@pytest.mark.parametrize(("name", "told"), [("folder shortcut", True), ("folder clean", False)])
def test_a_shortcut_is_warned_of_where_there_is_one(name, told, use):
    tree, dataset = use(name)
    card, development = cards.load(dataset), custody.development(config.chapter("test", dataset, "cpu"))
    known = properties.described(development, card.properties, card.source(development))
    found = properties.association(known, development["label"].to_numpy(int), development["group"].to_numpy())
    assert tree.missed(found.findings()) == {} and bool(len(found.findings())) == told
