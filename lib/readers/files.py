"""Image files below a folder, told apart from everything else that lies there."""

import importlib.util
import os
import re
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import field_validator

from lib import config
from lib.findings import of_kind
from lib.readers.listing import IMAGE_SUFFIXES, OWN_COLUMNS, Listing, expression, fingerprint, identity
from lib.readers.table import Table, joined

JUNK_NAMES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
JUNK_FOLDERS = frozenset({"__MACOSX", ".ipynb_checkpoints", ".git", "__pycache__"})


class FilesReader(config.Strict):
    """Image files below a folder: the user's, or one inside an installed Python package.

    layout: a regular expression that the whole path of an image matches, `/` between folders; its named groups become
    columns, such as `label`, `official` (part as published) or `image` (the name that a table knows the image by).
    """

    kind: Literal["files"]
    package: str | None = None
    root: str = ""  # folder below DATA or the package that paths start from
    layout: str
    table: Table | None = None

    @field_validator("layout")
    @classmethod
    def _is_expression(cls, layout: str) -> str:
        if taken := set(re.compile(expression(layout)).groupindex) & set(OWN_COLUMNS):
            raise ValueError(f"no group may be called {', '.join(sorted(taken))}")
        return layout

    @property
    def groups_of_layout(self) -> list[str]:
        """Columns that come from the path."""
        return list(re.compile(self.layout).groupindex)

    def location(self) -> Path:
        """Folder that paths start from. Raises UserError when it cannot be found."""
        places = config.data_folder()
        if not places and not self.package:
            raise config.UserError("DATA is missing: name the folder that holds the images, make book ... DATA=/folder")
        if not places:
            found = importlib.util.find_spec(self.package)
            places = [Path(place) for place in (found and found.submodule_search_locations) or []]
        if not places:
            raise config.UserError(
                f"the card's package {self.package!r} is not installed; correct its name, or name the folder of the images: DATA"
            )
        if not (places[0] / self.root).is_dir():
            missing = f"has no folder {self.root}" if self.root and places[0].is_dir() else "is no folder"
            raise config.UserError(f"{places[0]} {missing}; DATA must be laid out as published")
        return places[0] / self.root

    def read(self, path: str) -> bytes:
        """Content of one image. Raises OSError."""
        return (self.location() / path).read_bytes()

    def fingerprint(self) -> str:
        """Changes with any file below the folder."""
        return fingerprint(self.location())

    def listing(self) -> Listing:
        """All images with what layout and table say of them, in the table's order or sorted by path.

        Findings: junk, empty_folder, outside_layout, unreadable (names that are no text), and what the table gives:
        skipped_line, missing_file, without_row.
        Raises UserError when no file matches the layout.
        """
        root = self.location()
        files, unnamed, empty, closed = _files(root)
        files = [path for path in files if not self.table or path != self.table.path]
        junk = {path: why for path in files if (why := _junk(path)) and not self._matches(path)}
        images = [path for path in files if path not in junk]
        inside = [path for path in images if self._matches(path)]
        if not inside:
            seen = ", ".join(repr(path) for path in files[:3]) or "nothing"
            raise config.UserError(
                f"{root} holds no image where the card expects them ({self.layout}); it holds {seen}; "
                "name the folder that the published paths start from"
            )
        outside = sorted(set(images) - set(inside))
        findings = [
            of_kind("junk", junk, details=list(junk.values())),
            of_kind("outside_layout", outside, details="not where the card expects images"),
            of_kind("empty_folder", [""] * len(empty), details=empty),
            of_kind("unreadable", unnamed, details="its name is no UTF-8 text; rename it"),
            of_kind("unreadable", [""] * len(closed), details=closed),
        ]
        rows = pd.DataFrame([{"path": path} | re.fullmatch(self.layout, path).groupdict() for path in inside])
        if self.table:
            said, skipped = self.table.read(root)
            rows, unmatched = joined(rows, said, self.table)
            findings += [skipped, *unmatched]
        rows = pd.concat(
            [rows.assign(outside=False), pd.DataFrame({"path": outside, "outside": True})], ignore_index=True
        )
        rows = rows.assign(identity=[identity(root, path) for path in rows["path"]])
        return Listing(rows, pd.concat(findings, ignore_index=True))

    def _matches(self, path: str) -> bool:
        return re.fullmatch(self.layout, path) is not None


def _files(root: Path) -> tuple[list[str], list[str], list[str], list[str]]:
    """Paths of all files below a folder, those whose names are no text, folders with nothing in them, and what was not
    entered: links to folders, and folders that the system does not list; all sorted.

    What is neither file nor link (pipes, sockets) is passed over, since reading it waits.
    """
    found, unnamed, empty, closed = [], [], [], []

    def name_of(folder: str) -> str:
        return os.path.relpath(folder, root).encode(errors="backslashreplace").decode()

    def refused(error: OSError) -> None:
        closed.append(f"{name_of(error.filename)}: the system does not list this folder")

    for folder, folders, names in os.walk(root, onerror=refused):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        closed += [f"{name_of(os.path.join(folder, name))}: a link to a folder is not followed" for name in links]
        if not folders and not names:
            empty.append(name_of(folder))
        for name in names:
            place = Path(folder, name)
            if not place.is_file() and not place.is_symlink():
                continue
            path = place.relative_to(root).as_posix()
            try:
                path.encode()
                found.append(path)
            except UnicodeEncodeError:
                unnamed.append(path.encode(errors="backslashreplace").decode())
    return sorted(found), sorted(unnamed), sorted(empty), sorted(closed)


def _junk(path: str) -> str | None:
    *folders, name = path.split("/")
    if name.startswith(".") or name.lower() in JUNK_NAMES or JUNK_FOLDERS & set(folders):
        return "left by a program, no image"
    if Path(name).suffix.lower() in IMAGE_SUFFIXES or "." not in name:
        return None
    return "no image by its name"
