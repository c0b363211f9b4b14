"""From findings to decisions: a policy by kind, overrides by hand, and what they do to the table of images.

Everything here is a function of its arguments: the same findings, policy and overrides give the same table again.
"""

import csv
from collections.abc import Iterable
from typing import Literal, get_args

import pandas as pd

from lib import config, mistakes
from lib.findings import linked, of_kind

Decision = Literal["drop", "keep", "merge", "review"]
EVERY = "*"  # in an override: all images of the kind
WITH_OTHER = (
    "copy_of_bytes",
    "copy_of_pixels",
    "near_copy",
    "repeated_series",
    "repeated_tree",
    "label_conflict",
    "across_parts",
)
HEIRS = ("copy_of_bytes", "copy_of_pixels", "near_copy")  # where an image is dropped, its copies are another's copies
OVERRIDE_COLUMNS = ["kind", "image", "decision", "reason"]


class Rule(config.Strict):
    """What is decided on a kind of finding."""

    decision: Decision
    reason: str


def policy(changes: dict[str, Rule] | None = None) -> dict[str, Rule]:
    """The rule of each kind: `params/ledger.yml`, with a card's changes. Raises UserError naming file and kind."""
    path = "params/ledger.yml"
    rules = {
        kind: config.validated(Rule, rule, f"{path}, {kind}")
        for kind, rule in config.read_yaml(config.PARAMETERS / "ledger.yml").items()
    }
    for kind in changes or {}:
        config.one_of("policy of the card", kind, list(rules))
    return rules | (changes or {})


def overrides(dataset: str) -> pd.DataFrame:
    """Decisions by hand, `params/datasets/<dataset>.csv`: columns kind, image (`*`: all of the kind), decision, reason.

    The index says where each line stands. An image that nothing was found about has the kind `manual`. No file: no row.
    Raises UserError naming file, line and what is allowed.
    """
    path = config.PARAMETERS / "datasets" / f"{dataset}.csv"
    if not path.is_file():
        return pd.DataFrame(columns=OVERRIDE_COLUMNS, dtype=str)
    where, kinds = f"params/datasets/{dataset}.csv", list(policy())
    try:
        reader = csv.reader(path.read_text(encoding="utf-8-sig").splitlines(keepends=True), strict=True)
        lines = [(f"{where}, line {reader.line_num}", row) for row in reader if any(row)]
    except (csv.Error, UnicodeDecodeError) as error:
        raise config.UserError(f"{where} is no table of UTF-8 text with commas: {error}") from None
    header = [name.strip() for name in lines[0][1]] if lines else ["none"]
    if header != OVERRIDE_COLUMNS:
        raise config.UserError(f"{where}: its columns are {', '.join(header)}; expected: {', '.join(OVERRIDE_COLUMNS)}")
    rows = [[*map(str.strip, row[:1]), *row[1:2], *map(str.strip, row[2:])] for _, row in lines[1:]]
    for (place, _), values in zip(lines[1:], rows, strict=True):
        _check_override(place, values, kinds)
    table = pd.DataFrame(rows, columns=OVERRIDE_COLUMNS, index=[place for place, _ in lines[1:]], dtype=str)
    for (kind, image), same in table.groupby(["kind", "image"], sort=False):
        _refuse_contradiction(same, f"{kind} of {image!r}")
    return table


def _check_override(where: str, values: list[str], kinds: list[str]) -> None:
    if len(values) != len(OVERRIDE_COLUMNS):
        raise config.UserError(
            f"{where}: {len(values)} values, expected {len(OVERRIDE_COLUMNS)}; put a text with commas into double quotes"
        )
    kind, image, decision, reason = values
    config.one_of(f"{where}, kind", kind, kinds)
    config.one_of(f"{where}, decision", decision, get_args(Decision))
    if not image or not reason:
        raise config.UserError(f"{where}: image and reason must not be empty (image `*`: all of the kind)")
    if decision == "merge" and kind not in WITH_OTHER:
        raise config.UserError(f"{where}: {kind} is about one image, there is nothing to merge it with")
    if (kind, image) == ("manual", EVERY):
        raise config.UserError(f"{where}: a decision of the kind manual names one image")


def _refuse_contradiction(lines: pd.DataFrame, finding: str) -> None:
    """Raises UserError when lines decide differently on one finding."""
    if lines["decision"].nunique() > 1:
        said = lines.drop_duplicates("decision")["decision"].iloc[:2]
        one, other = (f"{place} says {decision}" for place, decision in said.items())
        raise config.UserError(f"{one}, {other}, both on {finding}; keep one of the lines")


