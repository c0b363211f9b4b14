"""A diagram of a network, drawn from its graph: boxes from top to bottom, branches beside them (S0.13)."""

from collections import Counter
from dataclasses import dataclass, field
from os.path import commonprefix
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from lib.plots.style import SERIES_COLOURS, styled

if TYPE_CHECKING:
    import keras

ROW, GAP = 1.0, 0.7  # height of a box, and what lies between two
ROW_PIXELS = 46  # of a box
TRUNK, BRANCH = (0.0, 0.66), (0.74, 1.0)  # left and right edges, as shares of the width
JOIN = 0.35  # of a gap: how far below a block its branch comes back


@dataclass
class Box:
    """Layers one after the other, and the shorter ways around them that lead to the same sum."""

    layers: list[Any] = field(default_factory=list)  # operations of Keras
    branches: list[list[Any]] | None = None  # None: nothing leads around it

    @property
    def title(self) -> str:
        """What the names of its layers begin with, else the name of its first layer."""
        if self.branches is not None:
            begin = commonprefix([layer.name for layer in self.layers[:-1]])
            return _words(begin or self.layers[0].name)
        return _words(self.layers[0].name)


def diagram(network: "keras.Model") -> go.Figure:
    """The layers of a functional network as boxes, with what each gives and its parameters; hovering lists the layers.

    The first box is the image; another holds a layer with a kernel and what follows it, or all that a branch leads
    around. Raises ValueError for a network whose branches have branches.
    """
    figure, boxes = go.Figure(), boxes_of(network)
    for row, box in enumerate(boxes):
        top = -row * (ROW + GAP)
        _draw(figure, TRUNK, top, f"<b>{box.title}</b> → {_shape(box.layers[-1])}", box.layers)
        if row + 1 < len(boxes):
            _arrow(figure, (_middle(TRUNK), top - ROW), (_middle(TRUNK), top - ROW - GAP))
        for branch in box.branches or []:
            _draw_branch(figure, top, branch)
    height = len(boxes) * (ROW + GAP)
    figure.update_xaxes(visible=False, range=[-0.01, 1.01], fixedrange=True)
    figure.update_yaxes(visible=False, range=[GAP / 2 - height, GAP], fixedrange=True)
    figure.update_layout(height=ROW_PIXELS * height + 30, margin={"l": 5, "r": 5, "t": 5, "b": 5}, hovermode="closest")
    return styled(figure)


def boxes_of(network: "keras.Model") -> list[Box]:
    """The boxes of a network in the order in which an image passes them."""
    users: dict[str, list[Any]] = {operation.name: [] for operation in network.operations}
    maker = {id(tensor): operation for operation in network.operations for tensor in _tensors(operation.output)}
    for operation in network.operations[1:]:
        for tensor in _inputs(operation):
            users[maker[id(tensor)].name].append(operation)
    boxes, here = [Box()], network.operations[0]
    while True:
        if boxes[-1].branches is not None or _kernels(here):
            boxes.append(Box())
        boxes[-1].layers.append(here)
        while len(users[here.name]) > 1:
            *around, through = sorted((_way(first, users) for first in users[here.name]), key=len)
            boxes.append(Box(through, [way[:-1] for way in around]))
            here = through[-1]
        if not users[here.name]:
            return boxes
        here = users[here.name][0]


def _way(first: Any, users: dict[str, list[Any]]) -> list[Any]:
    """From a fork to the sum where its ways meet, that sum included."""
    way = [first]
    while len(_inputs(way[-1])) < 2:
        if len(users[way[-1].name]) != 1:
            raise ValueError(f"{way[-1].name}: a branch with branches of its own; this diagram draws simple ones")
        way.append(users[way[-1].name][0])
    return way


