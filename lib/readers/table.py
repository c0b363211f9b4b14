"""Tables of text beside the images: labels, patients, properties."""

import io
import re
from pathlib import Path

import pandas as pd

from lib import config
from lib.findings import of_kind


class Table(config.Strict):
    """A table of text that says more of the images."""

    path: str
    separator: str = ","  # one character, or `whitespace`
    columns: list[str] | None = None  # names, where the table has no header line
    rows: str | None = None  # regular expression of a line that is a row; the others are skipped and counted
    image: str = "image"  # the column that names the image, as the layout's group `image` does

    def read(self, root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
        """All rows, every value a text without blanks around it, and findings (`skipped_line`).

        Raises UserError when the table is not there, has no row, or lacks the column that names the image.
        """
        path = root / self.path
        try:
            lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        except OSError:
            raise config.UserError(
                f"{root} has no {self.path}; DATA must be a folder laid out as published, with that table in it"
            ) from None
        is_row = re.compile(self.rows or r".*\S")
        kept = [line for line in lines if is_row.match(line)]
        skipped = [f"{self.path}: {line.strip()[:80]}" for line in lines if line.strip() and not is_row.match(line)]
        return self._parsed(path, kept), of_kind("skipped_line", [""] * len(skipped), details=skipped)

    def _parsed(self, path: Path, lines: list[str]) -> pd.DataFrame:
        separator = r"\s+" if self.separator == "whitespace" else self.separator
        header = {"header": None, "names": self.columns} if self.columns else {"header": 0}
        try:
            table = pd.read_csv(
                io.StringIO("\n".join(lines)), sep=separator, dtype=str, keep_default_na=False, index_col=False,
                na_values=[], engine="python" if len(separator) > 1 else "c", **header,
            )  # fmt: skip
        except ValueError as error:  # of pandas: rows of other lengths, no text
            raise config.UserError(f"{path}: {' '.join(str(error).split())}; {self._expected()}") from None
        table = table.fillna("").apply(lambda column: column.str.strip()).rename(columns=str.strip)
        if self.image not in table:
            raise config.UserError(f"{path} has no column {self.image!r}; its columns are: {', '.join(table.columns)}")
        if table.empty:
            raise config.UserError(f"{path} has no row; {self._expected()}")
        return table

    def _expected(self) -> str:
        return (
            f"expected columns: {' '.join(self.columns)}" if self.columns else "expected a line of headers, then rows"
        )


def joined(rows: pd.DataFrame, said: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Images with the table's columns, in the table's order; an image of several rows comes several times."""
    if "image" not in rows:
        raise config.UserError("the card's layout has no group `image`, so the rows of its table cannot be found again")
    said = said.rename(columns={table.image: "image"})
    named = said.merge(rows, on="image", how="left", suffixes=("", "_of_name"))
    absent = named.loc[named["path"].isna(), "image"].drop_duplicates()
    unnamed = rows.loc[~rows["image"].isin(said["image"]), "path"]
    if len(absent) == said["image"].nunique():
        raise config.UserError(
            f"none of the {len(absent)} images that {table.path} names is there, such as {absent.iloc[0]!r}; "
            "name the folder that the published paths start from"
        )
    findings = [
        of_kind("missing_file", absent, details=f"named in {table.path}, not there"),
        of_kind("without_row", unnamed, details=f"no row in {table.path}"),
    ]
    return named[named["path"].notna()].reset_index(drop=True), findings
