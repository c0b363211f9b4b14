"""How far apart the same networks are on two parts."""

from collections.abc import Mapping

import pandas as pd

from lib.estimates import Estimate, Inapplicable
from lib.texts import Sentence, sentence


def apart(reached: pd.DataFrame, moved: Mapping[str, Estimate | Inapplicable]) -> Sentence:
    """How far the same networks are apart on two parts, beside the largest difference that a change made on the second.

    reached: as `tuned`. moved: of each setting to its parent, as `differences`, in the same unit.
    """
    first, second = reached.columns
    between = (reached[first] - reached[second]).abs().mean()
    changes = [abs(each.value) for each in moved.values() if isinstance(each, Estimate)]
    if pd.isna(between) or not changes:
        return sentence("There are no such settings to compare.")
    more = "more" if between > max(changes) else "no more"
    return sentence(
        f"One and the same setting differs between {first} and {second} by {between:.3f}, mean over these settings; the",
        f"largest difference that a change made on {second} is {max(changes):.3f}. Here two parts differ by {more} than two",
        "settings do: compare settings within a part, never a number of one part with a number of another.",
    )