def _draw_branch(figure: go.Figure, top: float, branch: list[Any]) -> None:
    middle, start, end = _middle(BRANCH), top + JOIN * GAP, top - ROW - JOIN * GAP
    for low, high in ((start, start), (end, end)):
        _line(figure, (_middle(TRUNK), low), (middle, high))
    if branch:
        name = _words(branch[0].name.split("_")[-1])
        _arrow(figure, (middle, start), (middle, top))
        _draw(figure, BRANCH, top, f"{name} → {_shape(branch[-1])}", branch, SERIES_COLOURS[1])
        _line(figure, (middle, top - ROW), (middle, end))
    else:
        _line(figure, (middle, start), (middle, end))
    plus = {"x": _middle(TRUNK), "y": end, "text": "+", "showarrow": False, "bgcolor": "white", "borderpad": 1}
    figure.add_annotation(**plus, bordercolor="#888888", font={"size": 12, "color": "#444444"})


def _draw(
    figure: go.Figure, sides: tuple[float, float], top: float, title: str, layers: list[Any], colour: str = ""
) -> None:
    colour = colour or SERIES_COLOURS[0]
    left, right = sides
    corners = {"x0": left, "x1": right, "y0": top - ROW, "y1": top}
    figure.add_shape(type="rect", **corners, line={"color": colour, "width": 1.5}, fillcolor=colour, opacity=0.12)
    figure.add_shape(type="rect", **corners, line={"color": colour, "width": 1.5})
    parameters = sum(layer.count_params() for layer in layers if hasattr(layer, "count_params"))
    weighing = [layer for layer in layers if getattr(layer, "kernel_size", None) or hasattr(layer, "units")]
    counts = Counter(type(layer).__name__ for layer in weighing)  # of the others hovering tells
    kinds = ", ".join(f"{number} × {kind}" if number > 1 else kind for kind, number in counts.items())
    centre = {"x": _middle(sides), "y": top - ROW / 2}
    said = f"{title}<br><span style='font-size:11px'>{parameters:,} parameters"
    text = f"{said} · {kinds}</span>" if sides == TRUNK and kinds else f"{said}</span>"
    figure.add_annotation(**centre, text=text, showarrow=False, font_size=12)
    lines = [f"{layer.name}: {type(layer).__name__} → {_shape(layer)}" for layer in layers]
    hover = {"hovertext": "<br>".join(lines), "hoverinfo": "text", "showlegend": False, "name": title}
    figure.add_scatter(x=[centre["x"]], y=[centre["y"]], mode="markers", marker={"size": 28, "opacity": 0}, **hover)


def _arrow(figure: go.Figure, start: tuple[float, float], end: tuple[float, float]) -> None:
    places = {"ax": start[0], "ay": start[1], "x": end[0], "y": end[1]}
    axes = {"xref": "x", "yref": "y", "axref": "x", "ayref": "y"}
    figure.add_annotation(**places, **axes, text="", showarrow=True, arrowhead=2, arrowwidth=1.2, arrowcolor="#888888")


def _line(figure: go.Figure, start: tuple[float, float], end: tuple[float, float]) -> None:
    places = {"x0": start[0], "y0": start[1], "x1": end[0], "y1": end[1]}
    figure.add_shape(type="line", **places, line={"color": "#888888", "width": 1.2})


def _middle(sides: tuple[float, float]) -> float:
    return sum(sides) / 2


def _kernels(operation: Any) -> bool:
    return any(len(weight.shape) > 1 for weight in getattr(operation, "weights", []))


def _inputs(operation: Any) -> list[Any]:
    """Each tensor once: one that is taken twice, as where channels are repeated, is no fork."""
    return list({id(tensor): tensor for tensor in _tensors(operation.input)}.values())


def _tensors(tensors: Any) -> list[Any]:
    return list(tensors) if isinstance(tensors, list | tuple) else [tensors]


def _shape(operation: Any) -> str:
    return " × ".join(str(side) for side in _tensors(operation.output)[0].shape[1:])


def _words(name: str) -> str:
    return name.replace("_", " ").strip()
