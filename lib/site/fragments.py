"""Small pieces of HTML that several pages share: numbers, times, verdicts, tables."""

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

HASH_LENGTH = 10  # characters of a hash that are shown


def verdict_badge(verdict: str) -> str:
    """Coloured label of a verdict; one of several words, such as "not judged (smoke)", may end in a reason."""
    kind = verdict.split(" (")[0].replace(" ", "-")
    return f'<span class="verdict verdict-{escape(kind)}">{escape(verdict)}</span>'


def number(value: float | None) -> str:
    """Three decimals below 100, thousands separated above; a dash for what is not known."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value:z.3f}".replace("-", "−") if abs(value) < 100 else f"{value:,.0f}"


def plain(text: str) -> str:
    """What somebody wrote, so that it stands in Markdown and in HTML as it is: one line, no character with a meaning."""
    words = " ".join(text.split())
    return "".join(c if c.isalnum() or c == " " or not c.isascii() else f"&#{ord(c)};" for c in words)


def counted(count: int, noun: str, several: str | None = None) -> str:
    """`1 seed`, `2 seeds`; several: the plural, where it does not end in a mere s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {several or noun + 's'}"


def interval(estimate: dict[str, Any] | None) -> str:
    """Value, and below it `[low, high] level %`; keys value, low, high, level, limits and level may be None or absent.

    Without a value: the reason, where one is given, else a dash; without either limit: the method, which says why.
    """
    if not estimate or estimate.get("value") is None:
        reason = (estimate or {}).get("reason")
        return f'<small class="reason">{escape(reason)}</small>' if reason else "–"
    if estimate.get("level") is None:
        return number(estimate["value"])
    if unlimited(estimate):
        return f"{number(estimate['value'])}<br><small>no interval: {escape(estimate['method'])}</small>"
    limits = f"[{number(estimate.get('low'))}, {number(estimate.get('high'))}]"
    return f"{number(estimate['value'])}<br><small>{limits} {100 * estimate['level']:.3g}&nbsp;%</small>"


def unlimited(estimate: dict[str, Any]) -> bool:
    """Whether a recorded estimate has no limit on either side, so that it says nothing beyond its value."""
    return bool(estimate.get("method")) and estimate.get("low") is None and estimate.get("high") is None


def duration(seconds: float | None) -> str:
    """Seconds as a reader says them: `48 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def device(record: dict[str, Any]) -> str:
    """Processor, cores and GPU of a record's device."""
    parts = record.get("device") or {}
    names = [parts.get("processor"), f"{parts['cores']} cores" if parts.get("cores") else None, parts.get("gpu")]
    return ", ".join(str(name) for name in names if name) or "not recorded"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], kind: str) -> str:
    """Table in its own scrolling box; cells are HTML. `kind` names it for the style sheet."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in header)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="table-box" tabindex="0"><table class="table {kind}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def definitions(entries: dict[str, str]) -> str:
    """List of names with values; values are HTML, empty ones are left out."""
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in entries.items() if value)
    return f"<dl>{items}</dl>"


def short_hash(value: str | None) -> str:
    """Beginning of a hash, the whole of it in the tooltip."""
    if not value:
        return "not recorded"
    return f'<code title="{escape(value)}">{escape(value[:HASH_LENGTH])}</code>'


def commit(value: str | None) -> str:
    """A commit, and in words whether files had been changed since it."""
    if not value:
        return "no commit"
    changed = " with uncommitted changes" if value.endswith("+") else ""
    return short_hash(value.rstrip("+")) + changed


def run_link(key: str, name: str) -> str:
    """Link to a run in the catalogue."""
    return f'<a href="catalogue.html#run-{escape(key)}">{escape(name)}</a>'


def flat(values: dict[str, Any] | list[Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as `{"outer.inner": value}`; the entries of lists of settings are counted from 1."""
    entries = values.items() if isinstance(values, dict) else enumerate(values, start=1)
    result: dict[str, Any] = {}
    for name, value in entries:
        nested = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))
        result.update(flat(value, f"{prefix}{name}.") if nested and value else {f"{prefix}{name}": value})
    return result


def settings(values: dict[str, Any]) -> str:
    """Flat settings in one line."""
    return " · ".join(f"{escape(name)} <b>{escape(str(value))}</b>" for name, value in values.items())


def when(timestamp: str | None) -> str:
    """`2025-01-31 12:30 UTC` from ISO 8601."""
    return f"{timestamp[:16].replace('T', ' ')} UTC" if timestamp else "not recorded"
