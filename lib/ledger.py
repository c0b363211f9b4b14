"""From findings to decisions: a policy by kind, overrides by hand, and what they do to the table of images.

Everything here is a function of its arguments: the same findings, policy and overrides give the same table again.
"""

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
OVERRIDE_COLUMNS = ["kind", "image", "decision", "reason"]
WITH_OTHER = ("copy_of_bytes", "copy_of_pixels", "near_copy", "repeated_tree", "label_conflict", "across_parts")


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
    where = f"params/datasets/{dataset}.csv"
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except ValueError as error:
        raise config.UserError(f"{where}: {' '.join(str(error).split())}") from None
    if table.columns.tolist() != OVERRIDE_COLUMNS:
        given = ", ".join(table.columns)
        raise config.UserError(f"{where}: its columns are {given}; expected: {', '.join(OVERRIDE_COLUMNS)}")
    kinds = list(policy())
    for line, row in enumerate(table.itertuples(index=False), start=2):
        for column, allowed in (("kind", kinds), ("decision", get_args(Decision))):
            config.one_of(f"{where}, line {line}, {column}", getattr(row, column), allowed)
        if not row.image or not row.reason:
            raise config.UserError(
                f"{where}, line {line}: image and reason must not be empty (image `*`: all of the kind)"
            )
    return table


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


def manual_findings(by_hand: pd.DataFrame, paths: pd.Series) -> pd.DataFrame:
    """A finding for every image that a person decided on although nothing was found. Raises UserError for unknown images."""
    named = by_hand.loc[by_hand["kind"] == "manual", "image"].drop_duplicates()
    if unknown := sorted(set(named) - set(paths)):
        raise config.UserError(f"decided by hand, but no image: {unknown[0]!r}; write paths as the site shows them")
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
