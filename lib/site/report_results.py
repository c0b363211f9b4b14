"""What the report pages say of results: from the record of the final test, the ledger of openings, the verdicts."""

from collections.abc import Mapping
from html import escape
from typing import Any

from lib.site.book import Book
from lib.site.fragments import interval, number, table, unlimited
from lib.site.places import Fact, Open, Place
from lib.site.report_model import NOT_YET, fact
from lib.site.report_openings import of_external, of_openings
from lib.site.verdicts import VERDICTS

OF_FINAL = (
    "test_auc", "validation_auc", "test_table", "validation_table", "test_images", "test_groups", "interval_method",
    "threshold", "constraint", "operating_tuning", "temperature", "calibration_table", "calibration_error", "decision_gain",
    "confusion_table", "slices_table", "slice_kinds", "worst_slice", "comparisons_table", "images_needed",
    "openings_count", "openings_table", "full_label_studies", "external_data", "external_table",
    "openings_told", "shares_table", "rule_told", "alone_told", "within_kinds_told", "parts_told", "explained_told",
)  # fmt: skip
BESIDE = ("rule", "alone", "within_kinds", "parts", "explained")  # sentences of `lib.final.beside.record`
EXPLAINED = "15_explain"


def of_results(book: Book, final: dict[str, Any]) -> dict[str, Place]:
    """Places about what was measured. final: the record of the final test; empty while there is none."""
    verdicts = _of_verdicts(book) | {"verdicts_explained": _explained(book)}
    if not final:
        return verdicts | dict.fromkeys(OF_FINAL, Open(NOT_YET))
    return (
        verdicts
        | _of_scores(final)
        | _of_decisions(final)
        | _of_slices(final)
        | of_openings(final)
        | of_external(final)
        | _beside(final)
    )


def inline(estimate: Mapping[str, Any] | None) -> str:
    """Value, limits and level in one line, or why there is none."""
    if not estimate or estimate.get("value") is None:
        return (estimate or {}).get("reason") or "–"
    if unlimited(estimate):
        return f"{number(estimate['value'])} (no interval: {estimate['method']})"
    limits = f"[{number(estimate['low'])}, {number(estimate['high'])}]"
    return f"{number(estimate['value'])} {limits} ({100 * estimate['level']:.3g} % interval)"


def _of_verdicts(book: Book) -> dict[str, Place]:
    names = sorted(path.parent.name for path in book.root.glob("chapters/*/hypotheses.json"))
    records = [record for name in names for record in book.hypotheses(name)]
    if not records:
        missing = Open("no chapter that declares a hypothesis has run yet in this build")
        return dict.fromkeys(("hypotheses_declared", "hypotheses_judged", "verdict_counts"), missing)
    told = [record["verdict"] for record in records]
    counts = ", ".join(f"{told.count(verdict)} {verdict}" for verdict in dict.fromkeys(sorted(told)))
    source = "chapters/*/hypotheses.json"
    return {
        "hypotheses_declared": Fact(f"{len(records)}", source, "hypotheses.html"),
        "hypotheses_judged": Fact(f"{sum(verdict in VERDICTS for verdict in told)}", source, "hypotheses.html"),
        "verdict_counts": Fact(counts, f"{source}: verdict", "hypotheses.html"),
    }


def _explained(book: Book) -> Place:
    """How the claims about maps ended, which are those of one chapter."""
    told = [record["verdict"] for record in book.hypotheses(EXPLAINED)]
    if not told:
        return Open("the chapter that explains the networks has not run yet in this build")
    counts = ", ".join(f"{told.count(verdict)} {verdict}" for verdict in dict.fromkeys(sorted(told)))
    return Fact(counts, f"chapters/{EXPLAINED}/hypotheses.json: verdict", f"{EXPLAINED}.html")


def _beside(final: dict[str, Any]) -> dict[str, Place]:
    """What the chapter says in sentences, and of what the parts are made."""
    said, shares = final["beside"]["sentences"], final["beside"]["shares"]
    parts = [name for name in (shares[0] if shares else {}) if name not in ("of", "kind")]
    rows = [[escape(row["of"]), escape(str(row["kind"])), *(f"{row[part]:.2f}" for part in parts)] for row in shares]
    header = ("of", "kind", *(f"{part}, % of images" for part in parts))
    missing = Open("the final test left no record of this")
    return {
        "shares_table": fact(table(header, rows, "report"), "beside, shares", block=True) if rows else missing,
        **{
            f"{name}_told": fact(said[name], f"beside, sentences, {name}") if name in said else missing
            for name in BESIDE
        },
    }


