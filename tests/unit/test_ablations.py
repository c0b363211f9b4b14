"""Settings of a book: read from what its chapters noted; their differences, and what can be said of all together."""

import re
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lib import ablations, atomic, backbones, cards, config, grids, plots, runs
from lib.estimates import Inapplicable
from lib.grids.study import Family, children_of
from lib.intervals import seed_mean_estimate
from lib.texts import Sentence
from lib.training.configuration import Configuration, Head, Phase

IMAGES, GROUPS = 80, 8
LABELS = np.tile([0, 1], IMAGES // 2)


def run(certainty: float, seed: int, train_gain: float = 0.0) -> SimpleNamespace:
    """A run that ranks better the more certain it is, on all parts alike; images of training get a gain."""
    draw = np.random.default_rng(seed)
    tables = []
    for part, gain in (("train", train_gain), ("tuning", 0.0), ("validation", 0.0)):
        signal = (LABELS - 0.5) * (certainty + gain) + 0.15 * draw.standard_normal(IMAGES)
        columns = {"image": [f"{part}{i}" for i in range(IMAGES)], "part": part, "label": LABELS}
        group = np.repeat([f"{part}-{number}" for number in range(GROUPS)], IMAGES // GROUPS)
        tables.append(pd.DataFrame(columns | {"group": group, "probability": np.clip(0.5 + signal, 0.01, 0.99)}))
    return SimpleNamespace(predictions=pd.concat(tables, ignore_index=True), key=f"{certainty}-{seed}")


def setting(title: str, certainty: float, parent=None, changes=None, **named) -> ablations.Setting:
    group = [run(certainty, seed, **named) for seed in (1, 2, 3)]
    return ablations.Setting("08_regularise", title, group, changes or {}, parent)


@pytest.fixture(scope="module")
def root() -> ablations.Setting:
    return setting("root", 0.2, train_gain=0.4)


def child(root, title: str, certainty: float, field: str = "l2", **named) -> ablations.Setting:
    return setting(title, certainty, root, {field: (0, 1)}, **named)


def test_differences_are_the_setting_minus_its_parent(root):
    better, worse = child(root, "better", 0.5), child(root, "worse", 0.0)
    found = ablations.differences([root, better, worse], "auc")
    assert list(found) == ["8 · better", "8 · worse"]
    assert found["8 · better"].value > 0.05 > 0 > found["8 · worse"].interval()[1]


def test_a_parent_with_other_images_is_compared_on_those_that_both_have(root):
    fewer = child(root, "fewer", 0.2, "levels")
    for each in fewer.runs:
        each.predictions = each.predictions[~each.predictions["group"].isin(["validation-0", "validation-1"])]
    found = ablations.differences([fewer], "auc")["8 · fewer"]
    assert found.groups == GROUPS - 2 and found.value == 0


def test_verdicts_are_adjusted_for_the_number_of_rows():
    estimates = {"clear": seed_mean_estimate([0.30, 0.31, 0.32]), "down": seed_mean_estimate([-0.30, -0.31, -0.32])}
    doubtful = seed_mean_estimate([0.1, 0.2, 0.15, 0.06])
    assert ablations.verdicts({"doubtful": doubtful}, True)["doubtful"][0] == "better"
    many = {f"none {number}": seed_mean_estimate([-0.1, 0.1, 0.01]) for number in range(20)}
    found = ablations.verdicts({**estimates, "doubtful": doubtful, "unknown": Inapplicable("no"), **many}, True)
    words = {name: word for name, (word, _) in found.items()}
    assert words["doubtful"] == words["none 1"] == "not told apart" and words["unknown"] == "not applicable"
    assert words["clear"] == "better" and words["down"] == "worse"
    assert ablations.verdicts(estimates, False)["clear"][0] == "not judged (smoke)"


def test_regularising_is_read_from_the_one_change(root):
    settings = [root, child(root, "a", 0.3, "head.dropout"), child(root, "b", 0.3, "image_size")]
    assert [each.title for each in ablations.regularising(settings)] == ["a"]


def test_average_effect_is_the_mean_of_the_differences(root):
    settings = [child(root, "up", 0.5), child(root, "down", 0.1)]
    single = ablations.differences(settings, "auc")
    average = ablations.average_effect("auc", settings)
    assert average.value == pytest.approx(np.mean([each.value for each in single.values()])) and average.seeds == 3


def test_narrowing_is_negative_where_training_gains_less(root):
    found = ablations.narrowing([child(root, "calm", 0.2, train_gain=0.1)])
    assert found.interval()[1] < 0 and found.groups == 2 * GROUPS


def test_a_narrower_gap_is_taken_apart_into_its_two_sides(root):
    found = ablations.loss_changes([child(root, "calm", 0.2, train_gain=0.1)])
    training, validation, gap = (found[name].value for name in found)
    assert list(found) == ["training loss", "validation loss", "the gap between them"]
    assert training > 0.1 and abs(validation) < 0.05 and gap == pytest.approx(validation - training)


def test_the_order_of_settings_that_are_alike_in_both_parts_is_kept(root):
    settings = [child(root, str(certainty), certainty) for certainty in (0.0, 0.1, 0.3, 0.4, 0.6)]
    assert ablations.order_kept("auc", settings).value > 0.8
    reversed_tuning = [child(root, f"r{certainty}", certainty) for certainty in (0.0, 0.1, 0.3, 0.4, 0.6)]
    for each in reversed_tuning:
        for one in each.runs:
            tuning = one.predictions["part"] == "tuning"
            one.predictions.loc[tuning, "probability"] = 1 - one.predictions.loc[tuning, "probability"]
    assert ablations.order_kept("auc", reversed_tuning).value < 0


def test_the_order_is_that_of_the_means_over_seeds_that_are_drawn(root):
    settings = [child(root, str(certainty), certainty) for certainty in (0.16, 0.18, 0.22, 0.24, 0.26)]
    found, drawn = ablations.order_kept("auc", settings), ablations.tuned(settings, "auc")
    assert found.value == pytest.approx(drawn["tuning"].corr(drawn["validation"], method="spearman"))
    assert found.groups == 2 * GROUPS and found.images == 2 * IMAGES


def test_settings_of_the_same_runs_stand_once_with_the_children_and_the_parent_of_both(root):
    first, again = (setting("whole", 0.3) for _ in range(2))
    again.chapter, again.parent, again.changes = "15_explain", root, {"recipe": (0, 1)}
    below = child(again, "border", 0.1, "recipe")
    below.chapter = "15_explain"
    kept = ablations.once([root, first, again, below])
    assert [each.name for each in kept] == ["8 · root", "8 · whole", "15 · border"]
    assert below.parent is first and first.parent is root and first.changes == again.changes
    assert ablations.table(kept, {})["the one change"].iloc[2].startswith("of 8 · whole: ")


def test_controls_are_not_among_those_that_moved_most(root):
    moved, control = child(root, "moved", 0.3), child(root, "shuffled", 0.0)
    control.control = True
    found = ablations.differences([moved, control], "auc")
    assert ablations.strongest([moved, control], found, 4) == ["8 · root", "8 · moved"]


def test_how_far_parts_are_apart_stands_beside_the_largest_change():
    reached = pd.DataFrame({"tuning": [0.8, 0.7], "validation": [0.6, 0.5]})
    small = {"a": seed_mean_estimate([-0.1, -0.11, -0.12]), "b": Inapplicable("none")}
    said = str(ablations.apart(reached, small, "AUC"))
    assert "by 0.200" in said and "is 0.110" in said and "by more than any two such settings" in said
    assert "by no more than" in str(ablations.apart(reached, {"a": seed_mean_estimate([0.3, 0.31, 0.32])}, "AUC"))
    assert "no such settings" in str(ablations.apart(reached, {}, "AUC"))
    assert "no such settings" in str(ablations.apart(reached.iloc[:0], small, "AUC"))


def test_settings_that_differ_only_by_luck_do_not_differ_beyond_seeds(root):
    far = [child(root, str(certainty), certainty) for certainty in (0.0, 0.1, 0.5)]
    assert ablations.beyond_seeds("auc", far).value > 0
    same = [setting(f"s{number}", 0.2, root, {"l2": (0, 1)}) for number in range(4)]
    for number, each in enumerate(same):
        each.runs = [run(0.2, 10 * number + seed, 0.0) for seed in (1, 2, 3)]
    assert ablations.beyond_seeds("auc", same).value < 0


def test_without_a_regularising_setting_there_is_a_reason():
    calls = (ablations.average_effect, ablations.order_kept, ablations.beyond_seeds)
    found = [call("auc", []) for call in calls] + [*ablations.loss_changes([]).values()]
    assert all(isinstance(each, Inapplicable) and "no setting" in each.reason for each in found)


@pytest.fixture
def finished(book, configuration, prepared, monkeypatch):
    """A book with one chapter of two settings and two seeds, on the tiny data set."""
    context = book("cpu")
    shutil.copytree(prepared, context.root, dirs_exist_ok=True)

    def study(dataset: str, rate: float, seeds: list[int]) -> grids.Study:
        heads = {"as it is": Head(), "dropout": Head(dropout=rate)}
        return {name: [configuration(head=head, seed=seed) for seed in seeds] for name, head in heads.items()}

    monkeypatch.setattr(grids, "FAMILIES", {"small": Family("08_regularise", study, children_of("as it is"))})
    chapter = config.Context("08_regularise", "elpv", "cpu", context.root, context.root / "chapters" / "08_regularise")
    parameters = {"DATASET": "elpv", "RATE": 0.5, "SEEDS": [7, 8]}
    for group in grids.family("small", parameters).values():
        for each in group:
            runs.get(each, chapter)
    atomic.write_json(chapter.output / "record.json", {"parameters": parameters})
    return config.Context("16_ablations", "elpv", "cpu", context.root, context.output)


def test_a_book_is_read_and_drawn(finished):
    settings = ablations.read(finished)
    assert [(each.name, each.parent and each.parent.title) for each in settings] == [
        ("8 · as it is", None), ("8 · dropout", "as it is")
    ]  # fmt: skip
    found = ablations.differences(settings, "auc")
    words = {name: word for name, (word, _) in ablations.verdicts(found, True).items()}
    table = ablations.table(settings, {"AUC": found}, {"verdict on AUC": words})
    assert table["the one change"].tolist() == ["", "of as it is: dropout 0 → 0.5"]
    assert table.loc[1, "verdict on AUC"] in words.values()
    effort = ablations.effort(settings)
    assert effort["setting"].tolist() == table["setting"].tolist()
    trained, whole = (effort[f"{which} parameters"].unique() for which in ("trained", "all"))
    assert len(trained) == len(whole) == 1 and 0 < trained[0] <= whole[0]
    assert [each.title for each in ablations.parents(settings)] == ["as it is"]
    history = ablations.history(settings)
    panels = plots.four_panels(history, ["8 · dropout"])
    assert len(panels.data) == 2 * 4 and {trace.visible for trace in panels.data if trace.name == "8 · dropout"} == {
        True
    }
    assert {trace.visible for trace in panels.data if trace.name == "8 · as it is"} == {"legendonly"}
    assert sum(trace.showlegend for trace in panels.data) == 2
    every = plots.every_metric(history, [])
    assert {trace.line.dash for trace in every.data if trace.showlegend} == {"solid"}
    assert len(plots.every_metric(history, []).data) == 2 * 6 * 2
    times = plots.times(ablations.costs(settings))
    assert times.data[0].customdata.tolist() == [4] and times.data[0].name == "all layers trained"
    assert plots.scores(ablations.scores(settings)).data[0].z.shape == (2, 10 - 1)
    beside = ablations.scores(settings, {"forest": settings[0].validation})
    assert beside.loc["forest"].equals(beside.loc[settings[0].name].rename("forest")) and len(beside) == 3


def test_times_are_coloured_by_the_blocks_that_were_trained():
    asked = [0, 1, 1.5, "all"]
    common = {"dataset": "elpv", "recipe": cards.load("elpv").recipe, "image_size": 32, "seed": 7}
    made = []
    for each in asked:
        network = backbones.network("mobilenet", None if each == "all" else "imagenet")
        run = Configuration(**common, network=network, phases=[Phase(epochs=1, unfrozen=each)])
        record = {"phases": [{"seconds": 60, "stored": None}]}
        made.append(SimpleNamespace(key=str(each), configuration=run, record=record))
    found = ablations.costs([SimpleNamespace(network="mobilenet, 32 px", runs=made)])
    assert found["trained"].cat.categories.tolist() == ["the head alone", "1 block", "1.5 blocks", "all layers"]
    figure = plots.times(found)
    assert [title.text for title in figure.layout.annotations] == ["initialisation: imagenet", "initialisation: random"]
    assert len({trace.marker.color for trace in figure.data}) == 4 and {trace.xaxis for trace in figure.data} == {
        "x",
        "x2",
    }


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda chapter, runs: shutil.rmtree(chapter), "chapter 08_regularise has not run in this book"),
        (lambda chapter, runs: shutil.rmtree(next(runs.glob("*/record.json")).parent), "chapter 08_regularise: run"),
        (
            lambda chapter, runs: atomic.write_json(
                chapter / "record.json", {"parameters": {"DATASET": "elpv", "RATE": 0.9, "SEEDS": [7, 8]}}
            ),
            "its settings are others than when it ran",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_line_with_what_builds_it(finished, harm, told):
    harm(finished.root / "chapters" / "08_regularise", finished.root / "runs")
    with pytest.raises(config.UserError, match=re.escape(told)) as caught:
        ablations.read(finished)
    assert "\n" not in str(caught.value) and "make book DATASET=elpv PROFILE=cpu" in str(caught.value)


def test_changes_without_any_estimate_are_a_sentence():
    assert isinstance(plots.changes({"a": Inapplicable("none")}, {}, {}, "AUC"), Sentence)


def test_changes_are_drawn_by_verdict_at_their_own_levels():
    estimates = {name: seed_mean_estimate(values) for name, values in {"a": [1, 2, 3.0], "b": [1, 2, 4.0]}.items()}
    figure = plots.changes(estimates, {"a": 0.5, "b": 0.99}, {"a": "better", "b": "not told apart"}, "AUC")
    low, high = estimates["b"].interval(0.99)
    traces = {trace.name: trace for trace in figure.data}
    drawn = traces["not told apart"]
    assert set(traces) == {"better", "not told apart"}
    assert drawn.x[0] + drawn.error_x.array[0] == pytest.approx(high)
    assert drawn.x[0] - drawn.error_x.arrayminus[0] == pytest.approx(low)
