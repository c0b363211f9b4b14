"""The site in a browser: it loads, asks nothing from outside, draws its figures, fits a phone and paper."""

import re
from urllib.parse import urldefrag

from visiting import PHONE, Open, Site


def test_pages_load_draw_their_figures_and_ask_nothing_from_outside(built_site: Site, visit: Open) -> None:
    assert {"index.html", "hypotheses.html", "catalogue.html", "references.html"} <= set(built_site.pages)
    assert {"model_card.html", "datasheet.html", "claim.html"} <= set(built_site.pages)
    total = 0
    for name in built_site.pages:
        visited = visit(name)
        visited.scroll()
        figures, drawn = visited.figures()
        assert (name, drawn, visited.problems, visited.outside) == (name, figures, [], [])
        total += figures
    assert total > 0


def test_figures_far_below_wait(built_site: Site, visit: Open) -> None:
    counts = [visit(name).figures() for name in built_site.chapters]
    assert any(drawn < figures for figures, drawn in counts)


def test_printing_draws_every_figure_on_the_width_of_paper(built_site: Site, visit: Open) -> None:
    for name in built_site.chapters:
        visited = visit(name, color_scheme="dark")
        visited.page.evaluate("""() => addEventListener("beforeprint", () => {
            window.printed = [...document.querySelectorAll(".book-plotly")].map(
                (box) => box.querySelector(".js-plotly-plot")?._fullLayout.width);
            window.printedTheme = document.documentElement.dataset.theme;
        })""")
        visited.page.pdf()
        widths = visited.page.evaluate("window.printed")
        assert len(widths) == visited.figures()[0]
        assert all(width and width <= 700 for width in widths), (name, widths)
        assert visited.page.evaluate("window.printedTheme") == "light"
        assert visited.page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_no_page_is_wider_than_a_phone(built_site: Site, visit: Open) -> None:
    for name in built_site.pages:
        visited = visit(name, viewport=PHONE)
        visited.scroll()
        assert (name, visited.page.evaluate("document.documentElement.scrollWidth")) == (name, PHONE["width"])


def test_figures_are_legible_in_dark_mode(built_site: Site, visit: Open) -> None:
    checked = 0
    for name in built_site.chapters:
        visited = visit(name, color_scheme="dark")
        visited.scroll()
        colours = visited.page.evaluate("""() => [...document.querySelectorAll(".js-plotly-plot")].map((plot) => {
            const backs = [];
            for (let e = plot; e; e = e.parentElement) backs.push(getComputedStyle(e).backgroundColor);
            return [plot._fullLayout.font.color, backs.find((back) => !/(, 0\\)|transparent)$/.test(back))];
        })""")
        for text, back in colours:
            channels = [int(number) for number in re.findall(r"\d+", back)[:3]]
            assert text == "#d6dbe1" and max(channels) < 60, (name, text, back)
            checked += 1
    assert checked


def test_figures_are_numbered_by_chapter(built_site: Site) -> None:
    for name in built_site.chapters:
        numbers = re.findall(r'<span class="caption-number">(.*?) </span>', _text(built_site, name))
        assert numbers == [f"Figure {int(name[:2])}.{index}" for index in range(1, len(numbers) + 1)]
    assert numbers


def test_code_is_folded_but_there(built_site: Site, visit: Open) -> None:
    page = visit(built_site.chapters[-1]).page
    assert page.locator("div.cell_input:visible").count() == 0
    page.locator("div.cell details.hide > summary").first.click()
    assert page.locator("div.cell_input:visible").count() == 1


def test_search_finds_a_word_of_a_chapter(built_site: Site, visit: Open) -> None:
    chapter = built_site.chapters[-1]
    title = visit(chapter).page.locator("article h1").inner_text()
    word = max(re.findall(r"[a-z]+", title), key=len)
    page = visit(f"search.html?q={word}").page
    page.wait_for_selector("ul.search li a")
    assert any(
        chapter in link for link in page.locator("ul.search li a").evaluate_all("(all) => all.map((a) => a.href)")
    )


def test_every_chapter_says_where_it_comes_from(built_site: Site) -> None:
    for name in [
        *built_site.chapters,
        "index.html",
        "hypotheses.html",
        "catalogue.html",
        "model_card.html",
        "claim.html",
    ]:
        feet = re.findall(r'<footer class="provenance">.*?</footer>', _text(built_site, name), flags=re.DOTALL)
        assert len(feet) == 1, name
        labels = set(re.findall(r"<dt>(.*?)</dt>", feet[0]))
        needed = (
            {"Executed", "Device", "Parameters", "Versions", "Runs"} if name in built_site.chapters else {"Drawn from"}
        )
        assert {"Data", "Profile", "Code", *needed} - labels == set(), name
        assert "not recorded" not in feet[0], name


def test_smoke_pages_carry_the_banner(built_site: Site) -> None:
    expected = int(built_site.folder.parent.name == "smoke")
    for name in built_site.pages:
        assert (name, _text(built_site, name).count("conclude nothing")) == (name, expected)


def test_links_within_the_site_lead_somewhere(built_site: Site) -> None:
    pages = {name: _text(built_site, name) for name in built_site.pages}
    identifiers = {name: set(re.findall(r'\sid="([^"]*)"', text)) for name, text in pages.items()}
    for name, text in pages.items():
        for link in sorted(set(re.findall(r'\shref="([^"#][^"]*)"', text))):
            target, fragment = urldefrag(link)
            if re.match(r"[a-z]+:", link):
                continue
            page = target.split("?")[0]
            assert (built_site.folder / page).exists(), (name, link)
            assert not fragment or fragment in identifiers[page], (name, link)


def _text(site: Site, name: str) -> str:
    return (site.folder / name).read_text(encoding="utf-8")
