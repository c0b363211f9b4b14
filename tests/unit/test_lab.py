"""Chapters in JupyterLab find the user's folder wherever the command was given; a mistake in it is one line."""

import os

import pytest

from lib import config, lab


@pytest.fixture
def started(tmp_path, monkeypatch):
    """What JupyterLab would be started with: its environment, in a list."""
    environments = []
    monkeypatch.setenv(config.BUILD_VARIABLE, str(tmp_path / "build"))
    monkeypatch.setattr(os, "execve", lambda path, command, environment: environments.append(environment))
    monkeypatch.chdir(tmp_path)
    return environments


def test_relative_data_is_made_absolute_for_the_chapters(started, tmp_path, monkeypatch):
    (tmp_path / "pictures").mkdir()
    monkeypatch.setenv(config.DATA_VARIABLE, "pictures")
    assert lab.main(["--no-browser"]) == 0
    assert started[0][config.DATA_VARIABLE] == str(tmp_path / "pictures")


def test_wrong_data_is_one_line(started, monkeypatch, capsys):
    monkeypatch.setenv(config.DATA_VARIABLE, "pictures")
    assert lab.main(["--no-browser"]) == 2 and started == []
    assert capsys.readouterr().err == (
        "DATA='pictures' is no folder; DATA is a folder that holds the images of the data set\n"
    )
