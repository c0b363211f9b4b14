"""What others may see: no label, level, path or telling name of an image of the test part."""

import pandas as pd

from lib import config, ledger
from lib.findings import linked

LABELS = ("label", "level")
# Their details name labels, folders, or how many rows lie between an image and its other.
TELLING = ("label_conflict", "near_copy_conflict", "unknown_label", "repeated_tree", "repeated_series")


def visible(table: pd.DataFrame, decided: pd.DataFrame, secret: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The manifest and the ledger as others see them.

    secret: (paths that must not be named, index) -> the name that stands instead. Test rows come last, in the order of
    their names, because the order of files may tell the class; so do their findings, marked in the column `hidden`.
    """
    hidden = table["part"] == "test"
    image = table["path"].map(lambda path: secret.get(path, path))
    group = table["group"].map(lambda name: secret.get(name, name))  # of images that stand for themselves, a path
    shown = table.assign(image=image, path=table["path"].mask(hidden), group=group)
    shown.loc[hidden, list(LABELS)] = pd.NA
    # rows of the data, counted from their start, would count test images
    first = table["row"].mask(hidden).groupby(table["group"]).transform("min")
    shown["row"] = (table["row"] - first).mask(hidden).astype("Int64")
    shown = _renamed_groups(pd.concat([shown[~hidden], shown[hidden].sort_values("image")], ignore_index=True))
    columns = {column: decided[column].map(lambda path: secret.get(path, path)) for column in ("image", "other")}
    kinds = {kind: position for position, kind in enumerate(ledger.policy())}
    linked = decided[["image", "other"]].isin(secret.index).any(axis=1)
    untold = decided["detail"].str.replace(r": group .*", ": group", regex=True)
    detail = decided["detail"].mask(decided["kind"].eq("across_parts"), untold)
    detail = detail.mask(linked & decided["kind"].isin(TELLING), "")
    told = decided.assign(**columns, detail=detail, hidden=linked, order=decided["kind"].map(kinds))
    opened, closed = told[~told["hidden"]], told[told["hidden"]].sort_values(["image", "other"])
    told = pd.concat([opened, closed]).sort_values(["order", "hidden"], kind="stable")
    return shown, told.drop(columns=["order"]).reset_index(drop=True)


def secret_names(everything: pd.DataFrame, tested: set[str], development: set[str], decided: pd.DataFrame) -> pd.Series:
    """Names for what must not be named: images of the test part and whatever is linked to one by a finding.

    everything: columns path, sha256 and pixels_sha256 of all files. tested, development: paths in those parts.
    Returns path -> name, made from the content, which tells no label.
    """
    paths = pd.Index(everything["path"])
    pairs = decided[decided["image"].isin(paths) & decided["other"].isin(paths)]
    pairs = pairs[~pairs["image"].isin(development) & ~pairs["other"].isin(development)]
    component = linked(len(paths), paths.get_indexer(pairs["image"]), paths.get_indexer(pairs["other"]))
    mine = paths.isin(tested)
    hidden = everything[pd.Series(component).isin(set(component[mine])).to_numpy() & ~paths.isin(development)]
    content = hidden["pixels_sha256"].fillna(hidden["sha256"]).fillna("unread").str[:12]
    again = content.groupby(content).cumcount()
    names = "test-" + content + again.map(lambda number: f"-{number + 1}" if number else "")
    if names.duplicated().any():
        raise config.UserError("two images of the test part have one name; their content differs in no known way")
    return pd.Series(names.to_numpy(), index=hidden["path"])


def _renamed_groups(table: pd.DataFrame) -> pd.DataFrame:
    """Names of groups may tell the class too: those with an image of the test part are numbers, in the order of test rows."""
    numbers = pd.factorize(table.loc[table["part"] == "test", "group"])[1]
    names = {group: f"test-{number:04d}" for number, group in enumerate(numbers)}
    return table.assign(group=table["group"].map(lambda group: names.get(group, group)))
