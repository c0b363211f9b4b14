"""What chapter 7 is made of: range test, cost, diagram, the gap to validation, and a grid of one change each."""

from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest

from lib import cards, config, cost, fit, grids, networks
from lib.estimates import Inapplicable
from lib.grids.study import by_seed
from lib.plots import diagram
from lib.plots.diagram import boxes_of
from lib.training import determinism, initial, range_test
from lib.training.configuration import Network, Phase
from lib.training.data import Data, Part

SIZES = {"stem": [4, 4], "sizes": [6, 8, 10], "momentum": 0.9}
SETTINGS = {"image_size": 18, "phases": (Phase(epochs=1),)}
SIMPLE = {"network": Network(family="simple", parameters={"filters": [8, 8]})}


@pytest.fixture(autouse=True)
def as_in_training():
    determinism.fix(threads=1, seed=7)


def configuration(**fields):
    return by_seed(cards.load("elpv"), [7], **SETTINGS | SIMPLE | fields)[0]


def bright_and_dark(images: int = 70) -> Data:
    """Half of the images are bright, half are dark, and that is the class."""
    labels = np.arange(images) % 2
    noise = np.random.default_rng(7).integers(0, 60, (images, 18, 18, 1))
    pixels = (noise + 150 * labels[:, None, None, None]).astype(np.uint8)
    names = np.arange(images).astype(str)
    part = Part(pixels, np.arange(images), names, names, labels, names)
    return Data(train=part, tuning=part, validation=part, classes=2)


@pytest.fixture(scope="module")
def tested() -> pd.DataFrame:
    determinism.fix(threads=1, seed=7)
    return range_test.losses(configuration(), bright_and_dark(), (1e-5, 100.0), 30, [1, 2])


def test_the_loss_is_followed_at_growing_rates(tested):
    assert list(tested.columns) == ["seed 1", "seed 2"] and len(tested) == 30
    ratios = tested.index[1:] / tested.index[:-1]
    assert np.allclose(ratios, ratios[0]) and np.allclose(tested.index[[0, -1]], [1e-5, 100])
    assert (tested.min() < 0.5 * tested.iloc[0]).all(), "what is easy is learned at some rate"


def test_a_test_ends_where_the_loss_diverges(tested):
    for curve in tested.to_dict("list").values():
        known = np.isfinite(curve)
        assert not known.all() and known[: known.sum()].all(), "after the first gap nothing is known"


def test_the_suggestion_is_neither_idle_nor_destructive(tested):
    suggested = range_test.suggestions(tested)
    assert suggested.between(1e-4, 0.3).all() and (suggested < tested.idxmin()).all()


def test_a_range_test_repeats_and_follows_its_seed(tested):
    again = range_test.losses(configuration(), bright_and_dark(), (1e-5, 100.0), 30, [2])
    assert again["seed 2"].equals(tested["seed 2"])
    assert not tested["seed 1"].equals(tested["seed 2"])


def test_the_suggestion_lies_where_a_known_curve_is_steepest():
    rates = np.geomspace(1e-5, 1, 101)
    curve = 1 / (1 + (rates / 1e-3) ** 2) + np.where(rates > 0.1, rates, 0)
    found = range_test.suggestions(pd.DataFrame({"seed 1": curve}, index=rates))["seed 1"]
    assert abs(np.log10(found / 1e-3)) < 0.15


def test_a_curve_that_never_falls_suggests_nothing():
    rising = pd.DataFrame({"seed 1": np.linspace(1, 2, 20)}, index=np.geomspace(1e-5, 1, 20))
    assert range_test.suggestions(rising).isna().all()
    assert isinstance(fit.support(1e-3, range_test.suggestions(rising)), Inapplicable)


@pytest.mark.parametrize(
    ("rates", "steps", "line"), [((1.0, 0.1), 20, "lowest above 0"), ((0.0, 1.0), 20, "lowest"), ((0.1, 1.0), 3, "10")]
)
def test_a_range_that_is_none_is_refused(rates, steps, line):
    with pytest.raises(ValueError, match=line):
        range_test.losses(configuration(), bright_and_dark(), rates, steps, [1])


def test_support_is_a_factor_of_ten_for_ten_times_the_suggestion():
    estimate = fit.support(0.01, pd.Series([0.001, 0.001 * 10**0.1, 0.001 * 10**-0.1, np.nan]))
    assert estimate.value == pytest.approx(1) and estimate.seeds == 3


def test_the_gap_is_validation_less_training_loss():
    def run(certain: float) -> SimpleNamespace:
        rows = {"image": list("abcdef"), "group": list("aabbcc"), "label": [0, 1] * 3}
        frame = pd.DataFrame(rows)
        train = frame.assign(part="train", probability=np.where(frame["label"], certain, 1 - certain))
        validation = frame.assign(part="validation", probability=0.5)
        return SimpleNamespace(predictions=pd.concat([train, validation]))

    runs = [run(0.8), run(0.9)]
    assert fit.gap(runs).value == pytest.approx(np.log(2) + np.mean(np.log([0.8, 0.9])))
    learned_others = SimpleNamespace(predictions=runs[1].predictions.query("part != 'train' or image != 'a'"))
    assert fit.gap([runs[0], learned_others]) == Inapplicable("each seed learned from other images")


