"""From findings to decisions: a policy by kind, overrides by hand, and what they do to the table of images.

Everything here is a function of its arguments: the same findings, policy and overrides give the same table again.
"""

import csv
from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lib import config
from lib.findings import of_kind

Decision = Literal["drop", "keep", "merge", "review"]
EVERY = "*"  # in an override: all images of the kind
WITH_OTHER = ("copy_of_bytes", "copy_of_pixels", "near_copy", "repeated_tree", "label_conflict", "across_parts")
OVERRIDE_COLUMNS = ["kind", "image", "decision", "reason"]


class Rule(BaseModel):
    """What is decided on a kind of finding."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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

    An image that nothing was found about has the kind `manual`. No file: no row. Raises UserError naming file, line and
    what is allowed.
    """
    path = config.PARAMETERS / "datasets" / f"{dataset}.csv"
    if not path.is_file():
        return pd.DataFrame(columns=OVERRIDE_COLUMNS, dtype=str)
    where, kinds = f"params/datasets/{dataset}.csv", list(policy())
    try:
        reader = csv.reader(path.read_text(encoding="utf-8-sig").splitlines(keepends=True), strict=True)
        lines = [
            (reader.line_num, [*map(str.strip, row[:1]), *row[1:2], *map(str.strip, row[2:])])
            for row in reader
            if any(row)
        ]
    except (csv.Error, UnicodeDecodeError) as error:
        raise config.UserError(f"{where} is no table of UTF-8 text with commas: {error}") from None
    if not lines or lines[0][1] != OVERRIDE_COLUMNS:
        given = ", ".join(lines[0][1]) if lines else "none"
        raise config.UserError(f"{where}: its columns are {given}; expected: {', '.join(OVERRIDE_COLUMNS)}")
    for line, values in lines[1:]:
        _check_override(f"{where}, line {line}", values, kinds)
    return pd.DataFrame([values for _, values in lines[1:]], columns=OVERRIDE_COLUMNS, dtype=str)


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


def decide(findings: pd.DataFrame, rules: dict[str, Rule], by_hand: pd.DataFrame) -> pd.DataFrame:
    """The ledger: each finding with decision, reason and by (`policy` or `hand`), in the order of the findings.

    An override for one image goes before one for its whole kind, and both before the policy; the last line wins.
    """
    exact = {(row.kind, row.image): row for row in by_hand.itertuples(index=False)}
    decided = []
    for kind, image in zip(findings["kind"], findings["image"], strict=True):
        hand = exact.get((kind, image)) or exact.get((kind, EVERY))
        rule = hand or rules[kind]
        decided.append((rule.decision, rule.reason, "hand" if hand else "policy"))
    columns = pd.DataFrame(decided, columns=["decision", "reason", "by"], index=findings.index, dtype=str)
    return pd.concat([findings, columns], axis=1)


def manual_findings(by_hand: pd.DataFrame, paths: Iterable[str]) -> pd.DataFrame:
    """A finding for every image that a person decided on although nothing was found.

    paths: all images, and what else findings are about. Raises UserError for an image that is not among them, of any kind.
    """
    if unknown := sorted(set(by_hand["image"]) - {EVERY, *paths}):
        raise config.UserError(f"decided by hand, but no image: {unknown[0]!r}; write its path below the data folder")
    named = by_hand.loc[by_hand["kind"] == "manual", "image"].drop_duplicates()
    return of_kind("manual", named, details="decided by a person")


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
    links = (np.ones(len(both)), (position[both["image"]], position[both["other"]]))
    component = connected_components(coo_array(links, shape=(len(names), len(names))), directed=False)[1]
    first = pd.Series(names).groupby(component).transform("first").to_numpy()
    return table.assign(group=first[index])
