"""The figure of maps to choose from: its menus and its slider change what is seen."""

from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page

from lib import plots

METHODS = ("Grad-CAM", "Occlusion")


def chosen(page: Page, menu: int, label: str) -> None:
    page.locator(".updatemenu-header").nth(menu).click()
    page.locator(".updatemenu-dropdown-button", has_text=label).click()
    page.locator(".updatemenu-dropdown-button").first.wait_for(state="detached")
    drawn(page)


def drawn(page: Page) -> None:
    """Wait until plotly has done what it was asked for: it draws in its own time."""
    page.wait_for_function("() => !document.querySelector('.js-plotly-plot')._transitioning")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def seen(page: Page) -> dict[str, object]:
    """What of the figure is to be seen: images, methods by opacity, thresholds, the line of flags, widths of the panels."""
    return page.evaluate("""() => {
        const {data, layout} = document.querySelector(".js-plotly-plot");
        return {visible: data.map((trace) => trace.visible !== false), opaque: data.map((trace) => trace.opacity > 0),
                least: data.map((trace) => trace.zmin), line: layout.annotations[2].text,
                widths: [layout.xaxis, layout.xaxis2].map((axis) => axis.domain[1] - axis.domain[0])};
    }""")


def test_image_method_network_and_threshold_are_chosen(browser: Browser, tmp_path: Path) -> None:
    pixels, values = np.full((2, 24, 24), 90, np.uint8), np.random.default_rng(7).random((2, 24, 24)).astype(np.float32)
    images = {network: {"sure": pixels[0], "unsure": pixels[1]} for network in ("small", "large")}
    maps = {"sure": values[0], "unsure": values[1]}
    found = {method: dict.fromkeys(images, maps) for method in METHODS}
    figure = plots.chooser(images, found, {method: f"{method} said" for method in METHODS})
    file = tmp_path / "chooser.html"
    figure.write_html(file, include_plotlyjs=True)
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    page.goto(file.as_uri())
    before = seen(page)
    assert before["line"] == "Grad-CAM said" and sum(before["visible"]) == 6
    chosen(page, 0, "unsure")
    assert [a != b for a, b in zip(before["visible"], seen(page)["visible"], strict=True)] == [True] * 12
    chosen(page, 1, "Occlusion")
    after = seen(page)
    assert after["line"] == "Occlusion said" and after["opaque"] != before["opaque"]
    chosen(page, 2, "large")
    widths = seen(page)["widths"]
    assert widths[0] < 0.01 < widths[1]
    rail = page.locator(".slider-rail-touch-rect").bounding_box()
    page.mouse.click(rail["x"] + 0.9 * rail["width"], rail["y"] + rail["height"] / 2)
    assert not any(before["least"])
    page.wait_for_function("() => document.querySelector('.js-plotly-plot').data.some((trace) => trace.zmin > 0)")
    page.close()
