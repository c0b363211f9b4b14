"""A built chapter used exactly the runs of its families: what the build graph trains ahead, and the catalogue lists."""

import pytest

from lib import atomic, config, graph, runs


@pytest.mark.parametrize("name", config.chapters())
def test_runs_used_are_those_of_the_families(name, root, tmp_path):
    context = config.Context(name, "elpv", "smoke", root, tmp_path)
    asked_for = graph.runs_of(name, "elpv", "smoke").values()
    keys = [runs.run_key(configuration, runs.data_of(configuration, context)) for configuration in asked_for]
    noted = root / "chapters" / name / "runs_used.json"
    assert (atomic.read_json(noted) if noted.exists() else []) == sorted(set(keys))
