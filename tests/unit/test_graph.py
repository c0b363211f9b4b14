"""What is executed again after a change: exactly what depends on it."""

import ast
import json
import shutil

import pytest

from lib import config, graph, grids

SCENARIO = """
    import json, pathlib, shutil, yaml
    from lib import config, graph, jobs
    root = config.REPOSITORY
    notebook = "notebooks/05_simple_network.py"
    (root / "lib" / "helper.py").write_text("VALUE = 1\\n")
    (root / "lib" / "unrelated.py").write_text("VALUE = 1\\n")
    (root / "lib" / "networks" / "another.py").write_text("MINIMUM_SIZE = 1\\n")
    text = (root / "lib" / "metrics.py").read_text()
    (root / "lib" / "metrics.py").write_text(text + "\\ndef _deep():\\n    from lib import helper\\n    return helper.VALUE\\n")

    def fingerprints():
        run = next(iter(graph.runs_of("05_simple_network", "elpv", "cpu").values()))
        return {
            "explore": graph.chapter_fingerprint("01_explore", "elpv", "cpu"),
            "simple": graph.chapter_fingerprint("05_simple_network", "elpv", "cpu"),
            "smoke": graph.chapter_fingerprint("05_simple_network", "elpv", "smoke"),
            "run": jobs.fingerprint([run]),
            "data": graph.data_fingerprint("elpv", "cpu"),
        }

    before = fingerprints()

    def changed_by(name, change):
        path = root / name
        source = path.read_text()
        assert change(source) != source, name
        path.write_text(change(source))
        try:
            after = fingerprints()
        finally:
            path.write_text(source)
        return sorted(kind for kind in before if after[kind] != before[kind])

    def added(source):
        return source + "\\nADDED = 1\\n"

    def with_setting(*path, value):
        def change(source):
            settings = inner = yaml.safe_load(source)
            for name in path[:-1]:
                inner = inner[name]
            inner[path[-1]] = value
            return yaml.safe_dump(settings)
        return change

    found = {
        "prose": changed_by(notebook, lambda text: text.replace("# %% [markdown]\\n# ", "# %% [markdown]\\n# In short: ")),
        "caption": changed_by(notebook, lambda text: text.replace('"caption": "', '"caption": "Look: ')),
        "comment in a cell": changed_by(notebook, lambda text: text.replace("# %%\\n", "# %%\\n# a comment\\n")),
        "code cell": changed_by(notebook, lambda text: text + "\\n# %%\\n1 + 1\\n"),
        "notebook that trains": changed_by("notebooks/train.py", lambda text: text + "\\n# %%\\n1 + 1\\n"),
        "docstring": changed_by("lib/metrics.py", lambda text: text.replace('\"\"\"', '\"\"\"Another. ', 1)),
        "own parameter": changed_by("params/cpu.yml", with_setting("chapters", "05_simple_network", "EPOCHS", value=99)),
        "parameter of another chapter": changed_by(
            "params/cpu.yml", with_setting("chapters", "01_explore", "IMAGES_PER_LEVEL", value=99)
        ),
        "comment in params": changed_by("params/cpu.yml", lambda text: "# a comment\\n" + text),
        "images of a profile": changed_by("params/cpu.yml", with_setting("profile", "images", value=99)),
        "card": changed_by("params/datasets/elpv.yml", with_setting("group", "size", value=61)),
    } | {
        f"lib/{name}.py": changed_by(f"lib/{name}.py", added)
        for name in ("metrics", "helper", "unrelated", "plots/style", "steps/resize", "splits", "training/train",
                     "networks/simple", "networks/another", "site/build", "chapters")
    }
    print(json.dumps(found))
"""
EVERYTHING = ["data", "explore", "run", "simple", "smoke"]
CHANGES = {
    "prose": [],
    "comment in a cell": [],
    "caption": [],
    "code cell": ["simple", "smoke"],
    "notebook that trains": ["run"],
    "docstring": [],
    "lib/metrics.py": ["explore", "simple", "smoke"],
    "lib/helper.py": ["explore", "simple", "smoke"],
    "lib/unrelated.py": [],
    "lib/plots/style.py": ["explore", "simple", "smoke"],
    "lib/steps/resize.py": EVERYTHING,
    "lib/splits.py": EVERYTHING,
    "lib/training/train.py": ["run", "simple", "smoke"],
    "lib/networks/simple.py": ["run", "simple", "smoke"],
    "lib/networks/another.py": [],
    "lib/site/build.py": [],
    "lib/chapters.py": [],
    "own parameter": ["simple"],
    "parameter of another chapter": ["explore"],
    "comment in params": [],
    "images of a profile": ["data"],
    "card": ["data", "explore", "simple", "smoke"],
}


