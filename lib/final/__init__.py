"""The final test: finalists frozen on the development parts, opened once, judged on images never used before."""

from functools import cache
from pathlib import Path

from lib import atomic


@cache
def form() -> str:
    """Hash of the code of this package: a record of the final test that another code wrote may have other fields."""
    return atomic.value_sha256(
        [atomic.code_sha256(path.read_text()) for path in sorted(Path(__file__).parent.glob("*.py"))]
    )
