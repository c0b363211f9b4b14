"""From everything that is said of a data set to the images of a book: findings, decisions, selection, parts, gate."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from lib import config, leaks, ledger, manifest, splits
from lib.cards import Card
from lib.custody import hiding
from lib.custody.draw import SEED, draw, strata, strict_first
from lib.findings import copies, files, labels, of_kind, outliers


@dataclass
class Curation:
    """The images that are left, every decision that was taken, and how many images each step left over."""

    rules: dict[str, ledger.Rule]
    by_hand: pd.DataFrame
    everything: pd.DataFrame  # one row a file
    table: pd.DataFrame  # what is left of it
    decided: list[pd.DataFrame] = field(default_factory=list)
    steps: list[dict] = field(default_factory=list)  # after (name of the step), images and groups that are left

    def decide(self, step: str, *findings: pd.DataFrame) -> None:
        """Take decisions on findings and carry them out."""
        new = ledger.decide(pd.concat(findings, ignore_index=True), self.rules, self.by_hand)
        self.keep(step, ledger.apply(self.table, new), new)

    def keep(self, step: str, table: pd.DataFrame, decided: pd.DataFrame | None = None) -> None:
        """Go on with these images. Raises UserError when none is left."""
        if decided is not None:
            self.decided.append(decided)
        if table.empty:
            raise config.UserError(f"no image is left after the step {step!r}, of {len(self.table):,}; {self._why()}")
        self.table = table
        self.steps.append({"after": step, "images": len(table), "groups": int(table["group"].nunique())})

    @property
    def ledger(self) -> pd.DataFrame:
        """All decisions so far."""
        return pd.concat(self.decided, ignore_index=True)

    def _why(self) -> str:
        if not self.decided or self.ledger.empty:
            return "nothing was found"
        return "found: " + "; ".join(f"{kind} {count:,}" for kind, count in self.ledger["kind"].value_counts().items())


def curate(card: Card, cache: Path) -> Curation:
    """Everything from the card to parts without leaks; labels of all parts are in the table that comes back.

    cache: file that remembers images which have been read before. Raises UserError when no image is left, when there are
    too few groups, or when something stands in two parts.
    """
    rows, said = card.rows()
    rules, overrides = ledger.policy(card.policy), ledger.overrides(card.name)
    described = manifest.build(card.read, rows["path"].tolist(), rows["identity"].tolist(), cache)
    everything = pd.concat([rows.drop(columns=["path", "identity"]), described], axis=1).assign(row=range(len(rows)))
    curation = Curation(rules, overrides, everything, everything)
    curation.keep("listing", everything)
    by_hand = ledger.manual_findings(curation.by_hand, [*everything["path"], *said["image"]])
    curation.decide("files and labels", said, *_of_files(everything, card), by_hand)
    _check_usable(curation.table, card)
    before, drawn = curation.table, draw(everything, card)
    curation.decide("copies", copies.exact(strict_first(_preferred_first(before, overrides), card)))
    curation.decide(
        "near copies",
        drawn.near_among(curation.table),
        drawn.series_among(curation.table),
        outliers.outliers(curation.table),
    )
    table = curation.table.join(drawn.table[["part", "turn"]])
    left_out = table.index.difference(splits.select(table, card.selection, card.classes).index)
    curation.decide("selection", of_kind("not_selected", table.loc[left_out, "path"]))
    table = curation.table.assign(part=table["part"])
    curation.keep("parts", table)
    curation.decide("contradictions", *_of_labels(card, before, table, curation.ledger))
    curation.decided.append(leaks.solved(curation.table, drawn.table, drawn.near, curation.ledger))
    found = leaks.across_parts(curation.table, drawn.table, drawn.near)
    if len(named := leaks.counterparts(found, curation.by_hand)):
        curation.decide("leaks, by hand", named)
        found = leaks.across_parts(curation.table, drawn.table, drawn.near)
    decided = ledger.decide(found, curation.rules, curation.by_hand)
    _check_decisions(curation, decided)
    curation.keep("leaks", leaks.gate(curation.table, decided, card.name), decided)
    _check_parts(curation.table)
    return curation


def _preferred_first(table: pd.DataFrame, by_hand: pd.DataFrame) -> pd.DataFrame:
    """Of two copies with two labels, the one that a person keeps is no copy of the other."""
    kept = by_hand.loc[by_hand["kind"].eq("label_conflict") & by_hand["decision"].eq("keep"), "image"]
    return table.iloc[(~table["path"].isin(kept)).argsort(kind="stable")]


def _check_decisions(curation: Curation, last: pd.DataFrame) -> None:
    """Raises UserError for a line by hand that decides on nothing; no image that is linked to the test part is named.

    last: the ledger of the leaks.
    """
    decided = pd.concat([curation.ledger, last], ignore_index=True)
    tested = curation.table["part"] == "test"
    tests, others = (set(curation.table.loc[rows, "path"]) for rows in (tested, ~tested))
    secret = hiding.secret_names(curation.everything, tests, others, decided)
    nameable = curation.everything.loc[~curation.everything["path"].isin(secret.index), "path"]
    ledger.check_used(curation.by_hand, decided, nameable)


def _check_usable(table: pd.DataFrame, card: Card) -> None:
    """Raises UserError when somebody decided to keep an image that nothing can be done with."""
    nothing = {"cannot be read": table["status"] != "ok", "has no label": table["label"].isna() & card.labelled}
    for why, rows in nothing.items():
        for path in table.loc[rows, "path"]:
            raise config.UserError(
                f"{path!r} {why} and cannot be kept; correct the decision in params/datasets/{card.name}.csv or the policy"
            )


def _check_parts(table: pd.DataFrame) -> None:
    """Raises UserError when a part has no image, or an image has no part."""
    if missing := [part for part in splits.PARTS if part not in set(table["part"])]:
        raise config.UserError(
            f"no image is left for the part {missing[0]!r}; correct `official` or `selection` of the card, or the decisions"
        )
    if homeless := table.loc[~table["part"].isin(splits.PARTS), "path"].tolist():
        raise config.UserError(
            f"{homeless[0]!r} stands in no published part and cannot be kept; correct the decision on it"
        )


def smoke(table: pd.DataFrame, card: Card, images: int) -> pd.DataFrame:
    """A thinned development part with a pseudo-test of its own: the real test part is left out."""
    rest = table[table["part"] != "test"]
    rest = rest[splits.thinned(rest["group"].tolist(), images)]
    return rest.assign(part=splits.assign(rest, strata(card), {}, SEED))


def _of_files(table: pd.DataFrame, card: Card) -> list[pd.DataFrame]:
    return [
        files.unusable(table),
        files.wrong_extension(table),
        files.blank(table),
        copies.repeated_trees(strict_first(table, card)),
    ]


def _of_labels(card: Card, before: pd.DataFrame, table: pd.DataFrame, decided: pd.DataFrame) -> list[pd.DataFrame]:
    """What labels of the development parts say; those of the test part are not looked at."""
    development = table[table["part"] != "test"]
    if not card.labelled:
        return [of_kind("label_conflict", [])]
    seen = before[~before["path"].isin(table.loc[table["part"] == "test", "path"])]
    with_copies = seen[seen["pixels_sha256"].isin(development["pixels_sha256"])]
    shown = with_copies.assign(label=card.named(with_copies).astype(str))
    named = card.named(development).astype(str).set_axis(development["path"])
    return [
        labels.conflicts(shown[["path", "pixels_sha256", "label"]]),
        labels.near_conflicts(decided, named),
        labels.imbalance(development["label"].map(dict(enumerate(card.classes)))),
    ]
