"""Findings about single properties: images far from all others in brightness, contrast, sharpness, size or aspect."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.findings import frame

NORMAL_MAD = 1.4826  # standard deviation of a normal distribution / its median absolute deviation
NORMAL_MEAN = 1.2533  # the same for the mean absolute deviation


@dataclass(frozen=True)
class Property:
    """One number an image: how it is taken from the manifest, the scale it is judged on, and how it is written."""

    value: Callable[[pd.DataFrame], pd.Series]
    scale: Callable[[np.ndarray], np.ndarray]
    text: str


PROPERTIES = {
    "brightness": Property(lambda table: table["brightness"], np.asarray, "{:.1f}"),
    "contrast": Property(lambda table: table["contrast"], np.asarray, "{:.1f}"),
    "sharpness": Property(lambda table: table["sharpness"], np.log1p, "{:.1f}"),
    "size": Property(lambda table: table["width"].astype(float) * table["height"], np.log, "{:,.0f} pixels"),
    "aspect": Property(lambda table: table["width"].astype(float) / table["height"], np.log, "{:.2f}"),
}


def outliers(manifest: pd.DataFrame, threshold: float = 4.0) -> pd.DataFrame:
    """Images that lie more than `threshold` robust standard deviations from the median, property by property.

    manifest: columns path, brightness, contrast, sharpness, width, height; images without a value are left out. Sizes,
    aspects and sharpness are judged on a logarithmic scale. Returns findings `outlier_<property>`, the farthest first.
    """
    return frame(finding for name in PROPERTIES for finding in _far(manifest, name, threshold))


def distances(values: np.ndarray) -> np.ndarray:
    """Distance of each value from the median in robust standard deviations of its own side: (n,) float >= 0.

    The median absolute deviation of each side by itself follows skewed data, and does not follow outliers while they are
    few (Leys et al. 2013, doi:10.1016/j.jesp.2013.03.013; Rousseeuw and Hubert 2018, doi:10.1002/widm.1236). Where it
    is zero, because most values are equal, the mean absolute deviation stands in (Iglewicz and Hoaglin 1993): then a
    value is far when few differ, so one odd size among equal ones is found and a common second size is not.
    """
    deviation = values - np.median(values)
    distance = np.zeros(len(values))
    for side in (deviation <= 0, deviation >= 0):
        size = np.abs(deviation[side])
        spread = NORMAL_MAD * np.median(size) or NORMAL_MEAN * size.mean()
        distance[side] = np.maximum(distance[side], size / spread if spread else 0)
    return distance


def _far(manifest: pd.DataFrame, name: str, threshold: float) -> list[tuple[str, str, str, str]]:
    """The findings of one property."""
    values = PROPERTIES[name].value(manifest).astype(float)
    known = np.flatnonzero(values.notna())
    if not known.size:
        return []
    paths, values = manifest["path"].to_numpy()[known], values.to_numpy()[known]
    distance = distances(PROPERTIES[name].scale(values))
    text = PROPERTIES[name].text.format
    low, high = map(text, np.quantile(values, [0.025, 0.975], method="nearest"))
    most = f"95 % lie between {low} and {high}" if low != high else f"nearly all have {low}"
    farthest = [row for row in np.argsort(-distance, kind="stable") if distance[row] > threshold]
    return [(f"outlier_{name}", str(paths[row]), "", f"{name} {text(values[row])}, {most}") for row in farthest]
