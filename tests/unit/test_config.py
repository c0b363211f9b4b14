"""Paths follow the environment, unknown values are refused in one line that says which exist."""

import os

import pytest
import yaml
from pydantic import BaseModel, PositiveInt

from lib import config


class Settings(BaseModel):
    images: PositiveInt
    name: str


@pytest.fixture
def parameters(tmp_path, monkeypatch):
    """An empty folder in place of params/."""
    monkeypatch.setattr(config, "PARAMETERS", tmp_path)
    return tmp_path


def test_everything_lies_below_the_build_folder(book, tmp_path):
    context = book("smoke")
    assert config.book_root("elpv", "smoke") == context.root == tmp_path / "build" / "elpv" / "smoke"
    assert context.output == context.root / "interactive" / "test" and context.output.is_dir()


def test_the_builder_says_where_a_chapter_writes(book, tmp_path, monkeypatch):
    monkeypatch.setenv(config.OUTPUT_VARIABLE, str(tmp_path / "chapter"))
    assert book("smoke").output == tmp_path / "chapter"


def test_smoke_concludes_nothing(book):
    assert [book(profile).judged for profile in ("smoke", "cpu", "gpu")] == [False, True, True]


@pytest.mark.parametrize("name", ["", "Smoke", "huge", "../cpu"])
def test_unknown_profile_says_which_exist(book, name):
    for use in (book, config.profile_settings, lambda name: config.chapter_parameters("01_explore", "elpv", name)):
        with pytest.raises(
            config.UserError,
            match=rf"^PROFILE={name!r} does not .* one of: smoke, cpu, gpu(; the nearest.*)?$",
        ):
            use(name)


@pytest.mark.parametrize(("name", "near"), [("elvp", "elpv"), ("chest_xrays", "chest_xray"), ("Elpv", "elpv")])
def test_misspelt_name_says_the_nearest(book, name, near):
    with pytest.raises(config.UserError, match=f"^DATASET='{name}' does not exist; .*; the nearest is '{near}'$"):
        config.chapter("test", name, "cpu")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (b"title: x\nreader\nkind: files\n", 2, "could not find expected ':'"),
        (b"a: 1\nb: [1, 2\nc: 3\n", 2, "expected ',' or ']'"),
        (b"a: 1\nb: 'x\nc: 3\n", 2, "found unexpected end of stream"),
        (b"a: 1\n  b: 2\n", 2, "mapping values are not allowed here"),
        (b"a: 1\n\tb: 2\n", 2, "cannot start any token"),
        (b"a: 1\nb: 'x' y\nc: 3\n", 2, "expected <block end>"),
        (b"a: 1\nb: \x01\n", 2, "special characters are not allowed"),
        (b"a: 1\nb: caf\xe9\n", 2, "no UTF-8 text"),
        (b"\n\na: b: c", 3, "mapping values are not allowed here"),
    ],
)
def test_a_mistake_in_a_yaml_file_is_told_with_the_line_where_it_begins(parameters, text, line, problem):
    (parameters / "cpu.yml").write_bytes(text)
    with pytest.raises(config.UserError) as caught:
        config.read_yaml(parameters / "cpu.yml")
    said = str(caught.value)
    assert said.startswith(f"params/cpu.yml, line {line}: not valid YAML") and problem in said and "\n" not in said


def test_data_becomes_an_absolute_path(monkeypatch, tmp_path):
    (tmp_path / "pictures").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("pictures", "./pictures/", "~/pictures", str(tmp_path / "pictures")):
        monkeypatch.setenv(config.DATA_VARIABLE, name)
        config.settle_data()
        assert os.environ[config.DATA_VARIABLE] == str(tmp_path / "pictures")
    monkeypatch.setenv(config.DATA_VARIABLE, "")
    config.settle_data()
    assert os.environ[config.DATA_VARIABLE] == ""


def test_unknown_data_set_says_which_exist(book):
    with pytest.raises(config.UserError, match="^DATASET='cats' does not exist; DATASET is one of: .*elpv"):
        config.chapter("test", "cats", "cpu")


def test_data_is_a_folder_or_nothing(monkeypatch, tmp_path):
    monkeypatch.delenv(config.DATA_VARIABLE, raising=False)
    assert config.data_folder() == []
    monkeypatch.setenv(config.DATA_VARIABLE, "")
    assert config.data_folder() == []
    monkeypatch.setenv(config.DATA_VARIABLE, str(tmp_path))
    assert config.data_folder() == [tmp_path]
    for wrong in (tmp_path / "missing", __file__, "~nobody/x", "x" * 5000):
        monkeypatch.setenv(config.DATA_VARIABLE, str(wrong))
        with pytest.raises(config.UserError, match="is (a file, )?no folder; DATA is a folder"):
            config.data_folder()


def test_every_profile_has_settings_and_a_section_for_every_chapter():
    for profile in config.PROFILES:
        config.profile_settings(profile)
        for name in config.chapters():
            given = config.chapter_parameters(name, "elpv", profile)
            assert (given["DATASET"], given["PROFILE"]) == ("elpv", profile)


def test_chapters_are_the_numbered_notebooks_in_order(monkeypatch, tmp_path):
    for name in ("10_last.py", "02_first.py", "train.py", "03_notes.md", "3_short.py"):
        (tmp_path / name).write_text("")
    monkeypatch.setattr(config, "NOTEBOOKS", tmp_path)
    assert config.chapters() == ["02_first", "10_last"]


def test_missing_section_of_a_chapter_is_named(parameters):
    (parameters / "cpu.yml").write_text("chapters: {01_explore: {X: 1}}")
    assert config.chapter_parameters("01_explore", "elpv", "cpu") == {"DATASET": "elpv", "PROFILE": "cpu", "X": 1}
    with pytest.raises(config.UserError, match="params/cpu.yml has no section for chapter 09_new; add one"):
        config.chapter_parameters("09_new", "elpv", "cpu")


@pytest.mark.parametrize(
    ("written", "named"), [({"images": 0}, "images"), ({"images": "many"}, "images"), ({"imgaes": 5}, "imgaes")]
)
def test_wrong_setting_of_a_profile_is_named(parameters, written, named):
    (parameters / "cpu.yml").write_text(yaml.safe_dump({"profile": written}))
    with pytest.raises(config.UserError, match=rf"^params/cpu.yml, profile: {named}: .*given"):
        config.profile_settings("cpu")


def test_every_problem_stands_in_one_line_with_the_value_given():
    with pytest.raises(config.UserError) as caught:
        config.validated(Settings, {"images": -3, "name": ["a"] * 500}, "params/mine.yml")
    message = str(caught.value)
    assert message.startswith("params/mine.yml: images:") and "(given: -3)" in message and "; name:" in message
    assert "\n" not in message and len(message) < 400
    assert config.validated(Settings, {"images": 3, "name": "a"}, "mine") == Settings(images=3, name="a")


def test_literature_is_found_by_its_code():
    assert config.literature("S3.11")["parameters"] == 10177
    with pytest.raises(config.UserError, match="'S9.9' does not exist"):
        config.literature("S9.9")
