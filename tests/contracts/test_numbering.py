"""Numbers of chapters = table of contents = build graph = the plan of the book."""

import re

from lib import config
from lib.site import contents

PLAN = (  # numbers may be missing, none may mean something else
    "01_explore", "02_clean_and_split", "03_preprocess", "04_classical_baselines", "05_simple_network",
    "06_sanity_checks", "07_overfit", "08_regularise", "09_transfer", "10_depth", "11_image_size", "12_self_supervised",
    "13_tune", "14_ensemble", "15_explain", "16_ablations", "17_final_test",
)  # fmt: skip


def test_chapters_are_those_of_the_plan():
    assert config.chapters() and set(config.chapters()) <= set(PLAN)


def test_each_number_is_taken_once():
    numbers = [name[:2] for name in config.chapters()]
    assert numbers == sorted(set(numbers))


def test_every_notebook_is_a_chapter_a_declared_study_or_trains_runs():
    others = {path.stem for path in config.NOTEBOOKS.glob("*.py")} - set(config.chapters())
    assert others == {"train", *(f"study_{name}" for name in config.studies())}


def test_the_table_of_contents_lists_what_the_graph_builds():
    chapters = contents.read_chapters(config.NOTEBOOKS)
    assert [chapter.name for chapter in chapters] == config.chapters()
    assert [chapter.number for chapter in chapters] == [int(name[:2]) for name in config.chapters()]
    entries = contents.table_of_contents(chapters)["subtrees"][0]["entries"]
    assert [entry["file"] for entry in entries] == config.chapters()


def test_the_graph_builds_all_chapters():
    rules = (config.REPOSITORY / "Snakefile").read_text()
    assert "\nCHAPTERS = graph.chapters_of(DATASET)\n" in rules and "from lib import config as book" in rules
    assert rules.count("name=CHAPTERS)") >= 3  # records, pages and scripts that the site waits for


def test_the_readme_lists_every_chapter_with_its_question():
    readme = (config.REPOSITORY / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\(notebooks/(\w+)\.py\) \| (.+?) \|$", readme, flags=re.MULTILINE)
    titles = [(chapter.name, chapter.name, chapter.title) for chapter in contents.read_chapters(config.NOTEBOOKS)]
    assert rows == titles
