"""What a benchmark found: figures over interleaved repeats, a table, a JSON file."""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from lib import atomic, config, machine

FOLDER = config.REPOSITORY / "build" / "benchmarks"
BOOK = FOLDER / "book"  # build folder of the book that is measured


class NotMeasured(RuntimeError):
    """Something beside the measurement went wrong; the message says what."""


@dataclass(frozen=True)
class Goal:
    """What the median of a figure should come to."""

    relation: Literal["at most", "at least"]
    value: float

    def reached(self, median: float) -> bool:
        return median <= self.value if self.relation == "at most" else median >= self.value


@dataclass(frozen=True)
class Figure:
    """One quantity, measured once a repeat."""

    name: str
    unit: str
    values: list[float]
    goal: Goal | None = None

    def record(self) -> dict:
        median = statistics.median(self.values)
        spread = {"median": median, "minimum": min(self.values), "maximum": max(self.values), "values": self.values}
        goal = self.goal and {
            "relation": self.goal.relation,
            "value": self.goal.value,
            "reached": self.goal.reached(median),
        }
        return {"name": self.name, "unit": self.unit, **spread, "goal": goal}


def interleaved(measures: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Measure all in turn, A B A B ..., so that a slow moment of the machine meets each of them."""
    values = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            values[name].append(measure())
    return values


def ratios(numerators: list[float], denominators: list[float]) -> list[float]:
    """One ratio a repeat."""
    return [a / b for a, b in zip(numerators, denominators, strict=True)]


def seconds(action: Callable[[], object]) -> float:
    """Wall time of a call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def publish(name: str, figures: list[Figure]) -> None:
    """Print the table and write `build/benchmarks/<name>.json`."""
    records = [figure.record() for figure in figures]
    found = {
        "benchmark": name,
        "figures": records,
        "goals_reached": all(record["goal"]["reached"] for record in records if record["goal"]),
        "machine": machine.device() | {"load_average": os.getloadavg()[0]},
        "versions": machine.versions(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    atomic.write_json(FOLDER / f"{name}.json", found)
    print(table(name, records), flush=True)


def table(name: str, records: list[dict]) -> str:
    """The figures as text, a line each."""
    repeats = max(len(record["values"]) for record in records)
    lines = [f"\n{name + f' ({repeats} repeats)':<52}{'median':>10}{'min':>10}{'max':>10}  unit, goal"]
    for record in records:
        numbers = "".join(f"{record[key]:>10.4g}" for key in ("median", "minimum", "maximum"))
        lines.append(f"{record['name']:<52}{numbers}  {record['unit']}{_goal(record['goal'])}")
    return "\n".join(lines)


def _goal(goal: dict | None) -> str:
    if goal is None:
        return ""
    return f", {goal['relation']} {goal['value']:g}: {'reached' if goal['reached'] else 'MISSED'}"
