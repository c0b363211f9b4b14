"""DeLong's covariance of the AUCs of several scores of the same images: exact, and for images that stand alone.

Source: DeLong, DeLong and Clarke-Pearson 1988, "Comparing the areas under two or more correlated receiver operating
characteristic curves", Biometrics 44, 837-845; by ranks as Sun and Xu 2014, doi:10.1109/LSP.2014.2337313.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from lib.estimates import UNBOUNDED, Estimate, Inapplicable, StudentEstimate

FEWEST = 2  # images of each class


@dataclass(frozen=True, eq=False)
class Areas:
    """AUCs (scores,) of several scores of the same images, with their covariance (scores, scores)."""

    auc: np.ndarray
    covariance: np.ndarray
    images: int

    def difference(self, first: int, second: int) -> Estimate | Inapplicable:
        """AUC of one score less that of another, paired, with normal interval and p value; unbounded, as published."""
        value = float(self.auc[first] - self.auc[second])
        variance = self.covariance[first, first] + self.covariance[second, second] - 2 * self.covariance[first, second]
        if variance <= 1e-15:
            return Inapplicable("both rank the images alike") if value == 0 else Inapplicable("no spread was seen")
        common = {"images": self.images, "groups": self.images, "seeds": 1, "bounds": UNBOUNDED}
        method = f"DeLong, {self.images} images"
        return StudentEstimate(
            value, method, **common, standard_error=float(np.sqrt(variance)), degrees_of_freedom=np.inf
        )


def areas(label: np.ndarray, scores: np.ndarray) -> Areas | Inapplicable:
    """AUC and covariance of scores (k, n) of images with label (n,) 0 or 1; ties count half.

    Inapplicable with fewer than two images of a class. Raises ValueError for other shapes.
    """
    label, scores = np.asarray(label), np.atleast_2d(np.asarray(scores, dtype=float))
    if label.shape != scores.shape[1:]:
        raise ValueError(f"label has shape {label.shape}, scores {scores.shape}; give (n,) and (k, n)")
    positive, negative = scores[:, label == 1], scores[:, label == 0]
    counts = positive.shape[1], negative.shape[1]
    if min(counts) < FEWEST:
        return Inapplicable(f"there are {counts[0]} positive and {counts[1]} negative images; each needs {FEWEST}")
    together = stats.rankdata(np.hstack([positive, negative]), axis=1)
    above = (together[:, : counts[0]] - stats.rankdata(positive, axis=1)) / counts[1]  # of each positive image
    below = 1 - (together[:, counts[0] :] - stats.rankdata(negative, axis=1)) / counts[0]  # of each negative one
    covariance = np.atleast_2d(np.cov(above)) / counts[0] + np.atleast_2d(np.cov(below)) / counts[1]
    return Areas(above.mean(axis=1), covariance, len(label))
