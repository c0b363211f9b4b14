"""The leakage gate: what stands in two parts of the data at once."""

import pandas as pd

from lib import config
from lib.findings import copies, of_kind
from lib.ledger import EVERY, OVERRIDE_COLUMNS, apply

WAYS = ("group", "copy of bytes", "copy of pixels", "near copy")
STRICTNESS = ("train", "tuning", "validation", "test")  # the image in the later one stays where somebody must give way


def across_parts(table: pd.DataFrame, drawn: pd.DataFrame, near_copies: pd.DataFrame) -> pd.DataFrame:
    """Findings `across_parts`: groups, exact copies and near copies that stand in several parts.

    table: the manifest with columns group and part. drawn: the same with all images that could have been in it, and
    near_copies what `copies.near` found among these: two copies of an image that has left are copies too. `image` is the
    one in the part that matters less, `other` its counterpart; an image is listed once, as a copy rather than as one of a
    group.
    """
    left = drawn["path"].isin(table["path"])
    found = pd.concat([_copies(drawn.assign(part=drawn["part"].where(left, "")), near_copies), _groups(table)])
    return found.drop_duplicates("image", ignore_index=True)


def solved(table: pd.DataFrame, drawn: pd.DataFrame, near_copies: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """The ledger of copies that stood in two parts until one of the two was dropped; `image` is the one that left.

    table, drawn, near_copies: as in `across_parts`; decided: the ledger so far, which says why it left.
    """
    pairs, left = _copies(drawn, near_copies), set(table["path"])
    pairs = pairs[~(pairs["image"].isin(left) & pairs["other"].isin(left))]
    stayed = pairs["image"].isin(left)
    pairs = pairs.assign(
        image=pairs["other"].where(stayed, pairs["image"]), other=pairs["image"].where(stayed, pairs["other"])
    )
    why = decided[decided["decision"] == "drop"].drop_duplicates("image")[["image", "decision", "reason", "by"]]
    return pairs.drop_duplicates("image").merge(why, on="image")


def counterparts(found: pd.DataFrame, by_hand: pd.DataFrame) -> pd.DataFrame:
    """Leaks turned round, where a line drops the image of the stricter part: what is left must be searched anew."""
    named = by_hand.loc[by_hand["kind"].eq("across_parts") & by_hand["decision"].eq("drop"), "image"]
    others = found[found["other"].isin(named) & ~found["other"].isin(found["image"])].drop_duplicates("other")
    return others.rename(columns={"image": "other", "other": "image"})[found.columns]


def gate(table: pd.DataFrame, ledger: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """The table without what was decided to go.

    ledger: `across_parts` with what was decided. `drop` takes an image out of the less strict part, `keep` lets it through
    by name; anything else stops: raises UserError with a table of what was found and what can be done.
    """
    open_leaks = ledger[~ledger["decision"].isin(["drop", "keep"])]
    if len(open_leaks):
        raise config.UserError(_refusal(open_leaks, table, dataset))
    return apply(table, ledger)


def table(ledger: pd.DataFrame) -> pd.DataFrame:
    """How many images stood in two parts: a row each way of leaking, columns found, dropped, let through.

    Dropped are also the copies that had to go for another reason before the parts were compared.
    """
    leaks = ledger[ledger["kind"] == "across_parts"]
    what = leaks["detail"].str.extract(f"({'|'.join(WAYS)})", expand=False)
    counts = pd.crosstab(what, leaks["decision"]).reindex(index=list(WAYS), columns=["drop", "keep"], fill_value=0)
    found = what.value_counts().reindex(list(WAYS), fill_value=0)
    return pd.DataFrame({"found": found, "dropped": counts["drop"], "let through": counts["keep"]}).rename_axis(
        "in two parts"
    )


def _groups(table: pd.DataFrame) -> pd.DataFrame:
    rank = table["part"].map(STRICTNESS.index)
    strictest = rank.groupby(table["group"]).transform("max")
    first = table.loc[rank == strictest].drop_duplicates("group").set_index("group")["path"]
    weak = table[rank < strictest]
    details = [
        f"{part} and {STRICTNESS[strict]}: group {group}"
        for part, strict, group in zip(weak["part"], strictest[weak.index], weak["group"], strict=True)
    ]
    return of_kind("across_parts", weak["path"], others=first[weak["group"]].tolist(), details=details)


def _copies(table: pd.DataFrame, near_copies: pd.DataFrame) -> pd.DataFrame:
    pairs = copies.across(table, table["part"], near_copies)
    part = table.set_index("path")["part"]
    rank = part.map({name: place for place, name in enumerate(STRICTNESS)})
    swap = (rank[pairs["image"]].to_numpy() > rank[pairs["other"]].to_numpy()).tolist()
    images = pairs["image"].where(~pd.Series(swap, index=pairs.index, dtype=bool), pairs["other"])
    others = pairs["other"].where(~pd.Series(swap, index=pairs.index, dtype=bool), pairs["image"])
    details = [
        f"{part[image]} and {part[other]}: {kind.replace('_', ' ')}"
        for image, other, kind in zip(images, others, pairs["kind"], strict=True)
    ]
    return of_kind("across_parts", images, others=others.tolist(), details=details)


def _refusal(leaks: pd.DataFrame, table: pd.DataFrame, dataset: str) -> str:
    """What the user sees; images of the test part are not named, since their paths may tell their labels."""
    hidden = set(table.loc[table["part"] == "test", "path"])
    detail = leaks["detail"].str.replace(r": group .*", ": group", regex=True)
    other = leaks["other"].map(lambda path: "(an image of test)" if path in hidden else path)
    shown = leaks.assign(other=other, detail=detail)[["image", "other", "detail"]].head(10).to_string(index=False)
    return (
        f"the parts leak: {len(leaks):,} of {len(table):,} images stand in one part and their like in another\n"
        f"{detail.value_counts().to_string(header=False)}\n\n"
        f"{shown}\n\nNothing is trained across a leak. Correct the published parts, or decide in "
        f"params/datasets/{dataset}.csv, which then holds these lines (the first one once):\n\n"
        f"{','.join(OVERRIDE_COLUMNS)}\nacross_parts,{EVERY},drop,the parts share images\n\n"
        "drop leaves these images out of the part that matters less; keep in its place lets them through, and the site says so"
    )
