"""What one build has produced: the records below build/<dataset>/<profile>, read for the site."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lib import atomic

FINDINGS = ["kind", "image", "other", "detail", "decision", "reason", "by", "hidden"]  # columns of findings.csv
SMOKE_BANNER = "smoke profile: its chapters take a few hundred small images and an epoch or two, and conclude nothing"
LEAK_BANNER = "images stand in two parts of these data and were let through: scores are too good"
TITLE = "Can this image classifier be trusted?"


@dataclass(frozen=True)
class Book:
    """One build; `root` is build/<dataset>/<profile>."""

    root: Path

    @property
    def dataset(self) -> str:
        """Name of the data set, from the folder."""
        return self.root.parent.name

    @property
    def profile(self) -> str:
        """Name of the profile, from the folder."""
        return self.root.name

    @property
    def banner(self) -> str:
        """Sentence at the top of every page; empty where conclusions are drawn from parts that do not leak."""
        sentences = [SMOKE_BANNER] * (self.profile == "smoke") + [LEAK_BANNER] * bool(self.data.get("let_through"))
        return "; ".join(sentences)

    @cached_property
    def data(self) -> dict[str, Any]:
        """`data/data.json`, or nothing when the data have not been read yet."""
        return self._read(self.root / "data" / "data.json", {})

    @cached_property
    def findings(self) -> str:
        """All findings with what was decided, as custody shows them, as a table of text with commas; a header at least."""
        path = self.root / "data" / "ledger.parquet"
        table = pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=FINDINGS)
        return table[FINDINGS].to_csv(index=False, lineterminator="\n")

    @cached_property
    def runs(self) -> list[dict[str, Any]]:
        """Records of all finished runs, by name (`seed9` before `seed10`), then key."""
        records = [atomic.read_json(path) for path in sorted(self.root.glob("runs/*/record.json"))]
        return sorted(records, key=lambda record: (_natural(record["name"]), record["key"]))

    def notebook(self, chapter: str) -> Path:
        """Path of the executed notebook of a chapter."""
        return self.root / "chapters" / chapter / "notebook.ipynb"

    def record(self, chapter: str) -> dict[str, Any]:
        """`record.json` of a chapter: what it was executed with; empty when missing."""
        return self._read(self.root / "chapters" / chapter / "record.json", {})

    def hypotheses(self, chapter: str) -> list[dict[str, Any]]:
        """Judged hypotheses of a chapter."""
        return self._read(self.root / "chapters" / chapter / "hypotheses.json", [])

    def runs_used(self, chapter: str) -> list[str]:
        """Keys of the runs that a chapter used."""
        return self._read(self.root / "chapters" / chapter / "runs_used.json", [])

    @staticmethod
    def _read(path: Path, otherwise: Any) -> Any:
        return atomic.read_json(path) if path.exists() else otherwise


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
