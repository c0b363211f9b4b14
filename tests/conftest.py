"""What holds for all tests."""

from collections.abc import Iterator

import pytest

from lib import backbones
from lib.grids import strategies


@pytest.fixture(autouse=True, scope="session")
def grids_download_nothing() -> Iterator[None]:
    """Listing a grid asks which weights can be had here: in tests those of installed packages alone."""

    def refusal(entry: str) -> str | None:
        name, _ = backbones.start(entry)
        return None if backbones.find(name).family == "efficientnet_lite" else f"{name}: tests download nothing"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strategies, "refusal", refusal)
        yield