def decide(findings: pd.DataFrame, rules: dict[str, Rule], by_hand: pd.DataFrame) -> pd.DataFrame:
    """The ledger: each finding with decision, reason and by (`policy` or `hand`), in the order of the findings.

    An override for one image goes before one for its whole kind, and both before the policy. Either image of a pair names
    it; `drop` leaves out the image that is named, which then stands as `image`. Raises UserError when two lines contradict
    each other.
    """
    others = findings["other"].tolist()  # as they were found: a line for an heir says nothing of what it inherits
    findings = _dropped_first(findings, by_hand)
    others += [""] * (len(findings) - len(others))
    lines = {key: line for key, line in by_hand.groupby(["kind", "image"], sort=False)}
    decided = []
    for kind, image, other in zip(findings["kind"], findings["image"], others, strict=True):
        hand = _on_pair(lines.get((kind, image)), lines.get((kind, other)) if other else None, kind)
        hand = lines.get((kind, EVERY)) if hand is None else hand
        rule = rules[kind] if hand is None else hand.iloc[0]
        decided.append((rule.decision, rule.reason, "policy" if hand is None else "hand"))
    columns = pd.DataFrame(decided, columns=["decision", "reason", "by"], index=findings.index, dtype=str)
    return pd.concat([findings, columns], axis=1)


def _on_pair(of_image: pd.DataFrame | None, of_other: pd.DataFrame | None, kind: str) -> pd.DataFrame | None:
    """The lines that decide on a pair; one that drops the other image says nothing of this one."""
    if of_other is None or of_other["decision"].eq("drop").any():
        return of_image
    if of_image is not None and not of_image["decision"].eq("drop").any():
        pair = f"{kind} of {of_image['image'].iloc[0]!r} and {of_other['image'].iloc[0]!r}"
        _refuse_contradiction(pd.concat([of_image, of_other]), pair)
    return of_other if of_image is None else of_image


def _dropped_first(findings: pd.DataFrame, by_hand: pd.DataFrame) -> pd.DataFrame:
    """Findings in which an image that is dropped by hand stands as `image`; its copies are bound to one that stays."""
    dropped = by_hand[by_hand["decision"] == "drop"]
    if not dropped["image"].isin(findings["other"]).any():
        return findings
    rows = findings.to_dict("records")
    for kind, names in dropped.groupby("kind", sort=False)["image"]:
        for name in names.unique():
            _turn(rows, kind, name, set(names))
    return pd.DataFrame(rows, columns=findings.columns, dtype="str")


def _turn(rows: list[dict[str, str]], kind: str, name: str, dropped: set[str]) -> None:
    """Let `name` be the image of one finding, and its heir stand for it in the others where they are about copies."""
    touching = [row for row in rows if row["kind"] == kind and name in (row["image"], row["other"])]
    own = [row for row in touching if row["image"] == name]
    if not touching or (own and kind not in HEIRS):
        return
    mine = next((row for row in [*own, *touching] if not {row["image"], row["other"]} <= dropped), touching[0])
    heir = mine["other"] if mine["image"] == name else mine["image"]
    if mine["image"] != name and heir in dropped:  # both of the pair go
        rows.append(mine | {"image": name, "other": heir})
        return
    mine["image"], mine["other"] = name, heir
    for row in touching:
        if kind in HEIRS and row is not mine and row["image"] not in dropped:
            row.update({end: heir for end in ("image", "other") if row[end] == name})


def check_used(by_hand: pd.DataFrame, decided: pd.DataFrame, nameable: Iterable[str]) -> None:
    """Raises UserError for the first line that decides on nothing, with what was found instead.

    decided: the whole ledger. nameable: paths that a message may name, none of the test part, whose names tell labels.
    """
    ends = pd.concat([decided[["kind", "image"]], decided[["kind", "other"]].set_axis(["kind", "image"], axis=1)])
    kinds = ends[ends["image"] != ""].groupby("image")["kind"].unique()
    for place, kind, image in zip(by_hand.index, by_hand["kind"], by_hand["image"], strict=True):
        known = decided["kind"].unique() if image == EVERY else kinds.get(image, ())
        if kind not in known:
            near = mistakes.nearest(image, nameable) if not len(known) else ""
            raise config.UserError(
                f"{place}: nothing of the kind {kind} was found for {image!r}; found: {', '.join(known) or 'nothing'}{near}"
            )


def manual_findings(by_hand: pd.DataFrame, paths: Iterable[str]) -> pd.DataFrame:
    """A finding for every image that a person decided on although nothing was found.

    paths: all images, and what else findings are about; a line about something else is left to `check_used`.
    """
    named = by_hand.loc[by_hand["kind"] == "manual", "image"].drop_duplicates()
    return of_kind("manual", named[named.isin(list(paths))], details="decided by a person")


def apply(table: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """The table without the images that were dropped, groups merged where that was decided.

    table: columns path and group. Index and order stay.
    """
    dropped = ledger.loc[ledger["decision"] == "drop", "image"]
    merged = ledger[(ledger["decision"] == "merge") & (ledger["other"] != "")]
    return merge_groups(table[~table["path"].isin(dropped)], merged)


def merge_groups(table: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Images of a pair share a group from now on: the one of them that comes first in the table.

    pairs: columns image and other, paths; pairs with an image that is not in the table do nothing.
    """
    index, names = pd.factorize(table["group"])
    position = pd.Series(index, index=table["path"].to_numpy())
    both = pairs[pairs["image"].isin(position.index) & pairs["other"].isin(position.index)]
    if both.empty:
        return table
    together = linked(len(names), position[both["image"]], position[both["other"]])
    first = pd.Series(names).groupby(together).transform("first").to_numpy()
    return table.assign(group=first[index])