def test_fingerprints_change_exactly_with_what_they_depend_on(book, checkout, python):
    found = json.loads(python(SCENARIO, folder=checkout))
    assert {name: found[name] for name in CHANGES if found[name] != CHANGES[name]} == {}


def test_fingerprint_of_data_follows_the_raw_files(book, changeable_data):
    before = graph.data_fingerprint("elpv", "cpu")
    assert graph.data_fingerprint("elpv", "cpu") == before
    image = changeable_data / "data" / "images" / "cell0001.png"
    image.write_bytes(image.read_bytes() + b" ")
    after = graph.data_fingerprint("elpv", "cpu")
    (changeable_data / "data" / "images" / "new.png").write_bytes(b"")
    assert len({before, after, graph.data_fingerprint("elpv", "cpu")}) == 3
    assert graph.data_fingerprint("elpv", "smoke") != graph.data_fingerprint("elpv", "cpu")


def names(code: str) -> set[str]:
    return {str(path.relative_to(graph.PACKAGE)) for path in graph.modules_imported(code)}


@pytest.mark.parametrize(
    ("code", "some"),
    [
        ("import lib.atomic", {"atomic.py"}),
        ("import lib.atomic as a, json", {"atomic.py"}),
        ("from lib import splits", {"splits.py", "config.py"}),
        ("from lib.training import data", {"training/__init__.py", "training/data.py"}),
        ("from lib.training.data import Part", {"training/__init__.py", "training/data.py"}),
        ("def later():\n    from lib import splits", {"splits.py", "config.py"}),
        (
            "if True:\n    import lib.custody",
            {"custody/__init__.py", "custody/hiding.py", "manifest.py", "decode.py"},
        ),
    ],
)
def test_imports_are_found_directly_and_through_others(code, some):
    assert some <= names(code) and "__init__.py" in names(code)


def test_imports_within_functions_of_the_library_are_found():
    assert {"training/train.py", "training/measure.py", "training/checkpoint.py"} <= names("from lib import runs")


def test_other_packages_are_not_followed():
    assert names("import numpy, library.lib\nfrom libs import atomic") == set()


def test_library_has_no_relative_import():
    """They would not be found."""
    for path in graph.PACKAGE.rglob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        assert not any(isinstance(node, ast.ImportFrom) and node.level for node in nodes), path


def test_code_of_a_script_is_its_code_cells(tmp_path):
    script = "# %% [markdown]\n# # Title\n# import lib.atomic\n\n# %%\nimport json\n\n# %% tags=['x']\njson\n"
    (tmp_path / "10_small.py").write_text(script)
    assert graph.code_of(tmp_path / "10_small.py") == "import json\njson"


def test_runs_of_a_chapter_are_those_of_its_families():
    runs = graph.runs_of("05_simple_network", "elpv", "cpu")
    parameters = config.chapter_parameters("05_simple_network", "elpv", "cpu")
    study = grids.family("simple_network", parameters)
    assert sorted(run.model_dump_json() for run in runs.values()) == sorted(
        run.model_dump_json() for group in study.values() for run in group
    )
    assert (
        all(graph.slug(run) == slug for slug, run in runs.items()) and graph.runs_of("01_explore", "elpv", "cpu") == {}
    )


@pytest.mark.parametrize(("tags", "read"), [(["reads-runs"], ["05_simple_network", "06_sanity_checks"]), ([], [])])
def test_a_chapter_that_reads_runs_waits_for_those_before_it_that_train(monkeypatch, tmp_path, tags, read):
    for name in ("01_explore", "05_simple_network", "06_sanity_checks"):
        shutil.copy(config.NOTEBOOKS / f"{name}.py", tmp_path)
    for name in ("16_reader", "17_after"):
        (tmp_path / f"{name}.py").write_text(f"# %% tags={json.dumps(['parameters', *tags])}\nDATASET = 1\n")
    parameters = config.chapter_parameters
    monkeypatch.setattr(config, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(
        config, "chapter_parameters", lambda *of: {} if of[0] in ("16_reader", "17_after") else parameters(*of)
    )
    assert [graph.chapters_read(name, "elpv", "cpu") for name in ("16_reader", "17_after")] == [read, read]
    assert graph.chapters_read("06_sanity_checks", "elpv", "cpu") == []


def test_slugs_name_the_run_and_differ(configuration):
    slugs = {
        graph.slug(configuration(**change)) for change in ({}, {"seed": 8}, {"batch_size": 8}, {"levels": "extreme"})
    }
    assert len(slugs) == 4 and all(slug.startswith("simple-18px-") for slug in slugs)


def test_sources_of_the_site_exist_and_are_sorted():
    sources = graph.site_sources()
    assert sources == sorted(sources) and "book/conf.py" in sources and "lib/site/build.py" in sources
    assert all((config.REPOSITORY / name).is_file() for name in sources)
