"""What a parameter of a chapter may be, whatever it is used for: of its default's type, finite, of a size that makes sense."""

import math
from typing import Any

MOST = {  # by a word of the parameter's name
    "THREADS": 256, "SIZE": 4096, "STEM": 4096, "FILTERS": 4096, "RATE": 10, "FOLDS": 100, "PICTURES": 100, "SEED": 2**32 - 1,
}  # fmt: skip
# lists whose values may repeat: those of the layers of one network, and of the phases of training
REPEATING = ("STEM", "SIZES", "LARGER_SIZES", "EPOCHS", "OPTIMISERS", "RATES", "PATIENCE")


def mismatch(name: str, value: Any, default: Any) -> str | None:
    """What a value should be, when it is not what the default lets expect; None when it is."""
    if isinstance(default, list):
        if not isinstance(value, list) or not value or not all(_alike(item, default[0]) for item in value):
            return f"expected a list of {type(default[0]).__name__}, not empty"
        return _of_numbers(name, value) or _repeated(name, value)
    if not _alike(value, default):
        return f"expected {type(default).__name__}"
    return _of_numbers(name, [value]) or ("expected a number above 0" if _is_number(value) and value <= 0 else None)


def _alike(value: Any, default: Any) -> bool:
    return type(value) is type(default) or (isinstance(default, float) and type(value) is int)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_numbers(name: str, values: list) -> str | None:
    numbers = list(filter(_is_number, values))
    if not all(-math.inf < number < math.inf for number in numbers):
        return "expected finite numbers"
    most = min((most for word, most in MOST.items() if word in name), default=math.inf)
    return f"expected {most} at most" if any(number > most for number in numbers) else None


def _repeated(name: str, values: list) -> str | None:
    return "expected each value once" if name not in REPEATING and len(set(values)) < len(values) else None
