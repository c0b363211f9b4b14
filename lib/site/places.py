"""Named places of the report pages: what stands there, which record it is from, and whether page and records agree."""

import html
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser

from lib.site.fragments import plain
from lib.site.notebook import SiteError, raw_html

PLACE = re.compile(r"\{\{ (\w+) \}\}")
OPEN = r'<span class="open" data-place="\w+" title="([^"]*)">open</span>'
SEVERAL_OPEN = re.compile(rf"{OPEN}(?:[;,.]?\s+{OPEN})+")
OPEN_ITEMS = "open_items"  # the place where a page lists what is open on it
TYPOGRAPHY = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "…": "...", "—": "---", "–": "--", "\xa0": " "})


@dataclass(frozen=True)
class Fact:
    """Something that a record says.

    text: as it is read; of a block, HTML. source: the record and its entry. page: of the site, where it was shown first; or an
    address that begins with https.
    """

    text: str
    source: str
    page: str = ""
    block: bool = False


@dataclass(frozen=True)
class Open:
    """Something that no record says. what: one line that says what is missing."""

    what: str


Place = Fact | Open


def filled(template: str, where: str, places: Mapping[str, Place], pages: Collection[str]) -> str:
    """A template with its places `{{ name }}` filled, as MyST markdown.

    where: name of the template, for messages. pages: names of the site's pages without ending; a fact of another page is
    shown without a link. Raises SiteError for a place that nothing is known of.
    """
    names = list(dict.fromkeys(PLACE.findall(template)))
    if unknown := [name for name in names if name not in places and name != OPEN_ITEMS]:
        raise SiteError(f"{where} has the place {unknown[0]!r}, which nothing fills; correct its name")
    listed = _listed({name: places[name].what for name in names if isinstance(places.get(name), Open)})
    shown = {name: shown_place(name, places[name], pages) for name in names if name != OPEN_ITEMS}
    text = PLACE.sub(lambda match: (shown | {OPEN_ITEMS: listed})[match.group(1)], template)
    return SEVERAL_OPEN.sub(_one_open, text)


def shown_place(name: str, place: Place, pages: Collection[str]) -> str:
    """A place as MyST markdown: a link to where it comes from, a table in a box, or the word open."""
    if isinstance(place, Open):
        return f'<span class="open" data-place="{name}" title="{escape(place.what)}">open</span>'
    marks = f'data-place="{name}" title="{escape(place.source)}"'
    elsewhere = place.page.startswith("https://")
    known = elsewhere or place.page.partition("#")[0].removesuffix(".html") in pages
    link = f'href="{escape(place.page)}"'
    if place.block:
        foot = f"<p><small><a {link}>where this comes from</a></small></p>" if known else ""
        return raw_html(f"<div {marks}>{place.text}</div>{foot}")
    tag, more = ("a", f" {link}") if known else ("span", "")
    return f'<{tag} class="fact"{more} {marks}>{plain(place.text)}</{tag}>'


def _one_open(several: re.Match[str]) -> str:
    """Open places that follow one another as one, which says all that is missing."""
    first, *others = re.finditer(OPEN, several.group())
    return first.group().replace(first.group(1), "; ".join(each.group(1) for each in (first, *others)))


def _listed(missing: Mapping[str, str]) -> str:
    """What is open, a line each; places that wait for the same thing share one. missing: name of a place -> what."""
    waiting: dict[str, list[str]] = {}
    for name, what in missing.items():
        waiting.setdefault(what, []).append(name.replace("_", " "))
    lines = [
        f"- open: {plain(what)}" + (f" ({', '.join(names)})" if len(names) > 1 else "")
        for what, names in waiting.items()
    ]
    return "\n".join(lines) or "Nothing."


def disagreements(page: str, where: str, places: Mapping[str, Place]) -> list[str]:
    """Places of a built page that do not say what the records say: one line each; empty when all agree.

    page: HTML. where: its name, for messages.
    """
    reader = _Reader()
    reader.feed(page)
    said = []
    for name, text in reader.found:
        place = places.get(name)
        if place is None:
            said.append(f"{where}: the place {name!r} is filled, and no record knows it")
        elif (expected := _plain_text(name, place)) != (read := _normalised(text)):
            said.append(f"{where}: {name} says {read!r:.200}, the records say {expected!r:.200}")
    return said


def count_places(page: str) -> int:
    """How many places a built page has."""
    reader = _Reader()
    reader.feed(page)
    return len(reader.found)


class _Reader(HTMLParser):
    """Collects the text of every element that has `data-place`."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._open: list[str] = []  # tags within the place that is being read

    def handle_starttag(self, tag: str, attributes: Sequence[tuple[str, str | None]]) -> None:
        name = dict(attributes).get("data-place")
        if self._open:
            if tag != "br":
                self._open.append(tag)
        elif name:
            self.found.append((name, ""))
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            name, text = self.found[-1]
            self.found[-1] = (name, text + data)


def _plain_text(name: str, place: Place) -> str:
    reader = _Reader()
    text = place.text if isinstance(place, Fact) and place.block else escape(_of(place))
    reader.feed(f'<div data-place="{name}">{text}</div>')
    return _normalised(reader.found[0][1])


def _of(place: Place) -> str:
    return "open" if isinstance(place, Open) else place.text


def _normalised(text: str) -> str:
    """Without what typography changes."""
    return re.sub(r"\s+", "", html.unescape(text).translate(TYPOGRAPHY))
