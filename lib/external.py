"""Another data set that the frozen model is tried on too: which card it has, and where its images lie.

`make book EXTERNAL=card EXTERNAL_DATA=folder`. Nothing is trained, tuned or chosen on it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lib import cards, config

PARAMETER = "EXTERNAL"  # of the chapter that makes the check
NAME_VARIABLE, FOLDER_VARIABLE = "BOOK_EXTERNAL", "BOOK_EXTERNAL_DATA"


@contextmanager
def images() -> Iterator[None]:
    """Within, cards find their images where EXTERNAL_DATA says, and DATA is as if it had not been given.

    A mistake that is found within speaks of EXTERNAL and EXTERNAL_DATA.
    """
    before = os.environ.get(config.DATA_VARIABLE, "")
    os.environ[config.DATA_VARIABLE] = os.environ.get(FOLDER_VARIABLE, "")
    try:
        yield
    except config.UserError as error:
        names = {"DATA": FOLDER_VARIABLE.removeprefix("BOOK_"), "DATASET": PARAMETER}
        raise config.UserError(re.sub(r"\bDATA(SET)?\b", lambda found: names[found.group()], str(error))) from None
    finally:
        os.environ[config.DATA_VARIABLE] = before


def settle(name: str, folder: str) -> None:
    """Tell this process, and all that it starts, what was asked for; the folder becomes an absolute path.

    name: of a card; "" with a folder: the folder is a data set by itself, with a folder for each class.
    Raises UserError as `config.data_folder`.
    """
    os.environ[FOLDER_VARIABLE] = folder
    with images():
        found = config.data_folder()
        own = config.own_dataset()
    os.environ[FOLDER_VARIABLE] = str(found[0]) if found else ""
    os.environ[NAME_VARIABLE] = name or "".join(own)


def asked() -> str:
    """Name of the other data set; empty where none was asked for."""
    return os.environ.get(NAME_VARIABLE, "")


def said(name: str) -> str:
    """The other data set as the user gave it: the card that was named, or else the folder."""
    with images():
        folder = name in config.own_dataset()
    given = (FOLDER_VARIABLE.removeprefix("BOOK_"), os.environ[FOLDER_VARIABLE]) if folder else (PARAMETER, name)
    return "{}={!r}".format(*given)


def card(name: str, dataset: str) -> cards.Card:
    """The card of the other data set.

    Raises UserError when it does not exist, has other classes than the book's data set, or is the same images.
    """
    own = cards.load(dataset)
    home = own.reader.location()
    with images():
        other = cards.load(name)
        place = other.reader.location()
    if place == home:
        raise config.UserError(
            f"{said(name)} is the images of the book itself; name another data set, or another folder by EXTERNAL_DATA"
        )
    if not own.labelled or set(own.classes) != set(other.classes):
        here, there = (", ".join(each.classes) or "none" for each in (own, other))
        raise config.UserError(
            f"{said(name)} has other classes ({there}) than {dataset} ({here}); a frozen model can only be tried on "
            "images of the classes that it knows"
        )
    return other


def parameters(chapter: str, dataset: str, profile: str) -> dict[str, Any]:
    """As `config.chapter_parameters`, with the other data set where the chapter has a parameter for it."""
    given = config.chapter_parameters(chapter, dataset, profile)
    return given | {PARAMETER: asked() or given[PARAMETER]} if PARAMETER in given else given


def fingerprint(given: dict[str, Any]) -> list[Any]:
    """What a chapter with these parameters depends on, beside them: card and files of the other data set, if there is one."""
    if not given.get(PARAMETER):
        return []
    other = card(given[PARAMETER], given["DATASET"])
    with images():
        return [other.model_dump(mode="json"), other.reader.fingerprint()]
