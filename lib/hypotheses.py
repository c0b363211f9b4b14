"""Hypotheses: declared before anything is measured, judged from intervals, recorded.

Verdicts come from intervals at levels adjusted by Holm's step-down procedure within a chapter (Holm 1979), so that a
chapter makes a false confirmation with probability alpha at most.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Literal

import pandas as pd

from lib import atomic
from lib.config import Context
from lib.estimates import Estimate, Inapplicable, decimals
from lib.texts import Sentence

ALPHA = 0.05  # of a chapter
NOT_JUDGED = "not judged (smoke)"
NOT_APPLICABLE = "not applicable"
VERDICTS = ("confirmed", "refuted", "undecided", NOT_JUDGED, NOT_APPLICABLE)
Direction = Literal["greater", "less", "equivalent"]
TWO_KINDS = """Figures and measurements show intervals of 95 %, each by itself. Those of this table are wider, so that all
verdicts of the chapter together hold: <a href="hypotheses.html">how verdicts come about</a>. Groups are images that
belong together, and are resampled together."""


@dataclass(frozen=True)
class Hypothesis:
    """A claim about a number: `metric` is greater than, less than, or within plus and minus `margin`."""

    id: str
    statement: str
    metric: str
    direction: Direction
    margin: float
    source: str = ""  # codes of the source documents, for those who maintain the book

    def p_value(self, estimate: Estimate) -> float:
        """Smallest alpha at which the interval decides the claim, for or against."""
        if self.direction != "equivalent":
            return estimate.p_value(self.margin)
        return max(estimate.p_value(-self.margin), estimate.p_value(self.margin))  # both margins must be excluded

    def verdict(self, low: float, high: float) -> str:
        """`confirmed`, `refuted` or `undecided`, from an interval alone."""
        if self.direction == "equivalent":
            if -self.margin < low and high < self.margin:
                return "confirmed"
            return "refuted" if low > self.margin or high < -self.margin else "undecided"
        if low <= self.margin <= high:
            return "undecided"
        above = low > self.margin
        return "confirmed" if above == (self.direction == "greater") else "refuted"

    @property
    def claim(self) -> str:
        """The claim in signs, for tables."""
        sign = {"greater": "> ", "less": "< ", "equivalent": "within ± "}[self.direction]
        return f"{self.metric} {sign}{self.margin:g}"


class Hypotheses:
    """All hypotheses of one chapter."""

    def __init__(self, context: Context, *declared: Hypothesis):
        """Declare them; raises ValueError when two have the same id."""
        self.context = context
        self.declared = {hypothesis.id: hypothesis for hypothesis in declared}
        self.estimates: dict[str, Estimate | Inapplicable] = {}
        if len(self.declared) != len(declared):
            raise ValueError("two hypotheses have the same id; give each its own")

    def _repr_html_(self) -> str:
        cells = ((h.id, h.statement, h.claim) for h in self.declared.values())
        return _table(("", "Hypothesis", "Claim"), [[escape(cell) for cell in row] for row in cells])

    def measure(self, id: str, estimate: Estimate | Inapplicable) -> "Measurement":
        """Attach what was measured, or why nothing can be, and show it.

        Raises ValueError for an id that was not declared, or measured twice.
        """
        if id not in self.declared:
            raise ValueError(f"{id} was not declared; declared are: {', '.join(self.declared)}")
        if id in self.estimates:
            raise ValueError(f"{id} was measured already; a hypothesis is measured once")
        self.estimates[id] = estimate
        return Measurement(self.declared[id], estimate)

    def measure_each(self, estimates: Mapping[str, Estimate | Inapplicable]) -> "Measurements":
        """Several at once, by id; raises as `measure`."""
        return Measurements([self.measure(id, estimate) for id, estimate in estimates.items()])

    def judge(self) -> "Verdicts":
        """Judge all together and write `hypotheses.json`; what is not applicable counts in no correction.

        Raises ValueError when one was not measured.
        """
        records = self._records()
        atomic.write_json(self.context.output / "hypotheses.json", records)
        return Verdicts(records)

    def answer(self, *ids: str) -> Sentence:
        """What the verdicts say to a question that all of these hypotheses together answer. Raises as `judge`."""
        found = {record["id"]: record for record in self._records()}
        said = "; ".join(f"{found[id]['statement']} ({id}): {found[id]['verdict']}" for id in ids)
        verdicts = {found[id]["verdict"] for id in ids}
        if verdicts == {"confirmed"}:
            return Sentence(f"Yes. {said}.")
        return Sentence(f"{'No' if 'refuted' in verdicts else 'That was not shown'}. {said}.")

    def resolution(self) -> pd.DataFrame:
        """How large a measured effect would be told from the margin: half the width of the intervals, a row a metric.

        At 95 %, of a hypothesis by itself, and at the level that the first one to be decided needs among all (Holm).
        Of what is not applicable there is none.
        """
        known = [(self.declared[id].metric, each) for id, each in self.estimates.items() if isinstance(each, Estimate)]
        strictest = 1 - ALPHA / max(1, len(known))
        widths = pd.DataFrame(
            [(metric, each.half_width(), each.half_width(strictest)) for metric, each in known],
            columns=["metric", "alone", "among all"],
        )
        columns = {"hypotheses": ("alone", "size"), "median, by itself": ("alone", "median"),
                   "median, among all": ("among all", "median"), "largest, among all": ("among all", "max")}  # fmt: skip
        return widths.groupby("metric", sort=False).agg(**columns)

    def _records(self) -> list[dict]:
        if missing := [id for id in self.declared if id not in self.estimates]:
            raise ValueError(f"declared but never measured: {', '.join(missing)}")
        measured = {id: estimate for id, estimate in self.estimates.items() if not isinstance(estimate, Inapplicable)}
        p_values = {id: self.declared[id].p_value(estimate) for id, estimate in measured.items()}
        levels = holm_levels(p_values)
        return [self._record(id, p_values.get(id), levels.get(id)) for id in self.declared]

    def _record(self, id: str, p_value: float | None, level: float | None) -> dict:
        hypothesis, estimate = self.declared[id], self.estimates[id]
        if level is None:
            verdict = NOT_APPLICABLE
        else:
            verdict = hypothesis.verdict(*estimate.interval(level)) if self.context.judged else NOT_JUDGED
        return asdict(hypothesis) | {
            "chapter": self.context.chapter,
            "alpha": ALPHA,
            "p_value": p_value,
            "estimate": estimate.record(level),
            "verdict": verdict,
        }


@dataclass(frozen=True)
class Measurement:
    """What was measured for one hypothesis, by itself: the verdict comes when all are judged together."""

    hypothesis: Hypothesis
    estimate: Estimate | Inapplicable

    def __str__(self) -> str:
        name = f"{self.hypothesis.id}, {self.hypothesis.metric}"
        if isinstance(self.estimate, Inapplicable):
            return f"{name}: {NOT_APPLICABLE}, {self.estimate.reason}"
        return f"{name}: {self.estimate} (95 % interval, {self.estimate.method})"

    def _repr_html_(self) -> str:
        return f'<p class="measured">{escape(str(self))}</p>'


@dataclass(frozen=True)
class Measurements:
    """Several measurements, one below the other."""

    measured: list[Measurement]

    def __str__(self) -> str:
        return "\n".join(map(str, self.measured))

    def _repr_html_(self) -> str:
        return "".join(measurement._repr_html_() for measurement in self.measured)


@dataclass(frozen=True)
class Verdicts:
    """The judged hypotheses of a chapter, as a table."""

    records: list[dict]

    def _repr_html_(self) -> str:
        header = ("", "Hypothesis", "Claim", "Measured", "Verdict")
        told = Counter(record["verdict"] for record in self.records)
        counts = ", ".join(f"{told[verdict]} {verdict}" for verdict in VERDICTS if told[verdict])
        table = _table(header, [self._row(record) for record in self.records])
        return f'<p class="sentence">Of {len(self.records)} hypotheses: {counts}.</p>{table}<p><small>{TWO_KINDS}</small></p>'

    def _row(self, record: dict) -> list[str]:
        names = ("id", "statement", "metric", "direction", "margin", "source")
        hypothesis = Hypothesis(**{name: record[name] for name in names})
        verdict = record["verdict"]
        badge = f'<span class="verdict verdict-{verdict.split(" (")[0].replace(" ", "-")}">{verdict}</span>'
        return [escape(hypothesis.id), escape(hypothesis.statement), escape(hypothesis.claim), measured(record), badge]


def measured(record: dict) -> str:
    """An estimate with its interval, level and the number of groups and seeds behind it, or why there is none; HTML."""
    estimate = record["estimate"]
    if estimate["value"] is None:
        return f"<small>{escape(estimate['reason'])}</small>"
    basis = [f"{estimate[kind]} {kind}" for kind in ("groups", "seeds") if (estimate[kind] or 0) > 1]
    known = [estimate[name] for name in ("value", "low", "high") if estimate[name] is not None]
    digits = decimals(max(abs(number) for number in known))
    low = "-∞" if estimate["low"] is None else f"{estimate['low']:z.{digits}f}"
    high = "∞" if estimate["high"] is None else f"{estimate['high']:z.{digits}f}"
    small = f"{100 * estimate['level']:.4g} % interval, {', '.join(basis)}"
    return f"{estimate['value']:z.{digits}f} [{low}, {high}]<br><small>{small}</small>"


def holm_levels(p_values: dict[str, float], alpha: float = ALPHA) -> dict[str, float]:
    """The level of confidence at which each interval is drawn.

    In the order of their p-values, the k-th of m hypotheses is judged at alpha / (m - k); after the first that is not
    decided, all are judged at that one's level. Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    levels: dict[str, float] = {}
    step, stopped = 0, False
    for id in sorted(p_values, key=p_values.get):
        adjusted = alpha / (len(p_values) - step)
        levels[id] = 1 - adjusted
        stopped = stopped or not p_values[id] <= adjusted
        step += not stopped
    return levels


def _table(header: tuple[str, ...], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="hypotheses"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