def test_late_numbers_are_means_of_the_last_epochs_without_the_untrained_one():
    def run(losses: list[float]) -> SimpleNamespace:
        history = pd.DataFrame({"epoch": range(len(losses)), "part": "train", "loss": losses})
        other = history.assign(part="tuning", loss=9.0)
        return SimpleNamespace(configuration=SimpleNamespace(seed=7 + len(losses)), history=pd.concat([other, history]))

    assert fit.late([run([99, 1, 2])], "loss").tolist() == [1.5]
    assert fit.late([run([99, 50, 1, 2, 3, 4, 5])], "loss").tolist() == [3]


def test_a_row_of_costs_is_positive_and_counts_right():
    row = cost.measure(configuration(image_size=36, network=Network(family="simple")), channels=3, classes=2)
    assert row["parameters"] == 10177
    by_hand = 12 * 12 * 9 * 3 * 32 + 2 * 2 * 9 * 32 * 32 + 32
    assert row["multiplications_million"] == pytest.approx(by_hand / 1e6)
    assert row["milliseconds_a_step"] > 0 and row["memory_mb"] >= 0


def test_memory_is_that_of_the_largest_moment():
    with cost._Peak() as peak:
        held = np.ones(200_000_000 // 8)
        cost.time.sleep(0.05)
        del held
    assert 150e6 < peak.grown < 400e6


def xception(**fields) -> keras.Model:
    return initial.build(
        configuration(network=Network(family="xception", parameters=SIZES), **fields), bright_and_dark()
    )


def test_every_layer_stands_in_exactly_one_box():
    for network in (xception(), initial.build(configuration(), bright_and_dark())):
        boxes = boxes_of(network)
        drawn = [layer.name for box in boxes for layer in [*box.layers, *sum(box.branches or [], [])]]
        assert sorted(drawn) == sorted(operation.name for operation in network.operations)


def test_blocks_are_boxes_with_their_projection_beside_them():
    boxes = boxes_of(xception())
    titles = [box.title for box in boxes]
    assert titles == [
        "image",
        "stem convolution 1",
        "stem convolution 2",
        "block 1",
        "block 2",
        "final separable 1",
        "logits",
    ]
    blocks = [box for box in boxes if box.branches is not None]
    assert [[layer.name for layer in way] for box in blocks for way in box.branches] == [
        ["block_1_projection"],
        ["block_2_projection"],
    ]


def test_the_figure_says_shapes_and_all_parameters():
    network = xception()
    figure = diagram(network)
    text = " ".join(annotation.text for annotation in figure.layout.annotations)
    numbers = [int(number.replace(",", "")) for number in pd.Series(text).str.findall(r"([\d,]+) parameters")[0]]
    assert sum(numbers) == network.count_params()
    assert "block 1" in text and "5 × 5 × 6" in text
    hovered = "<br>".join(trace.hovertext for trace in figure.data)
    assert all(layer.name in hovered for layer in network.layers)


def test_a_branch_with_branches_is_refused():
    image = keras.Input((4, 4, 1))
    inner = keras.layers.ReLU(name="inner")(image)
    sums = keras.layers.Add()([keras.layers.ReLU()(inner), keras.layers.ReLU()(inner)])
    network = keras.Model(image, keras.layers.Add()([sums, keras.layers.ReLU()(image)]))
    with pytest.raises(ValueError, match="branches of its own"):
        diagram(network)


@pytest.mark.parametrize("profile", config.PROFILES)
def test_settings_differ_from_their_parent_by_one_change(profile):
    study = grids.family("overfit", config.chapter_parameters("07_overfit", "elpv", profile))
    parents = grids.FAMILIES["overfit"].parents(study)
    assert set(study) - set(parents) == {"xception", "short"}  # of other epochs, and other seeds
    for child, parent in parents.items():
        by_parent = {run.seed: run.model_dump() for run in study[parent]}
        for run in study[child]:
            changes = {key for key, value in run.model_dump().items() if value != by_parent[run.seed][key]}
            assert len(changes) == 1, f"{child}: {changes}"


def test_a_usual_rate_is_no_change_and_short_runs_are_short():
    parameters = config.chapter_parameters("07_overfit", "elpv", "smoke")
    usual = {"OTHER_RATES": [parameters["LEARNING_RATE"]]}
    assert not [name for name in grids.family("overfit", parameters | usual) if name.startswith("rate")]
    with pytest.raises(config.UserError, match="SWEEP_EPOCHS is 3; give fewer"):
        grids.check("overfit", parameters | {"SWEEP_EPOCHS": parameters["EPOCHS"]})


def test_the_parameters_of_the_document_are_those_of_the_network():
    family = networks.family("xception")
    image = keras.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(family.build(image, family.Parameters()))
    whole = keras.Model(image, keras.layers.Dense(1)(pooled))
    assert whole.count_params() == config.literature("S3.26")["parameters"]
