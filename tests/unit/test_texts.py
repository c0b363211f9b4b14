"""Tables and sentences as a page shows them."""

import numpy as np
import pandas as pd
import pytest

from lib import texts

FRAME = pd.DataFrame(
    {"file_name": ["a<b>.png", None], "images": [12345, 2], "share": [0.12345, 1.0], "odd": [True, False]},
    index=pd.Index(["near copy", "blank"], name="kind"),
)


def test_a_named_index_is_a_column_and_there_is_one_row_of_names():
    html = texts.table(FRAME)._repr_html_()
    assert html.count("<tr>") == 3 and "file name" in html and "file_name" not in html
    assert html.index("kind") < html.index("file name")
    assert "<th>0" not in texts.table(FRAME.reset_index(drop=True))._repr_html_()


def test_text_stands_left_and_numbers_right():
    html = texts.table(FRAME)._repr_html_()
    assert (
        '<td style="text-align: left">near copy</td>' in html
        and '<td style="text-align: left">a&lt;b&gt;.png</td>' in html
    )
    assert "<th>images</th>" in html and "<td>12,345</td>" in html and "<td>0.123</td>" in html and "<td>1</td>" in html


def test_lines_break_at_signs_of_names_and_not_within_intervals():
    html = texts.table(
        pd.DataFrame({"a": ["images/near_copy.png", "0.5 [0.1, 0.9]", "x/ y"], "b": [-0.0001, 0.5, 2]})
    )._repr_html_()
    assert "images/<wbr>near_<wbr>copy.png" in html and "0.5 [0.1,\u00a00.9]" in html and ">x/ y<" in html
    assert "<td>0.000</td>" in html


def test_what_is_missing_stays_empty_and_truth_is_a_word():
    html = texts.table(FRAME.assign(share=[np.nan, 0.5]))._repr_html_()
    assert "<td></td>" in html and "nan" not in html.lower() and "None" not in html
    assert ">yes<" in html and ">no<" in html


def test_in_a_terminal_it_reads_the_same():
    assert repr(texts.table(FRAME, decimals=1)).split() == [
        "kind", "file", "name", "images", "share", "odd", "near", "copy", "a<b>.png", "12,345", "0.1", "yes", "blank", "2",
        "1", "no",
    ]  # fmt: skip


@pytest.mark.parametrize("frame", [FRAME.head(0), pd.DataFrame()])
def test_an_empty_table_is_a_sentence(frame):
    assert texts.table(frame, "Nothing was found.") == texts.Sentence("Nothing was found.")


def test_sentences_are_escaped_and_joined():
    said = texts.sentence("One < two.", "", "Three.")
    assert repr(said) == "One < two. Three." and said._repr_html_() == '<p class="sentence">One &lt; two. Three.</p>'


def test_several_things_stand_one_below_the_other():
    both = texts.together(texts.table(FRAME), texts.sentence("It is so."))
    assert both._repr_html_() == texts.table(FRAME)._repr_html_() + texts.sentence("It is so.")._repr_html_()
    assert repr(both).endswith("\n\nIt is so.") and repr(both).startswith(repr(texts.table(FRAME)))
