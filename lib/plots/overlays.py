"""Figures of maps: laid over their images, as pictures and to choose from."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lib.plots.data import GRID_WIDTH, data_address, pictures
from lib.plots.style import styled
from lib.texts import Sentence

LINE = 20  # pixels of a line of text above rows
STRENGTH = 0.65  # of the largest value of a map over its image
FULL = 0.99  # of the pixels of a map have less than the last colour
CELLS = 24  # a side, of a map to choose from: more would only make the page heavy
THRESHOLDS = (0, 0.2, 0.4, 0.6, 0.8)
COLOURS = [
    [0, "rgba(0,0,0,0)"],
    [0.001, "#440154"],
    [0.25, "#3B528B"],
    [0.5, "#21918C"],
    [0.75, "#5EC962"],
    [1, "#FDE725"],
]


def overlaid(images: np.ndarray, maps: np.ndarray) -> list[np.ndarray]:
    """Each image in grey under its map: the brighter and yellower, the more; a map without evidence leaves it as it is.

    images: (n, height, width, channels) uint8. maps: (n, height, width), 0 or more, each scaled so that its largest hundredth
    takes the last colour: a single pixel would leave all others dark.
    Returns n pictures (height, width, 3) uint8.
    """
    drawn = []
    for image, each in zip(images, maps, strict=True):
        share = np.minimum(each / (np.quantile(each, FULL) or each.max() or 1), 1)
        colours = cv2.applyColorMap(np.uint8(255 * share), cv2.COLORMAP_VIRIDIS)[..., ::-1]
        grey = np.repeat(image.mean(axis=-1, keepdims=True), 3, axis=-1)
        weight = STRENGTH * share[..., None] ** 0.5
        drawn.append(np.uint8(np.round((1 - weight) * grey + weight * colours)))
    return drawn


def maps(
    rows: Mapping[str, tuple[np.ndarray, np.ndarray | None]],
    below: Sequence[Sequence[str]] | None = None,
    above: str = "",
) -> go.Figure | Sentence:
    """A grid of images under maps, a labelled row each; no row: a sentence says so.

    rows: label -> images (n, height, width, channels) uint8, and maps (n, height, width), or None: images as they are.
    below: as `pictures`. above: what stands over all rows; `<br>` begins another line.
    """
    drawn = {
        name: [image.squeeze() for image in images] if found is None else overlaid(images, found)
        for name, (images, found) in rows.items()
    }
    figure = pictures(drawn, below=below)
    if above and isinstance(figure, go.Figure):
        room = LINE * (above.count("<br>") + 2)
        height = figure.layout.height + room
        title = {"text": above, "font": {"size": 13}, "x": 0, "xref": "paper", "xanchor": "left", "y": 1 - LINE / height,
                 "yanchor": "top"}  # fmt: skip
        figure.update_layout(title=title, margin_t=figure.layout.margin.t + room, height=height)
    return figure


def chooser(
    images: Mapping[str, Mapping[str, np.ndarray]],
    found: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]],
    said: Mapping[str, str],
) -> go.Figure | Sentence:
    """Maps over their images, a panel a network; menus choose image, method and network, a slider what is too weak to be drawn.

    images: network -> image -> (height, width) or (height, width, 3) uint8. found: method -> network -> image -> (height,
    width), 0 or more. said: method -> lines that stand below the menus while it is chosen. Each map is scaled by its own
    maximum and drawn in few cells.
    """
    if not images or not next(iter(images.values())):
        return Sentence("There is no such image here.")
    networks, shown = list(images), list(next(iter(images.values())))
    names = [network.partition(", ") for network in networks]
    titles = ["<br>".join([name.replace(" ", "<br>", 1), *rest[1:]]) for name, *rest in names]
    figure = make_subplots(1, len(networks), subplot_titles=titles, horizontal_spacing=0.02)
    figure.update_annotations(font_size=11)
    places: list[tuple[str, str | None]] = []  # image and method of each trace; no method: the image itself
    for column, network in enumerate(networks, start=1):
        for image in shown:
            figure.add_trace(_picture(images[network][image]), 1, column)
            places.append((image, None))
            for method in found:
                figure.add_trace(_map(found[method][network][image], images[network][image].shape[:2]), 1, column)
                places.append((image, method))
    first = next(iter(found))
    for trace, (image, method) in zip(figure.data, places, strict=True):
        trace.visible, trace.opacity = image == shown[0], _opacity(method, first)
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    line = {"text": said[first], "x": 0, "y": 1.3, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "top",
            "showarrow": False, "font": {"size": 12}, "align": "left"}  # fmt: skip
    figure.add_annotation(line)
    figure.update_layout(
        updatemenus=_menus(networks, shown, said, places), sliders=[_slider(places)], height=560,
        margin={"l": 5, "r": 5, "t": 200, "b": 80},
    )  # fmt: skip
    return styled(figure)


def _picture(image: np.ndarray) -> go.Image:
    return go.Image(source=data_address(image, GRID_WIDTH // 3), hoverinfo="skip")


def _map(values: np.ndarray, shape: tuple[int, int]) -> go.Heatmap:
    """Few cells, laid over the pixels of the drawn picture; what lies below the threshold is transparent."""
    share = cv2.resize((values / (values.max() or 1)).astype(np.float32), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    side = min(1.0, GRID_WIDTH // 3 / max(shape))  # the picture may have been made smaller
    steps = [side * pixels / CELLS for pixels in shape]
    return go.Heatmap(
        z=np.uint8(np.round(100 * share)), y0=steps[0] / 2 - 0.5, dy=steps[0], x0=steps[1] / 2 - 0.5, dx=steps[1],
        zmin=0, zmax=100, colorscale=COLOURS, showscale=False, hoverinfo="skip",
    )  # fmt: skip


def _opacity(method: str | None, chosen: str) -> float:
    return 1.0 if method is None else STRENGTH * (method == chosen)


def _menus(
    networks: Sequence[str], shown: Sequence[str], said: Mapping[str, str], places: Sequence[tuple[str, str | None]]
) -> list[dict]:
    """Image by what is visible, method by opacity, network by the share of the width that its panel takes."""
    by_image = [(name, "restyle", [{"visible": [image == name for image, _ in places]}]) for name in shown]
    line = f"annotations[{len(networks)}].text"  # after the titles of the panels
    by_method = [
        (name, "update", [{"opacity": [_opacity(method, name) for _, method in places]}, {line: text}])
        for name, text in said.items()
    ]
    by_network = [(name, "relayout", [_domains(len(networks), place)]) for place, name in enumerate(networks)]
    menus = [by_image, by_method, [("all networks", "relayout", [_domains(len(networks), None)]), *by_network]]
    places_of_menus = [(0, 1.62), (0, 1.45), (0.55, 1.45)]  # names of images are long
    return [
        {"buttons": [{"label": label, "method": way, "args": change} for label, way, change in buttons],
         "x": x, "xanchor": "left", "y": y, "yanchor": "top", "direction": "down", "showactive": True,
         "bgcolor": "#FFFFFF", "font": {"size": 12, "color": "#222222"}}
        for (x, y), buttons in zip(places_of_menus, menus, strict=True)
    ]  # fmt: skip


def _domains(number: int, chosen: int | None) -> dict[str, object]:
    """Axes of all panels side by side, or of one alone, with the titles above them."""
    changes: dict[str, object] = {}
    for place in range(number):
        name = f"xaxis{place + 1 if place else ''}"
        width, gap = 1 / number, 0.01
        whole = [place * width + gap * (place > 0), (place + 1) * width - gap * (place < number - 1)]
        alone = [0.0, 1.0] if place == chosen else [0.998, 1.0]
        changes[f"{name}.domain"] = whole if chosen is None else alone
        changes[f"annotations[{place}].visible"] = chosen is None or place == chosen
        changes[f"annotations[{place}].x"] = sum(whole) / 2 if chosen is None else 0.5
    return changes


def _slider(places: Sequence[tuple[str, str | None]]) -> dict:
    """Sets the lower end of the colours of every map: what lies below it takes the first colour, which is none."""
    traces = [number for number, (_, method) in enumerate(places) if method is not None]
    steps = [
        {"label": f"{value:g}", "method": "restyle", "args": [{"zmin": 100 * value}, traces]} for value in THRESHOLDS
    ]
    return {
        "steps": steps,
        "currentvalue": {"prefix": "drawn from this share of the largest value: "},
        "pad": {"t": 10},
    }
