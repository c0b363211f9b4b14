"""What the introduction says about the images: from the data set's card and the record of the data."""

from lib import cards, config
from lib.site.book import Book
from lib.site.fragments import counted, plain

PARTS = {
    "train": "networks learn from it",
    "tuning": "decides when to stop, calibration, operating point",
    "validation": "what the chapters judge on",
    "test": "opened once, in the last chapter",
}


def data_set(book: Book) -> str:
    """Text (MyST markdown): title, citation, licence, and how many images and groups each part has."""
    return "\n\n".join(text for text in (_card(book.dataset), _parts(book), _leaks(book)) if text)


def _card(dataset: str) -> str:
    try:
        card = cards.load(dataset)
    except config.UserError:
        return f"The images are those of the data set `{dataset}`."
    title = f"[{plain(card.title)}](<{card.address}>)" if card.address else plain(card.title)
    classes = ", ".join(f"*{plain(name)}*" for name in card.classes)
    citation = f" {plain(card.citation)}." if card.citation else ""
    shows = f", classes {classes}" if classes else ", without labels"
    return f"**{title}**{shows}.{citation} Licence: {plain(card.licence)}."


def _leaks(book: Book) -> str:
    """A warning where something stands in two parts and was let through."""
    let_through = book.data.get("let_through", {})
    lines = [f"- {counted(count, 'image')}: {plain(reason)}" for reason, count in let_through.items()]
    heading = "The parts of these data leak, and the leak was let through; scores are too good by an unknown amount."
    return "\n".join(["```{warning}", heading, "", *lines, "```"]) if lines else ""


def _parts(book: Book) -> str:
    parts = book.data.get("parts")
    if not parts:
        return "The images have not been read yet in this build."
    whole = f"{book.data['rows']:,} images in {book.data['groups']:,} groups are divided, whole groups at a time:"
    rows = [
        f"| {name} | {counts['images']:,} | {counts['groups']:,} | {PARTS.get(name, '')} |"
        for name, counts in sorted(parts.items(), key=lambda part: [*PARTS, part[0]].index(part[0]))
    ]
    return "\n".join([whole, "", "| part | images | groups | used for |", "| --- | ---: | ---: | --- |", *rows])
