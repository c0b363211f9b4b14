"""The smoke book that these tests read: `make test` builds it beforehand."""

from pathlib import Path

import pytest

from lib import config


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the built smoke book."""
    folder = config.book_root("elpv", "smoke")
    missing = [name for name in config.chapters() if not (folder / "chapters" / name / "record.json").exists()]
    if missing:
        pytest.fail(f"{folder} lacks {', '.join(missing)}; `make test` builds the smoke book before these tests")
    return folder
