"""What chapters 9 to 11 compare: grids, contrasts over settings, images that turn, costs, and which cells have been run."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib import cells, combinations, config, cost, effects, grids, heads, plots, timing, transfer, turned
from lib.estimates import Estimate, Inapplicable
from lib.grids import strategies
from lib.grids.image_size import coarse
from lib.runs import Predictions
from lib.texts import Sentence

IMAGES, GROUPS = 80, 8
LABELS = np.tile([0, 1], IMAGES // 2)
TRANSFER = {
    "DATASET": "elpv", "BACKBONES": ["efficientnet_lite0", "efficientnet_lite1"], "FEATURE_SIZE": 64, "HIDDEN": 2,
    "EPOCHS": [6, 6], "OPTIMISERS": ["adam", "sgd"], "RATES": [0.01, 0.001], "DECAY": 10.0, "PATIENCE": [2, 4], "DEPTHS": [1, 3],
    "RATE_BY_BLOCK": 0.5, "ALL_TRAINED": "first", "ALL_SIZE": 48, "ALL_EPOCHS": 6, "MEASURED_IMAGES": 32, "ENGINE": "onnx",
    "SEEDS": [1, 2], "THREADS": 1,
}  # fmt: skip


def run(certainty: float, seed: int, images: slice = slice(None)) -> SimpleNamespace:
    """A run that ranks better the more certain it is."""
    draw = np.random.default_rng(seed)
    signal = (LABELS - 0.5) * certainty + 0.15 * draw.standard_normal(IMAGES)
    table = {"image": [f"image{i}" for i in range(IMAGES)], "part": "validation", "label": LABELS}
    table["group"] = np.repeat([f"group{i}" for i in range(GROUPS)], IMAGES // GROUPS)
    return SimpleNamespace(predictions=pd.DataFrame(table | {"probability": np.clip(0.5 + signal, 0.01, 0.99)})[images])


def finished(**certainty: float) -> dict[str, list]:
    return {name: [run(value, seed) for seed in (1, 2, 3)] for name, value in certainty.items()}


def test_a_contrast_of_two_settings_is_their_difference():
    runs = finished(good=0.5, bad=0.0)
    found = effects.mean_difference("auc", runs, [("good", "bad")])
    expected = effects.differences("auc", runs, {"good": "bad"})["good"]
    assert found.value == pytest.approx(expected.value) and found.interval() == pytest.approx(expected.interval())


def test_a_slope_is_that_of_a_straight_line():
    runs = finished(small=0.0, middle=0.1, large=0.4)
    places = {"small": 1.0, "middle": 2.0, "large": 4.0}
    found = effects.contrast("auc", runs, effects.slopes(places))
    values = [effects.validation_estimate("auc", runs[name]).value for name in places]
    assert found.value == pytest.approx(np.polyfit(list(places.values()), values, 1)[0])
    assert effects.slopes({"one": 3.0}) == {} and effects.slopes({}) == {}


def test_settings_that_saw_fewer_images_are_scored_on_those():
    runs = finished(all=0.3) | {"extreme": [run(0.3, seed, slice(0, 40)) for seed in (1, 2, 3)]}
    found = effects.contrast("auc", runs, {"all": 1, "extreme": -1})
    alone = [effects.validation_estimate("auc", runs[name]).value for name in ("all", "extreme")]
    assert found.value == pytest.approx(alone[0] - alone[1]) and found.images == IMAGES


@pytest.mark.parametrize(("pairs", "reason"), [([], "no settings"), ([("good", "none")], "no run of: none")])
def test_what_cannot_be_compared_says_why(pairs, reason):
    found = effects.mean_difference("auc", finished(good=0.5), pairs)
    assert isinstance(found, Inapplicable) and reason in found.reason


def test_parts_of_blocks_are_compared_with_the_ends_around_them():
    by_depth = {0.0: "none", 1.0: "one", 1.5: "inside", 2.0: "two", 2.5: "no end above"}
    weights = transfer.whole_less_part(by_depth)
    assert weights == {"one": 0.5, "two": 0.5, "inside": -1}
    nearer = transfer.whole_less_part({1.0: "one", 1.25: "inside", 2.0: "two"})
    assert nearer == {"one": 0.75, "two": 0.25, "inside": -1}


def test_transfer_compares_each_setting_with_what_differs_by_one_thing():
    study = grids.family("transfer", TRANSFER)
    parents = grids.parents_of("transfer", study)
    lite0, lite1 = "efficientnet lite0", "efficientnet lite1"
    assert transfer.pairs(study, parents, "weights") == [
        (f"{lite0}, all from ImageNet, 48 px", f"{lite0}, all from random, 48 px")
    ]
    assert transfer.pairs(study, parents, "variant") == [(f"{lite1}, features, 64 px", f"{lite0}, features, 64 px")]
    assert transfer.pairs(study, parents, "rate_by_block") == [
        (f"{lite0}, last 3, slower below, 64 px", f"{lite0}, last 3, 64 px")
    ]
    assert len(transfer.pairs(study, parents, "unfrozen")) == 4
    assert transfer.frozen_beside(study, "random") == [
        (f"{lite0}, features, 48 px", f"{lite0}, all from random, 48 px")
    ]
    assert parents[f"{lite0}, features, 48 px"] == f"{lite0}, features, 64 px"
    whole = grids.family("transfer", TRANSFER | {"ALL_TRAINED": "every", "ALL_SIZE": 64, "RATE_BY_BLOCK": 1.0})
    assert sum("all from" in name for name in whole) == 4
    assert all(name.endswith(", 64 px") and "slower below" not in name for name in whole)
    assert transfer.frozen_beside(whole, "imagenet")[0] == (
        f"{lite0}, features, 64 px",
        f"{lite0}, all from ImageNet, 64 px",
    )


def test_networks_whose_weights_cannot_be_had_are_left_out(monkeypatch):
    monkeypatch.setattr(strategies, "refusal", lambda entry: "vgg16: no" if entry == "vgg16" else None)
    names = {"BACKBONES": ["vgg16", "efficientnet_lite0"]}
    assert {name.split(",")[0] for name in grids.family("transfer", TRANSFER | names)} == {"efficientnet lite0"}
    assert any(name.startswith("vgg16") for name in grids.family("transfer", TRANSFER | names, whole=True))
    assert strategies.left_out(names["BACKBONES"]) == ["vgg16: no"]
    with pytest.raises(config.UserError, match="no network can start .* vgg16: no"):
        strategies.usable(["vgg16"])


def test_sizes_are_compared_with_the_smallest_and_coarse_images_with_theirs():
    parameters = config.chapter_parameters("11_image_size", "elpv", "smoke") | {"SIZES": [32, 64, 48]}
    table = transfer.by_size(grids.family("image_size", parameters))
    shares = {"30 % of all": 1, "50 % of all": 1}
    assert table.groupby("images").size().to_dict() == {"all": 3, "coarse": 1, "extreme": 3} | shares
    assert set(table.loc[table["images"].isin(list(shares)), "size"]) == {32}
    assert table.loc[table["images"] == "coarse", "size"].item() == 64
    (pair,) = transfer.between(table, ("all", 64), ("coarse", 64))
    assert pair == ("efficientnet lite0, features, all, 64 px", "efficientnet lite0, features, coarse, 64 px")
    weights = transfer.trend(table[table["images"] == "all"])
    assert sum(weights.values()) == pytest.approx(0) and weights["efficientnet lite0, features, all, 64 px"] > 0


def test_the_table_of_cells_says_which_were_not_run():
    study = grids.family("transfer", TRANSFER)
    asked = study["efficientnet lite0, features, 64 px"], study["efficientnet lite0, last 3, 64 px"]
    grid = cells.wanted("elpv", "smoke") | {cells.of(asked[0][0]): 2, cells.of(asked[1][0]): 2}
    table = cells.table(grid, asked[0])
    features = table[(table["strategy"] == "feature extraction") & (table["network"] == "efficientnet lite0")]
    assert features["64 px"].item() == "2" and features["32 px"].item() == cells.NOT_RUN
    tuned = table[(table["strategy"] == "fine-tuning") & (table["blocks_unfrozen"] == "3")]
    assert tuned["64 px"].item() == cells.NOT_RUN and tuned["32 px"].item() == ""


def test_a_cell_counts_the_seeds_of_what_answers_for_it():
    """One seed of several is said; extreme levels, shares of the images, coarse ones and rates by block are no answer."""
    study = grids.family("transfer", TRANSFER)
    (first, second), slower = (
        study["efficientnet lite0, last 3, 64 px"],
        study["efficientnet lite0, last 3, slower below, 64 px"],
    )
    said = cells.table({cells.of(first): 2}, [first, first])
    assert said["64 px"].tolist() == ["1 of 2"]
    others = {"levels": "extreme", "train_share": 0.5, "recipe": coarse(second.recipe, 32)}
    changed = [second.model_copy(update={field: value}) for field, value in others.items()]
    assert cells.table({cells.of(first): 2}, [*changed, *slower])["64 px"].tolist() == [cells.NOT_RUN]
    assert cells.table({cells.of(first): 2}, [first, second])["64 px"].tolist() == ["2"]
    assert cells.table({}, [first])["64 px"].tolist() == ["1"]


def predictions(*given: float, labels: list[int]) -> Predictions:
    names = np.array([f"image{i}" for i in range(len(given))])
    return Predictions(names, names, np.array(labels), np.array([given]))


def test_images_that_turn_are_counted_and_ordered_by_what_they_gain():
    before = predictions(0.2, 0.9, 0.9, 0.4, labels=[1, 1, 0, 0])
    after = predictions(0.8, 0.8, 0.2, 0.6, labels=[1, 1, 0, 0])
    table = turned.turns(before, after)
    assert table["turn"].tolist() == [turned.RIGHT, turned.RIGHT, turned.STAYED[True], turned.WRONG]
    assert table["image"].tolist() == ["image2", "image0", "image1", "image3"]
    counts = turned.counts(table, ["sound", "defective"])
    assert counts.loc["sound", turned.RIGHT] == 1 and counts.to_numpy().sum() == 4
    assert turned.balance(table).value == pytest.approx((2 - 1) / 4)


def logged(*phases: tuple[float, str | None, float, bool]) -> SimpleNamespace:
    """A run by its phases: seconds, cut of what is stored, seconds of storing, whether the answers were there."""
    rows = [
        {"epochs": 2, "seconds": seconds, "blocks_unfrozen": [], "layers_unfrozen": 2, "parameters_trained": 9,
         "stored": cut and {"cut": cut, "seconds": stored, "found": found}}
        for seconds, cut, stored, found in phases
    ]  # fmt: skip
    return SimpleNamespace(record={"phases": rows, "images": {"train": 4, "validation": 2}})


def test_answers_are_charged_once_a_run_for_each_cut():
    features = logged((2.0, "average", 8.0, True), (1.0, "average", 8.0, True))
    tuned = logged((2.0, "average", 8.0, True), (5.0, "block", 7.0, False))
    again = logged((2.0, "block", 7.0, True), (9.0, None, 0.0, False), (1.0, "block", 6.0, False))
    assert timing.stored_seconds(features) == [8, 0] and timing.stored_seconds(tuned) == [8, 7]
    assert timing.stored_seconds(again) == [7, 0, 6]  # other weights below the cut: other answers
    assert timing.run_seconds(features) == 11 and timing.run_seconds(tuned) == 22
    found = {"features": [features, features], "tuned": [tuned]}
    assert timing.seconds(found) == {"features": 11, "tuned": 22}
    assert timing.seconds({"held up": [features, tuned, features]}) == {"held up": 11}  # the median
    assert timing.phases(found)["stored_seconds"].tolist() == [8, 0, 8, 7]
    table = pd.DataFrame({"network": "n", "images": "all", "size": [32, 64]}, index=list(found))
    assert transfer.costs(table, timing.phases(found))[0]["y"].tolist() == [11, 22]


def test_a_law_finds_what_the_times_were_made_of():
    sides, images = np.repeat([32.0, 64, 128], 2), np.tile([100.0, 300.0], 3)
    terms = pd.DataFrame({"constant": 1.0, "side": np.log(sides), "images": np.log(images)})
    noise = 1 + 0.01 * np.random.default_rng(7).standard_normal(6)
    found = timing.law(terms, np.log(1e-5 * sides**2 * images * noise))
    estimates = found.estimates()
    assert estimates["side"].value == pytest.approx(2, abs=0.05) and estimates["images"].value == pytest.approx(
        1, abs=0.05
    )
    low, high = estimates["side"].interval()
    assert low < 2 < high and np.exp(found.at(terms)) == pytest.approx(1e-5 * sides**2 * images, rel=0.05)
    assert timing.law(terms.assign(images=np.log(5)), np.log(sides)).names == ["constant", "side"]
    assert isinstance(timing.law(terms[["constant"]].iloc[:1], [1.0]).estimates()["constant"], Inapplicable)


@pytest.mark.parametrize("classes", [2, 3])
def test_classical_heads_learn_from_the_first_part_and_judge_both(classes):
    draw = np.random.default_rng(7)
    labels = np.arange(90) % classes
    vectors = draw.normal(size=(90, 6)).astype(np.float32) + 2 * labels[:, None]
    seen = {part: Predictions(*[labels.astype(str)] * 2, labels, np.zeros((2, 90))) for part in heads.PARTS}
    found = heads.on_features(dict.fromkeys(heads.PARTS, vectors), seen, [1, 2])
    assert list(found) == list(heads.MODELS)
    for parts in found.values():
        assert parts["validation"].probabilities.shape == ((2, 90) if classes == 2 else (2, 90, classes))
        assert (
            effects.scored("auc", Predictions(labels, np.arange(90) // 9, labels, parts["train"].probabilities)).value
            > 0.9
        )


def test_figures_without_anything_to_draw_are_sentences():
    unasked = Inapplicable("no reason")
    assert isinstance(plots.trends({"a": {1: unasked}}, "x", "y"), Sentence)
    assert isinstance(plots.tradeoff({"a": unasked}, {"a": 1.0}, {"a": "kind"}, "y"), Sentence)
    assert isinstance(plots.compared(transfer.history({}), {"loss": "loss"}, "setting"), Sentence)


def test_trends_and_bargains_show_every_estimate():
    known = effects.mean_difference("auc", finished(good=0.5, bad=0.0), [("good", "bad")])
    assert isinstance(known, Estimate)
    figure = plots.trends({"a": {0: known, 0.5: known}, "b": {0: known}}, "depth", "AUC", hollow=[0.5], reference=0.7)
    assert [shape.y0 for shape in figure.layout.shapes] == [0.7]
    assert list(figure.data[0].marker.symbol) == ["circle", "circle-open"] and len(figure.data) == 2
    assert not plots.trends({"a": {0: known}}, "x", "y").layout.shapes
    assert figure.data[0].x[0] < 0 < figure.data[1].x[0]  # beside each other
    both = plots.trends_beside({"one": {"a": {0: known}, "b": {0: known}}, "two": {"a": {0: known}}}, "x", "y")
    assert [(trace.name, trace.xaxis, trace.showlegend) for trace in both.data] == [
        ("a", "x", True), ("b", "x", True), ("a", "x2", False)
    ]  # fmt: skip
    bargain = plots.tradeoff({"a": known, "b": known}, {"a": 1.0, "b": 9.0}, {"a": "kind", "b": "other"}, "AUC")
    assert [trace.name for trace in bargain.data] == ["kind", "other"] and bargain.data[1].x == (9.0,)
    assert bargain.layout.xaxis.ticktext == ("1", "2", "5", "10", "20", "50")


def test_what_learns_is_counted_from_the_lowest_layer_that_does():
    """Each depth adds its layers: depthwise convolutions apart from all others."""
    given = config.chapter_parameters("10_depth", "elpv", "smoke") | {"DEPTHS": [1.0, 1.5, 2.0]}
    runs = [group[0] for group in grids.family("depth", given).values()]
    network = combinations.without_weights(runs[0])
    head, top, inside, block = (cost.learning(network, each) for each in runs)
    positions = (given["IMAGE_SIZE"] // 32) ** 2
    assert head[cost.PLAIN] == pytest.approx(1280 / 1e6) and head[cost.DEPTHWISE] == 0
    assert top[cost.PLAIN] - head[cost.PLAIN] == pytest.approx(320 * 1280 * positions / 1e6)
    assert inside[cost.PLAIN] > top[cost.PLAIN] and inside[cost.DEPTHWISE] == 0
    assert block[cost.DEPTHWISE] == pytest.approx(9 * 1152 * positions / 1e6)
