import json
import shutil

import pytest

from mazelib import checkpoint, zoo
from mazelib.errors import MazelibError


@pytest.fixture
def folder(tiny_model, tiny_config, tmp_path):
    checkpoint.save(tmp_path / "model", tiny_model, tiny_config, {"seed": 1})
    return tmp_path / "model"


def test_an_unknown_model_is_named(tmp_path):
    with pytest.raises(MazelibError, match="no model 'dfs99': give a folder"):
        zoo.load("dfs99")


def test_names_lists_the_folders_with_cards(folder, monkeypatch):
    monkeypatch.setattr(zoo, "MODELS", folder.parent)
    shutil.copytree(folder, folder.parent / "another")
    (folder.parent / "no_model").mkdir()
    assert zoo.names() == ["another", "model"]
    assert zoo.load("another").card == json.loads((folder / "card.json").read_text())


def test_every_model_of_the_zoo_loads():
    for name in zoo.names():
        assert zoo.load(name).card["metrics"]["n"] >= 2000
