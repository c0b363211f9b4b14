"""Tables of text beside the images: labels, patients, properties."""

import csv
import re
from collections import Counter
from pathlib import Path

import pandas as pd
from pydantic import field_validator

from lib import config, mistakes
from lib.findings import of_kind
from lib.readers import listing


class Table(config.Strict):
    """A table of text that says more of the images."""

    path: str
    separator: str = ","  # one character, or `whitespace`
    columns: list[str] | None = None  # names, where the table has no header line
    rows: str | None = None  # regular expression of a line that is a row; the others are skipped and counted
    image: str = "image"  # the column that names the image, as the layout's group `image` does

    @field_validator("separator")
    @classmethod
    def _is_separator(cls, separator: str) -> str:
        if len(separator) != 1 and separator != "whitespace":
            raise ValueError("a separator is one character or `whitespace`")
        return separator

    @field_validator("rows")
    @classmethod
    def _is_expression(cls, rows: str | None) -> str | None:
        return rows and listing.expression(rows)

    def read(self, root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
        """All rows, every value a text without blanks around it, and findings (`skipped_line`: no row, or too many values).

        Raises UserError when the table is not there, has no row, or lacks the column that names the image.
        """
        path = root / self.path
        try:
            text = path.read_text(encoding="utf-8-sig", errors="replace").replace("\0", "")
        except OSError:
            raise config.UserError(
                f"{root} has no {self.path}; DATA must be a folder laid out as published, with that table in it"
            ) from None
        is_row = re.compile(self.rows or "")
        lines = text.splitlines(keepends=True)
        prose = [line.strip() for line in lines if line.strip() and not is_row.match(line)]
        records = self._records(path, [line for line in lines if is_row.match(line)])
        names = self.columns or (records.pop(0) if records else [])
        self._check(path, names, records)
        prose += [" ".join(record) for record in records if len(record) > len(names)]
        rows = [record + [""] * (len(names) - len(record)) for record in records if len(record) <= len(names)]
        details = [f"{self.path}: {text[:80]}" for text in prose]
        return pd.DataFrame(rows, columns=names, dtype=str), of_kind(
            "skipped_line", [""] * len(details), details=details
        )

    def _records(self, path: Path, lines: list[str]) -> list[list[str]]:
        """The values of each row without blanks around them, and without empty ones at its end."""
        if self.separator == "whitespace":
            records = [line.split() for line in lines]
        else:
            try:
                records = [[value.strip() for value in row] for row in csv.reader(lines, delimiter=self.separator)]
            except csv.Error as error:
                raise config.UserError(f"{path}: {error}; {self._expected()}") from None
        for record in records:
            while record and not record[-1]:
                record.pop()
        return [record for record in records if record]

    def _check(self, path: Path, names: list[str], rows: list[list[str]]) -> None:
        if names and self.image not in names:
            raise config.UserError(
                f"{path} has no column {self.image!r}; its columns are: {', '.join(names)}; {self._expected()}"
            )
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            raise config.UserError(f"{path} has several columns {twice[0]!r}; every column needs a name of its own")
        if not rows:
            raise config.UserError(f"{path} has no row; {self._expected()}")

    def _expected(self) -> str:
        return (
            f"expected columns: {' '.join(self.columns)}" if self.columns else "expected a line of headers, then rows"
        )


def joined(rows: pd.DataFrame, said: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Images with the table's columns, in the table's order; an image of several rows comes several times.

    Names are compared as they are; where none is the same, without endings such as `.png`. Raises UserError where none is
    the same even so, or where two images are.
    """
    if "image" not in rows:
        raise config.UserError("the card's layout has no group `image`, so the rows of its table cannot be found again")
    taken = [name for name in (*listing.OWN_COLUMNS, "image") if name in said and name != table.image]
    said = said.drop(columns=taken).rename(columns={table.image: "image"})
    rows, said = _comparable(rows, said, table)
    named = said.merge(rows, on="image", how="left", suffixes=("", "_of_name"))
    absent = named.loc[named["path"].isna(), "image"].drop_duplicates()
    unnamed = rows.loc[~rows["image"].isin(said["image"]), "path"]
    findings = [
        of_kind("missing_file", absent, details=f"named in {table.path}; no such image where the card expects them"),
        of_kind("without_row", unnamed, details=f"no row in {table.path}"),
    ]
    return named[named["path"].notna()].reset_index(drop=True), findings


def _comparable(rows: pd.DataFrame, said: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    if said["image"].isin(rows["image"]).any():
        return rows, said
    short, names = (frame.assign(image=frame["image"].fillna("").map(listing.without_ending)) for frame in (rows, said))
    if not names["image"].isin(short["image"]).any():
        raise config.UserError(
            f"none of the {said['image'].nunique()} images that {table.path} names is there: its column {table.image!r} holds "
            f"{mistakes.shown(said['image'].unique(), 2)}, the layout's group `image` {mistakes.shown(rows['image'], 2)}; "
            "let the group match what the column holds, or name the folder that the published paths start from"
        )
    if short["image"].duplicated().any():
        one, other = short[short["image"].duplicated(keep=False)].sort_values("image")["path"].iloc[:2]
        raise config.UserError(
            f"{one!r} and {other!r} are one name in {table.path}, which gives no endings; write them in its column "
            f"{table.image!r}, or let the layout's group `image` keep them apart"
        )
    return short, names