def _of_scores(final: dict[str, Any]) -> dict[str, Place]:
    chosen = final["chosen"]
    metrics = {part: final["metrics"][part][chosen] for part in ("validation", "test")}
    methods = sorted({each["method"] for each in metrics["test"].values() if each.get("method")})
    test = final["parts"]["test"]
    comparisons = final["comparisons"]
    power = "; ".join(f"{each['first']} and {each['second']}, {each['power_sentence']}" for each in comparisons)
    return {
        **{
            f"{part}_auc": fact(inline(scores.get("auc")), f"metrics, {part}, {chosen}, auc")
            for part, scores in metrics.items()
        },
        **{
            f"{part}_table": fact(_scores(scores), f"metrics, {part}, {chosen}", block=True)
            for part, scores in metrics.items()
        },
        "test_images": fact(f"{test['images']:,}", "parts, test"),
        "test_groups": fact(f"{test['groups']:,}", "parts, test"),
        "interval_method": fact("; ".join(methods) or "no metric has an interval", "metrics, test, method"),
        "confusion_table": fact(_confusion(final), f"confusion, {chosen}", block=True),
        "comparisons_table": fact(_comparisons(comparisons), "comparisons", block=True),
        "images_needed": fact(power or "no finalist is compared", "comparisons"),
    }


def _scores(scores: Mapping[str, Any]) -> str:
    rows = [[escape(name.replace("_", " ")), interval(each)] for name, each in scores.items()]
    return table(("metric", "value and interval"), rows, "report")


def _confusion(final: dict[str, Any]) -> str:
    counts, classes = final["confusion"][final["chosen"]], final["classes"]
    rows = [
        [f"truly {escape(name)}", *(f"{count:,}" for count in row)] for name, row in zip(classes, counts, strict=True)
    ]
    return table(("images", *(f"called {escape(name)}" for name in classes)), rows, "report")


def _comparisons(comparisons: list[dict[str, Any]]) -> str:
    rows = [
        [
            f"{escape(each['first'])} − {escape(each['second'])}",
            interval(each["difference"]),
            number(each["p_adjusted"]),
            escape(each["method"]),
        ]
        for each in comparisons
    ]
    return (
        table(("finalists", "difference of AUC", "p, adjusted", "method"), rows, "report") if rows else "<p>None.</p>"
    )


def _of_decisions(final: dict[str, Any]) -> dict[str, Place]:
    chosen, constraint = final["chosen"], final["constraint"]
    entry, operating = final["finalists"][chosen], final["operating"].get(chosen) or {}
    threshold = operating.get("reason") or entry.get("threshold_reason") or "there is none"
    tuning = operating.get("tuning")
    reached = ", ".join(
        f"{name} {value if name == 'images' else number(value)}" for name, value in (tuning or {}).items()
    )
    calibration = final["calibration"][chosen]
    error = calibration["calibrated"]["test"]["ece"]
    shown = threshold if entry["threshold"] is None else f"{entry['threshold']:.4g}"
    asked = f"{constraint['metric']} of at least {constraint['at_least']:g} on the part {constraint['part']}"
    return {
        "threshold": fact(shown, f"finalists, {chosen}, threshold"),
        "constraint": fact(asked, "constraint"),
        "operating_tuning": fact(reached or threshold, f"operating, {chosen}"),
        "temperature": fact(number(entry["temperature"]), f"finalists, {chosen}, temperature"),
        "calibration_table": fact(_calibration(calibration), f"calibration, {chosen}", block=True),
        "calibration_error": fact(_error(error), f"calibration, {chosen}, calibrated, test, ece"),
        "decision_gain": fact(inline(final["decision"]["gain"]), "decision, gain"),
    }


def _error(error: Mapping[str, Any] | None) -> str:
    if not error or error.get("value") is None:
        return (error or {}).get("reason") or "–"
    band = f"{number(error['perfect_low'])} to {number(error['perfect_high'])}"
    return f"{number(error['value'])}, where a perfect model would show {band} on so many images"


def _calibration(calibration: Mapping[str, Any]) -> str:
    names = ("brier", "log_loss", "slope", "intercept")
    rows = [
        [state, part, *(interval(each.get(name)) for name in names), escape(_error(each.get("ece")))]
        for state, parts in calibration.items()
        for part, each in parts.items()
    ]
    return table(
        ("probabilities", "part", *(name.replace("_", " ") for name in names), "calibration error"), rows, "report"
    )


def _of_slices(final: dict[str, Any]) -> dict[str, Place]:
    rows = [
        [
            escape(each["by"].replace("_", " ")),
            escape(str(each["slice"])),
            f"{each['images']:,}",
            f"{each['groups']:,}",
            interval(each["value"]),
            interval(each["difference"]),
            number(each["p_adjusted"]),
            "yes" if each["told_apart"] else "no",
        ]
        for each in final["slices"]
    ]
    metric = final["slice_metric"]
    header = ("by", "slice", "images", "groups", f"{metric}", "less the rest", "p, adjusted", "told apart")
    kinds = ", ".join(dict.fromkeys(each["by"].replace("_", " ") for each in final["slices"]))
    return {
        "slices_table": fact(
            table(header, rows, "report") if rows else "<p>There is no slice.</p>", "slices", block=True
        ),
        "slice_kinds": fact(kinds or "none", "slices, by"),
        "worst_slice": fact(final["worst_slice"]["sentence"], "worst_slice"),
    }
