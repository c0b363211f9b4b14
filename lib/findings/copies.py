"""Copies."""

import pandas as pd

from lib.findings import frame


def exact(manifest: pd.DataFrame) -> pd.DataFrame:
    """Nothing."""
    return frame()


def near(manifest: pd.DataFrame) -> pd.DataFrame:
    """Nothing."""
    return frame()


def repeated_trees(manifest: pd.DataFrame) -> pd.DataFrame:
    """Nothing."""
    return frame()


def across(manifest: pd.DataFrame, part: pd.Series) -> pd.DataFrame:
    """Nothing."""
    return frame()


KINDS = ("near_copy", "copy_of_pixels", "copy_of_bytes", "label_conflict")
