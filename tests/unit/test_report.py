"""The report pages: filled from the records, agreeing with them to the last number, and open where nobody said anything."""

import json
import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib import atomic, config
from lib.site import build, places, report, statements
from lib.site.book import Book
from lib.site.contents import REPORT, read_chapters
from lib.site.notebook import SiteError
from lib.training.configuration import Configuration, Network, Phase
from tests.data import final_record

fake_book = runpy.run_path(str(Path(__file__).parents[1] / "browser" / "fake_book.py"))
KEY = f"{7:020x}"  # of the fake book's first run
OTHERS = ["index", "hypotheses", "catalogue", "references"]


@pytest.fixture
def tested(tmp_path: Path) -> tuple[Path, Path]:
    """ROOT and scripts of a small book whose final test has run."""
    root, notebooks = fake_book["make_book"](tmp_path, profile="cpu")
    prepared(root)
    final_record.write(root, final_record.record(KEY))
    return root, notebooks


def prepared(root: Path) -> None:
    """What the fake book leaves out: steps of the data, the whole of a run's record."""
    data = atomic.read_json(root / "data" / "data.json")
    steps = [{"after": "listing", "images": 560, "groups": 24}, {"after": "parts", "images": 540, "groups": 24}]
    atomic.write_json(root / "data" / "data.json", data | {"steps": steps, "let_through": {}})
    path = root / "runs" / KEY / "record.json"
    asked = Configuration(
        dataset="elpv",
        recipe=({"step": "grey"}, {"step": "resize"}),
        image_size=48,
        network=Network(family="simple", parameters={"filters": [4, 4]}),
        phases=(Phase(epochs=3, learning_rate=0.01),),
        augmentation=({"kind": "flip"},),
        seed=7,
    )
    more = {"configuration": asked.model_dump(mode="json"), "class_counts": [200, 100], "channels": 1, "best_epoch": 2}
    atomic.write_json(path, atomic.read_json(path) | more)


def pages(root: Path, notebooks: Path) -> dict[str, str]:
    return report.report_pages(Book(root), read_chapters(notebooks), OTHERS)


