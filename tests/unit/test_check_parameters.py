"""Parameters are held against the chapters before anything runs."""

import shutil

import pytest

from lib import config, graph


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("EPOCHS: 2", "BOGUS: 2", "BOGUS is no parameter"),
        ("EPOCHS: 2, ", "", "EPOCHS is missing"),
        ("EPOCHS: 2", "EPOCHS: -1", "EPOCHS is -1; expected a number above 0"),
        ("IMAGE_SIZE: 48", "IMAGE_SIZE: big", "IMAGE_SIZE is 'big'; expected int"),
        (
            "IMAGE_SIZE: 48",
            "IMAGE_SIZE: 8",
            "05_simple_network: IMAGE_SIZE 8 is too small for network simple: it needs 18 pixels a side or more",
        ),
        ("SEEDS: [7, 8]", "SEEDS: []", "SEEDS is []; expected a list of int, not empty"),
        ("chapters:", "chapters: [", "not valid YAML"),
    ],
)
def test_a_wrong_parameter_is_one_line_that_names_it(tmp_path, monkeypatch, old, new, said):
    shutil.copytree(config.PARAMETERS, tmp_path / "params")
    file = tmp_path / "params" / "smoke.yml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    monkeypatch.setattr(config, "PARAMETERS", tmp_path / "params")
    with pytest.raises(config.UserError, match="^params/smoke.yml") as error:
        graph.check_parameters("elpv", "smoke")
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("profile", config.PROFILES)
def test_the_parameters_of_every_profile_pass(profile):
    graph.check_parameters("elpv", profile)
