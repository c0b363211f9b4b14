"""A served site, and a page of it that keeps what went wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Site:
    """A served site: its address, its folder and the names of its pages."""

    address: str
    folder: Path

    @property
    def pages(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.html"))

    @property
    def chapters(self) -> list[str]:
        return [name for name in self.pages if name[:2].isdigit()]


@dataclass
class Visit:
    """A page in the browser, with everything that went wrong and every request that left the site."""

    page: Page
    problems: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def watch(self, address: str) -> None:
        """Note errors, failed responses and requests to other places than `address`."""
        page, inside = self.page, (address, "data:", "blob:")
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("response", lambda reply: reply.status >= 400 and self.problems.append(f"{reply.status} {reply.url}"))
        page.on("request", lambda request: request.url.startswith(inside) or self.outside.append(request.url))

    def scroll(self) -> None:
        """Go through the whole page, so that figures which wait for it are drawn."""
        height = self.page.evaluate("document.documentElement.scrollHeight")
        for position in range(0, height + 600, 600):
            self.page.evaluate(f"window.scrollTo(0, {position})")
            self.page.wait_for_timeout(40)

    def figures(self) -> tuple[int, int]:
        """How many figures the page has, and how many are drawn."""
        return self.page.locator(".book-plotly").count(), self.page.locator(".book-plotly:has(.main-svg)").count()


Open = Callable[..., Visit]