def numbers(value: object, way: tuple = ()) -> Iterator[tuple]:
    """Ways to every number of a record."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from numbers(inner, (*way, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from numbers(inner, (*way, place))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield way


def at(value: object, way: tuple) -> object:
    for step in way:
        value = value[step]
    return value


def test_numbers_stand_on_the_pages_with_a_link_to_where_they_are_from(tested):
    made = pages(*tested)
    card = made["model_card"]
    assert "0.871 &#91;0.821&#44; 0.911&#93;".replace("0.", "0&#46;") in card
    assert f'href="catalogue.html#run-{KEY}"' in card and "10&#44;177" in card and "0.931" not in card
    assert "<td>0.912<br><small>[0.862, 0.952] 95&nbsp;%</small></td>" in card
    assert "first opening" in card and "The worst slice is module type mono" in card
    assert "auc needs images of label 1, there are none" in made["claim"]
    assert 'href="https://github.com/zae-bayern/elpv-dataset" data-place="address"' in made["datasheet"]
    assert "70, 30" in made["datasheet"] and "540" in made["datasheet"]


def test_every_page_of_a_site_is_built_without_a_warning_and_agrees(tested):
    root, notebooks = tested
    build.build_site(root, notebooks)
    for name in REPORT:
        page = (root / "site" / f"{name}.html").read_text(encoding="utf-8")
        assert places.count_places(page) > 30 and 'class="open"' in page and "data-place" in page
    assert report.disagreeing(Book(root), root / "site") == []


def test_a_number_changed_in_a_page_is_found_and_stops_the_build(tested, monkeypatch):
    root, notebooks = tested
    build.build_site(root, notebooks)
    page = root / "site" / "model_card.html"
    text = page.read_text(encoding="utf-8")
    for old, new in (("0.912", "0.972"), ("10,177", "10,178"), (">open</span>", ">9</span>")):
        assert old in text
        page.write_text(text.replace(old, new, 1), encoding="utf-8")
        (line,) = report.disagreeing(Book(root), root / "site")
        assert line.startswith("model_card.html: ") and re.sub(r"[>,]|</span>", "", new) in line.replace(",", "")
    page.write_text(text, encoding="utf-8")
    assert report.disagreeing(Book(root), root / "site") == []
    path = report.TEMPLATES / "claim.md"
    typed = path.read_text(encoding="utf-8").replace(
        "{{ test_auc }}", '<span data-place="test_auc">0.999 [0.998, 1.000] (95 % interval)</span>', 1
    )
    folder = root / "templates"
    folder.mkdir()
    for name in REPORT:
        own = (report.TEMPLATES / f"{name}.md").read_text(encoding="utf-8")
        (folder / f"{name}.md").write_text(typed if name == "claim" else own, encoding="utf-8")
    monkeypatch.setattr(report, "TEMPLATES", folder)
    with pytest.raises(SiteError, match=r"claim\.html: test_auc says '0\.999.*the records say '0\.871"):
        build.build_site(root, notebooks)


def test_any_number_of_the_final_record_changes_a_place(tested):
    """Each number that is about the chosen model, changed by itself, changes a place, so that none is typed or made up."""
    root, _ = tested
    value = final_record.record(KEY) | {"external": final_record.external()}
    final_record.write(root, value)
    before, unseen = report.places_of(Book(root)), set()
    for way in [way for way in numbers(value) if "classical" not in way and "raw" not in way]:
        changed = json.loads(json.dumps(value))
        holder = at(changed, way[:-1])
        holder[way[-1]] += 3 if isinstance(holder[way[-1]], int) else 0.017
        final_record.write(root, changed)
        if report.places_of(Book(root)) == before:
            unseen.add((way[0], way[-1]))
    assert unseen == NOT_SHOWN


# of the record, by its first and last name: what the pages have no use for, or say through something else
NOT_SHOWN = {
    *((first, last) for first in ("metrics", "calibration", "slices", "comparisons", "decision", "external")
      for last in ("images", "groups", "seeds")),
    ("calibration", "bins"), ("parts", "images"), ("parts", "groups"), ("parts", 0), ("parts", 1), ("operating", "threshold"),
    ("finalists", "seed"), ("finalists", "image_size"), ("openings", "groups"), ("slices", "positives"), ("slices", 0),
    ("slices", 1), ("comparisons", "p_value"), ("comparisons", "images_needed"),
    ("decision", "threshold"), ("external", "listed"),
}  # fmt: skip


CHANGES = (  # record, way to a value, another value, a page that shows it
    ("data/data.json", ("parts", "test", "images"), 101, "datasheet"),
    ("data/data.json", ("rows",), 541, "claim"),
    (f"runs/{KEY}/record.json", ("parameters_total",), 10178, "model_card"),
    (f"runs/{KEY}/record.json", ("configuration", "phases", 0, "learning_rate"), 0.02, "claim"),
    ("chapters/03_train/hypotheses.json", (0, "verdict"), "refuted", "model_card"),
)


def test_so_does_a_change_of_the_other_records(tested):
    root, notebooks = tested
    build.build_site(root, notebooks)
    for name, way, new, page in CHANGES:
        before = (root / name).read_bytes()
        value = atomic.read_json(root / name)
        at(value, way[:-1])[way[-1]] = new
        atomic.write_json(root / name, value)
        lines = report.disagreeing(Book(root), root / "site")
        assert any(line.startswith(f"{page}.html: ") for line in lines), name
        (root / name).write_bytes(before)
    assert report.disagreeing(Book(root), root / "site") == []


def test_pages_say_that_the_final_test_has_not_run(tmp_path):
    root, notebooks = fake_book["make_book"](tmp_path, profile="cpu")
    made = pages(root, notebooks)
    for text in made.values():
        assert report.NOT_RUN in text and not re.search(r"\{\{|%STATUS%", text)
    assert "- open: the final test has not run yet in this build &#40;".replace("&#40;", "(") in made["model_card"]


def test_a_rehearsal_is_called_one(tested):
    root, notebooks = tested
    final_record.write(root, final_record.record(KEY, rehearsal=True))
    assert all(report.REHEARSAL in text for text in pages(root, notebooks).values())
    final_record.write(root, final_record.record(KEY))
    assert not any(report.REHEARSAL in text or report.NOT_RUN in text for text in pages(root, notebooks).values())


def test_a_model_that_is_no_network_is_said_to_be_none(tested):
    root, notebooks = tested
    final_record.write(root, final_record.record(KEY) | {"chosen": "classical"})
    card = pages(root, notebooks)["model_card"]
    assert "not applicable&#58; the chosen model&#44; support vector machine on features" in card


def test_no_threshold_is_a_sentence(tested):
    root, notebooks = tested
    value = final_record.record(KEY)
    value["finalists"]["transfer"] |= {"threshold": None, "threshold_reason": "no threshold reaches it"}
    value["operating"]["transfer"] = {"reason": "no threshold reaches it"}
    final_record.write(root, value)
    found = report.places_of(Book(root))
    assert found["threshold"].text == found["operating_tuning"].text == "no threshold reaches it"


def test_an_unknown_place_is_named(tested):
    with pytest.raises(SiteError, match="x.md has the place 'authors', which nothing fills"):
        places.filled("{{ authors }}", "x.md", {}, [])


def test_every_place_is_used_and_every_question_answered(tested):
    texts = {name: (report.TEMPLATES / f"{name}.md").read_text(encoding="utf-8") for name in REPORT}
    used = set(places.PLACE.findall("".join(texts.values())))
    known = set(report.places_of(Book(tested[0]))) | {"open_items"}
    assert known == used
    items = re.findall(r"^\*\*(\d+)\. .+\*\* \(2020: ([\d, ]+)\)$", texts["claim"], flags=re.MULTILINE)
    assert [int(number) for number, _ in items] == list(range(1, 45))
    assert {int(each) for _, old in items for each in old.split(", ")} == set(range(1, 43))
    for name, text in texts.items():
        assert "{{ open_items }}" in text and report.STATUS in text, name


@pytest.fixture
def said(tmp_path, monkeypatch) -> Callable[[str], None]:
    """`said(text)`: what stands in params/statements/elpv.yml."""
    monkeypatch.setattr(config, "PARAMETERS", tmp_path)
    (tmp_path / "statements").mkdir()
    return lambda text: (tmp_path / "statements" / "elpv.yml").write_text(text, encoding="utf-8")


def test_what_people_say_fills_a_place_and_hostile_text_stays_text(said):
    assert isinstance(statements.of_people("elpv")["contact"], places.Open)
    said("contact: '<b>me</b> & *you* {{ commit }}'")
    fact = statements.of_people("elpv")["contact"]
    assert fact.source == "params/statements/elpv.yml: contact"
    shown = places.shown_place("contact", fact, [])
    assert "<b>" not in shown and "*" not in shown and "{{" not in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("contct: me", r"params/statements/elpv\.yml: name='contct' does not exist; .*nearest is 'contact'"),
        ("contact: ''", r"params/statements/elpv\.yml: contact is ''; give a sentence"),
        ("contact: 3", r"params/statements/elpv\.yml: contact is 3; give a sentence"),
        ("- me", r"params/statements/elpv\.yml: expected lines such as `contact: "),
    ],
)
def test_a_mistake_in_what_people_say_is_one_line(said, text, message):
    said(text)
    with pytest.raises(config.UserError, match=message):
        statements.of("elpv")
