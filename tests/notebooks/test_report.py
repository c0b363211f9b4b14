"""The report pages of the smoke book: they say what its records say, and that its final test is a rehearsal."""

import re
import shutil

import pytest

from lib.site import places, report
from lib.site.book import Book
from lib.site.contents import REPORT


@pytest.mark.parametrize("name", REPORT)
def test_pages_agree_with_the_records_and_say_that_this_is_a_rehearsal(root, name):
    page = (root / "site" / f"{name}.html").read_text(encoding="utf-8")
    assert places.disagreements(page, name, report.places_of(Book(root))) == []
    assert places.count_places(page) > 20 and "is a rehearsal" in page


def test_one_number_changed_on_a_page_is_found(root, tmp_path):
    name = "model_card.html"
    shutil.copy(root / "site" / name, tmp_path)
    text = (tmp_path / name).read_text(encoding="utf-8")
    changed, count = re.subn(r'(data-place="parameters_total"[^>]*>)\d', r"\g<1>0", text, count=1)
    assert count == 1
    (tmp_path / name).write_text(changed, encoding="utf-8")
    (line,) = report.disagreeing(Book(root), tmp_path)
    assert line.startswith("model_card.html: parameters_total says")
