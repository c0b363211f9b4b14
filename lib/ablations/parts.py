"""How far apart the same networks are on two parts."""

from collections.abc import Mapping

import pandas as pd

from lib.estimates import Estimate, Inapplicable
from lib.texts import Sentence, sentence


def apart(reached: pd.DataFrame, moved: Mapping[str, Estimate | Inapplicable], unit: str) -> Sentence:
    """How far the same networks are apart on two parts, beside the largest difference that a change made on the second.

    reached: as `tuned`. moved: of each setting to its parent, as `differences`, in the same unit, such as AUC.
    """
    first, second = reached.columns
    between = (reached[first] - reached[second]).abs().mean()
    changes = [abs(each.value) for each in moved.values() if isinstance(each, Estimate)]
    if pd.isna(between) or not changes:
        return sentence("There are no such settings to compare.")
    more = "more" if between > max(changes) else "no more"
    return sentence(
        f"The {unit} of one and the same setting differs between {first} and {second} by {between:.3f}, the mean over the",
        f"settings of the figure; the largest difference of {unit} that any change of the book made on {second}, controls",
        f"aside, is {max(changes):.3f}. Here two parts differ by {more} than any two such settings do: compare settings within",
        "a part. A gap between parts holds that difference, too, beside what was overfitted.",
    )
