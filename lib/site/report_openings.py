"""What the report pages say of the openings of the test part, and of another data set."""

from html import escape
from typing import Any

from lib.site.fragments import counted, interval, table, when
from lib.site.places import Open, Place
from lib.site.report_model import fact

DROP = (
    "A drop is the own test part less the other data set; of Brier and log loss, where less is better, a drop below zero is "
    "the bad news."
)
EXTERNAL_SIDES = ("own test part", "other data set", "drop")  # of `lib.final.external.compared`


def of_openings(final: dict[str, Any]) -> dict[str, Place]:
    """Places about how often the test part was opened, when and why. final: the record of the final test."""
    openings = final["openings"]
    rows = [
        [
            f"{each['number']}",
            when(each["opened"]),
            escape(each["profile"]),
            escape(each["reason"]),
            f"{each['images']:,}",
            f"<code>{escape(each['key'])}</code>",
        ]
        for each in openings["entries"]
    ]
    studies = ", ".join(openings["studies_with_all_labels"])
    count = openings["count"]
    told = f"{counted(count, 'time')}; models of a further opening were made when the result of the one before could be known"
    shown = table(("opening", "when", "profile", "reason", "images", "key"), rows, "report")
    return {
        "openings_told": fact("once" if count == 1 else told, "openings, count"),
        "openings_count": fact(f"{openings['count']}", f"openings ({openings['ledger']})"),
        "openings_table": fact(shown, "openings, entries", block=True),
        "full_label_studies": fact(studies or "none", "openings, studies_with_all_labels"),
    }


def of_external(final: dict[str, Any]) -> dict[str, Place]:
    """Places about another data set; open where the model was not tried on one. final: the record of the final test."""
    external = final["external"]
    if not external:
        missing = Open("the model was not tried on another data set; make book EXTERNAL=card does it")
        return {"external_data": missing, "external_table": missing}
    text = f"{external['title']}: {external['images']:,} images in {external['groups']:,} groups, nothing tuned on them"
    rows = [
        [escape(name.replace("_", " ")), *(interval(sides[side]) for side in EXTERNAL_SIDES)]
        for name, sides in external["metrics"].items()
    ]
    shown = table(("metric", *EXTERNAL_SIDES), rows, "report") + f"<p>{DROP}</p>"
    return {
        "external_data": fact(text, "external"),
        "external_table": fact(shown, "external, metrics", block=True),
    }
