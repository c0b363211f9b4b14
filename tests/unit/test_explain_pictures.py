"""What is shown of maps: overlays, the figure to choose from, which networks and images a chapter takes."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from lib import plots
from lib.explain import showing, subjects
from lib.plots import overlays
from lib.texts import Sentence
from lib.training.configuration import Configuration

GENERATOR = np.random.default_rng(7)
IMAGES = GENERATOR.integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
MAPS = GENERATOR.random((3, 32, 32)).astype(np.float32)


def test_a_map_colours_what_it_marks_and_leaves_the_rest():
    marked = np.zeros((3, 32, 32), np.float32)
    marked[:, :8, :8] = [[[2.0]], [[0.5]], [[0.0]]]
    drawn = overlays.overlaid(IMAGES, marked)
    grey = np.repeat(IMAGES.mean(axis=-1, keepdims=True), 3, axis=-1)
    for picture, expected in zip(drawn, grey, strict=True):
        assert picture.dtype == np.uint8 and np.abs(picture[10:, 10:] - expected[10:, 10:]).max() <= 1
    assert np.ptp(drawn[0][:8, :8].astype(int), axis=-1).min() > 20  # colour, whatever the scale of the map
    assert np.ptp(drawn[1][:8, :8].astype(int), axis=-1).min() > 20
    assert np.ptp(drawn[2].astype(int), axis=-1).max() == 0


def test_a_single_bright_pixel_leaves_others_their_colours():
    speck = MAPS[:1].copy()
    speck[0, 0, 0] = 1000
    plain, drawn = (overlays.overlaid(IMAGES[:1], maps)[0].astype(int) for maps in (MAPS[:1], speck))
    assert np.abs(plain - drawn)[1:].mean() < 3


def test_what_stands_above_rows_gets_room():
    bare, titled = plots.maps({"map": (IMAGES, MAPS)}), plots.maps({"map": (IMAGES, MAPS)}, None, "one<br>two")
    room = titled.layout.height - bare.layout.height
    assert titled.layout.title.text == "one<br>two"
    assert room >= 40 and titled.layout.margin.t - bare.layout.margin.t == room  # of two lines


def test_rows_of_maps_and_of_images():
    figure = plots.maps({"image": (IMAGES, None), "map": (IMAGES, MAPS)}, [["a", "b", "c"], []])
    assert len(figure.data) == 6 and isinstance(plots.maps({}), Sentence)


def chooser() -> go.Figure:
    images = {network: {"first": IMAGES[0], "second": IMAGES[1]} for network in ("small", "large", "third")}
    found = {
        method: {network: {"first": MAPS[0], "second": MAPS[1]} for network in images}
        for method in ("Grad-CAM", "Guided")
    }
    return plots.chooser(images, found, {"Grad-CAM": "Grad-CAM", "Guided": "Guided ⚑ failed"})


def test_the_menus_choose_image_method_and_network_and_the_slider_a_threshold():
    figure = chooser()
    by_image, by_method, by_network = figure.layout.updatemenus
    assert len(figure.data) == 3 * 2 * 3
    assert [button.label for button in by_image.buttons] == ["first", "second"]
    assert [button.label for button in by_method.buttons] == ["Grad-CAM", "Guided"]
    assert [button.label for button in by_network.buttons] == ["all networks", "small", "large", "third"]
    shown = [(trace.visible, trace.opacity) for trace in figure.data]
    assert sum(visible and opacity > 0 for visible, opacity in shown) == 3 * 2  # an image and one map a network
    visible = by_image.buttons[1].args[0]["visible"]
    assert sum(visible) == 9 and not any(old and new for (old, _), new in zip(shown, visible, strict=True))
    restyled, relaid = by_method.buttons[1].args
    opacity = restyled["opacity"]
    assert figure.layout.annotations[3].text == "Grad-CAM" and relaid == {"annotations[3].text": "Guided ⚑ failed"}
    assert [o for o, trace in zip(opacity, figure.data, strict=True) if trace.type == "image"] == [1.0] * 6
    change, traces = figure.layout.sliders[0].steps[2].args
    assert change["zmin"] == pytest.approx(40) and all(figure.data[number].type == "heatmap" for number in traces)
    assert len(traces) == 12 and figure.data[traces[0]].colorscale[0][1].endswith(",0)")


def test_one_network_can_be_drawn_alone():
    all_of_them, one = (chooser().layout.updatemenus[2].buttons[place].args[0] for place in (0, 2))
    assert one["xaxis2.domain"] == [0.0, 1.0] and one["xaxis.domain"][0] > 0.99
    assert [one[f"annotations[{place}].visible"] for place in range(3)] == [False, True, False]
    ends = [all_of_them[f"xaxis{name}.domain"] for name in ("", "2", "3")]
    assert all(first[1] <= second[0] for first, second in zip(ends, ends[1:], strict=False))


def test_a_map_lies_over_the_pixels_of_its_picture():
    trace = overlays._map(MAPS[0], (32, 32))
    last = trace.x0 + (overlays.CELLS - 0.5) * trace.dx
    assert trace.x0 - trace.dx / 2 == pytest.approx(-0.5) and last == pytest.approx(31.5)
    assert len(chooser().to_json()) < 120_000


def judged(given: list[float], labels: list[int]) -> subjects.Subject:
    """A network that gives these probabilities of class 1 to its validation images."""
    names = [f"image{number}" for number in range(len(given))]
    table = pd.DataFrame({"image": names, "part": "validation", "label": labels, "probability": given})
    part = SimpleNamespace(names=np.array(names), pixels=IMAGES, rows=np.arange(len(given)) % 3)
    return subjects.Subject("network", SimpleNamespace(predictions=table), part)


def test_cases_are_right_and_wrong_sure_and_unsure():
    seen = judged([0.99, 0.6, 0.4, 0.01, 0.9, 0.45], [1, 1, 1, 1, 0, 0])
    found = subjects.cases(seen, 1)
    assert found["kind"].tolist() == list(subjects.KINDS)
    assert found.index.tolist() == ["image0", "image5", "image2", "image3"]
    assert found.loc["image4" if "image4" in found.index else "image3", "given"] < 0.5
    assert subjects.below(seen, ["image0", "image4"], ["sound", "defective"]) == ["defective<br>0.99", "sound<br>0.10"]


def test_cases_of_a_network_that_is_always_right():
    found = subjects.cases(judged([0.99, 0.6, 0.9], [1, 1, 1]), 1)
    assert found["kind"].tolist() == ["right and sure", "right, unsure"]
    assert found.index.tolist() == ["image0", "image1"]
    assert subjects.cases(judged([0.99], [1]), 1)["kind"].tolist() == ["right and sure"]


def test_an_image_that_was_not_asked_about_is_refused():
    with pytest.raises(KeyError, match="was not asked about image9"):
        judged([0.5], [1]).images(["image0", "image9"])


def test_titles_carry_their_flags():
    flags = {"guided_backpropagation": "hardly changes"}
    assert showing.titled("grad_cam", flags) == "Grad-CAM"
    assert showing.titled("guided_backpropagation", flags) == "Guided Backpropagation ⚑ hardly changes"
    assert showing.titled("cam", {"grad_cam": "worse than edge detector"}) == "CAM ⚑ worse than edge detector"
    rows = showing.of_methods({"grad_cam": MAPS}, IMAGES[:2], ["grad_cam"], flags)
    assert list(rows) == ["image", "Grad-CAM"] and rows["image"][1] is None and len(rows["Grad-CAM"][1]) == 2


def setting(number: str, title: str, network: str, configuration: Configuration) -> SimpleNamespace:
    run = SimpleNamespace(configuration=configuration)
    return SimpleNamespace(number=number, title=title, network=network, runs=[run])


def test_the_networks_of_the_book_are_one_each_the_deepest_of_chapter_9(configuration, monkeypatch):
    lite = {"network": {"family": "efficientnet_lite", "parameters": {"variant": "lite0"}}, "image_size": 32}
    phase = {"epochs": 1, "unfrozen": 0}
    frozen, one, two = (configuration(**lite, phases=[phase | {"unfrozen": depth}]) for depth in (0, 1, 2))
    settings = [
        setting("5", "all", "simple, 18 px", configuration()),
        setting("5", "extreme", "simple, 18 px", configuration()),
        setting("9", "features", "lite0, 32 px", frozen),
        setting("9", "last 2", "lite0, 32 px", two),
        setting("9", "last 1", "lite0, 32 px", one),
        setting("10", "2 blocks", "lite0, 32 px", two),
        setting("15", "whole images", "simple, 18 px", configuration()),
        setting("15", "linear head", "lite0, 32 px", frozen),
    ]
    monkeypatch.setattr(subjects, "subject", lambda title, run, context: subjects.Subject(title, run, None))
    found = subjects.of_book(settings, None)
    assert list(found) == ["simple, 18 px", "lite0, 32 px"]
    assert found["lite0, 32 px"].run.configuration == two
    assert list(subjects.linear(settings, None)) == ["linear head"]
    assert subjects.tried(found).title == "lite0, 32 px"
    assert subjects.tried({"simple": found["simple, 18 px"]}).title == "simple, 18 px"


def test_defects_are_drawn_into_sound_images_alone(monkeypatch):
    from lib.training.data import Part

    number = 12
    pixels = np.full((number, 48, 48, 1), 180, np.uint8)
    labels = np.arange(number) % 2
    groups = np.array([f"group{n}" for n in range(number)])
    seen = subjects.Subject("network", None, Part(pixels, np.arange(number), groups, groups, labels, groups))
    images, masks, kept = subjects.with_defects(seen, 4, seed=1)
    assert len(images) == len(masks) == len(kept) <= 4 and masks.any(axis=(1, 2)).all()
    assert set(kept) <= set(groups[labels == 0])
    assert ((images != 180).any(axis=-1) == masks).all()
    assert len(subjects.with_defects(seen, 0, seed=1)[0]) == 0
