"""myst-nb plugin: a plotly figure becomes an empty box with its data, drawn in the browser by one shared script."""

import json
from typing import Any

from docutils import nodes

PLOTLY = "application/vnd.plotly.v1+json"
DEFAULT_HEIGHT = 450  # pixels, plotly's own


class PlotlyRenderer:
    """Renders `application/vnd.plotly.v1+json` outputs, which myst-nb leaves out, in HTML builders."""

    mime_priority_overrides = [(builder, PLOTLY, 5) for builder in ("html", "dirhtml", "singlehtml")]

    @staticmethod
    def handle_mime(renderer: Any, data: Any, inline: bool) -> list[nodes.Node] | None:
        """Nodes of one output, or None for other MIME types. Called by myst-nb, see its NbElementRenderer."""
        if data.mime_type != PLOTLY:
            return None
        figure = data.content if isinstance(data.content, dict) else json.loads(data.content)
        return [nodes.raw(text=plotly_box(figure), format="html", classes=["output", "text_html"])]


def plotly_box(figure: dict[str, Any]) -> str:
    """HTML of one plotly figure.

    figure: `{"data": [...], "layout": {...}, "config": {...}}`; config may be absent. Its height is kept, its width is
    the page's.
    """
    layout = {key: value for key, value in figure["layout"].items() if key != "width"}
    config = {"responsive": True, "displaylogo": False, **figure.get("config", {})}
    config.pop("plotlyServerURL", None)
    parts = {"data": figure["data"], "layout": layout, "config": config}
    content = json.dumps(parts, sort_keys=True, separators=(",", ":")).replace("</", "<\\/")
    height = layout.get("height", DEFAULT_HEIGHT)
    return (
        f'<div class="book-plotly" style="min-height:{height}px">'
        f'<script type="application/json">{content}</script></div>'
    )
