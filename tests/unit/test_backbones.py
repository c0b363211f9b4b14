"""The registry of backbones: every entry can be built, has blocks and a published accuracy, and says what it lacks."""

import pytest

from lib import backbones, config, networks, weights

EACH = pytest.mark.parametrize("name", list(backbones.BACKBONES))


@EACH
def test_each_names_a_family_and_a_variant_of_it(name):
    asked = backbones.network(name, None)
    parameters = networks.family(asked.family).Parameters(**asked.parameters)
    assert parameters.variant == backbones.find(name).variant and parameters.weights is None
    assert len(networks.blocks(asked.family, asked.parameters)) >= 5
    assert backbones.refusal(name, None) is None
    assert 0.5 < config.literature("ImageNet")["accuracies"][name] < 1


def test_the_registry_is_what_was_published():
    assert set(config.literature("ImageNet")["accuracies"]) == set(backbones.BACKBONES)
    variants = [backbones.find(name).variant for name in backbones.BACKBONES]
    known = [v for family in ("efficientnet_lite", "keras_applications") for v in networks.family(family).WEIGHTS]
    assert sorted(variants) == sorted(known)


def test_weights_are_imagenets_a_file_or_none(tmp_path):
    assert backbones.network("vgg16").parameters == {"variant": "VGG16", "weights": "imagenet"}
    path = tmp_path / "own.weights.h5"
    assert backbones.network("vgg16", path).parameters["weights"] == str(path)
    assert backbones.refusal("vgg16", path) == (
        f"vgg16: weights {path} do not exist; give the path of a file, `imagenet`, or nothing"
    )
    path.touch()
    assert backbones.refusal("vgg16", path) is None


@pytest.mark.parametrize("name", ["efficientnet_lite1", "resnet50"])
def test_what_cannot_be_had_is_one_line(name, monkeypatch):
    def refuse(source):
        raise weights.WeightsRefused(f"{source} is not there")

    monkeypatch.setattr(weights, "find", refuse)
    line = backbones.refusal(name)
    assert line.startswith(f"{name}: ") and line.endswith("is not there") and "\n" not in line


def test_mistakes_are_one_line(monkeypatch):
    monkeypatch.setattr(backbones.cost, "alone", lambda *_: pytest.fail("nothing is measured"))
    with pytest.raises(config.UserError, match="BACKBONE='resnet5' does not exist; BACKBONE is one of: .*resnet50"):
        backbones.network("resnet5")
    assert backbones.size_refusal("inception_v3", 75) is None
    with pytest.raises(
        config.UserError, match="^image size 74 is too small for inception_v3: it needs 75 pixels a side"
    ):
        backbones.table(["vgg16", "inception_v3"], 74, threads=1)


def test_networks_beside_are_timed_too_where_they_take_the_size(monkeypatch):
    monkeypatch.setattr(backbones.cost, "alone", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr("lib.training.determinism.fix", lambda *_, **__: None)  # it is once a process
    found = backbones.table([], 32, 1, beside=["mobilenet", "inception_v3"])
    assert found["parameters"].to_dict() == {"mobilenet": 3_228_864, "inception_v3": 21_802_784}
    assert (found.loc["mobilenet", ["multiplications_million", "milliseconds_an_image"]] > 0).all()
    assert found.loc["inception_v3", ["multiplications_million", "milliseconds_an_image"]].isna().all()
    assert found.loc["inception_v3", "blocks"] == 12


def test_the_table_counts_and_times():
    found = backbones.table(["mobilenet"], 32, threads=1).loc["mobilenet"]
    assert found["parameters"] == 3_228_864 and found["blocks"] == 14 and found["published_pixels"] == 224
    # Howard et al. 2017, arXiv:1704.04861: 569 million at 224 px, of which a million in the head
    assert found["multiplications_million"] * (224 / 32) ** 2 == pytest.approx(568, rel=0.01)
    assert found["milliseconds_an_image"] > 0 and found["imagenet_accuracy_fraction"] == 0.704
    assert found["layers"] > 80
