"""What a chapter shows beside figures: computed sentences, and tables that a page and a notebook show alike."""

import re
from dataclasses import dataclass
from html import escape

import pandas as pd

INTERVAL = re.compile(r"(\[[^\]\s]*,) ([^\]\s]*\])")
LEFT = ' style="text-align: left"'


@dataclass(frozen=True)
class Sentence:
    """A computed line of prose; it also stands where a figure or a table would be empty."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<p class="sentence">{escape(self.text)}</p>'


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it is shown: text on the left, numbers on the right, one row of names above."""

    frame: pd.DataFrame  # its index is not shown
    decimals: int

    def __repr__(self) -> str:
        shown = {name: [self._text(value) for value in self.frame[name]] for name in self.frame}
        return pd.DataFrame(shown).to_string(index=False)

    def _repr_html_(self) -> str:
        left = {name: "" if pd.api.types.is_numeric_dtype(kind) else LEFT for name, kind in self.frame.dtypes.items()}
        head = "".join(f"<th{left[name]}>{escape(str(name))}</th>" for name in self.frame)
        rows = (zip(self.frame, row, strict=True) for row in self.frame.itertuples(index=False, name=None))
        cells = (
            "".join(f"<td{left[name]}>{_breakable(self._text(value))}</td>" for name, value in row) for row in rows
        )
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        return f'<table class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'

    def _text(self, value: object) -> str:
        if isinstance(value, float) and value == value and not value.is_integer():
            return f"{round(value, self.decimals) + 0.0:,.{self.decimals}f}"  # no minus before a zero
        if pd.api.types.is_bool(value):
            return "yes" if value else "no"
        if pd.isna(value):
            return ""
        return f"{int(value):,}" if pd.api.types.is_number(value) else str(value)


def _breakable(text: str) -> str:
    """HTML whose lines break inside of names only at their signs, and never inside of an interval."""
    whole = INTERVAL.sub("\\1\u00a0\\2", escape(text))
    return re.sub(r"([/_])(?=\w)", r"\1<wbr>", whole)


@dataclass(frozen=True, eq=False)
class Together:
    """What a cell shows one below the other: tables, sentences, measurements."""

    parts: tuple[object, ...]

    def __repr__(self) -> str:
        return "\n\n".join(map(str, self.parts))

    def _repr_html_(self) -> str:
        return "".join(part._repr_html_() for part in self.parts)


def together(*parts: object) -> Together:
    """Several things that a page shows, as one; each has an HTML form of its own."""
    return Together(parts)


def sentence(*parts: str) -> Sentence:
    """Sentences, one after the other; empty ones are left out."""
    return Sentence(" ".join(part for part in parts if part))


def table(
    frame: pd.DataFrame, nothing: str = "There is nothing of that kind here.", decimals: int = 3
) -> Table | Sentence:
    """A table as all chapters show it; of a frame without rows the sentence `nothing`.

    A named index becomes the first columns, one without a name is left out; an underscore in a name of a column is a
    space. decimals: of numbers that are not whole.
    """
    if frame.empty:
        return Sentence(nothing)
    named = [name for name in frame.index.names if name is not None]
    flat = frame.reset_index() if named else frame.reset_index(drop=True)
    return Table(flat.rename(columns=lambda name: str(name).replace("_", " ")).rename_axis(columns=None), decimals)
