import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from test_resume import CONFIG

from mazelib import checkpoint, zoo
from mazelib.errors import MazelibError
from mazelib.training import train


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


def test_an_untrained_network_has_the_shape_and_nothing_else_of_a_model(folder):
    trained, blank = zoo.load(folder), zoo.untrained(folder, seed=3)
    assert blank.card == {"model": trained.card["model"]}
    assert blank.tokenizer.vocabulary == trained.tokenizer.vocabulary
    own, drawn = trained.model.state_dict(), blank.model.state_dict()
    assert {k: v.shape for k, v in own.items()} == {
        k: v.shape for k, v in drawn.items()
    }
    matrices = [name for name, value in own.items() if value.ndim == 2]
    assert not any(own[name].equal(drawn[name]) for name in matrices)
    again = zoo.untrained(folder, seed=3).model.state_dict()
    assert all(again[name].equal(value) for name, value in drawn.items())


ON_ITS_WAY = "dfs5-pairs"
"""In float16 whatever that changes, as the checkpoint that it is compared with."""


def test_every_model_of_the_zoo_loads():
    for name in zoo.names():
        card = zoo.load(name).card
        assert card["metrics"]["n"] >= 2000
        assert card["rounding"]["n"] >= (0 if name == ON_ITS_WAY else 2000)
        is_rounded = card["rounding"]["changed"] == 0
        stored = load_file(zoo.MODELS / name / checkpoint.WEIGHTS).values()
        assert {t.dtype for t in stored} == {
            torch.float16 if is_rounded else torch.float32
        }
        for rung in zoo.ladder(name):
            zoo.load(rung)


def test_every_model_of_the_zoo_opens_without_mazelib():
    code = (
        "import sys; from transformers import AutoModelForCausalLM as M;"
        "[M.from_pretrained(folder) for folder in sys.argv[1:]];"
        "assert 'mazelib' not in sys.modules"
    )
    folders = [zoo.MODELS / name for name in zoo.names()]
    subprocess.run([sys.executable, "-c", code, *folders], check=True)


def test_a_run_leaves_its_ladder_and_its_log(tmp_path):
    log = train(CONFIG, tmp_path / "run", progress=False).log
    assert zoo.read_log(tmp_path / "run") == log
    rungs = zoo.ladder(tmp_path / "run")
    steps = [zoo.load(rung).card["steps"] for rung in rungs]
    assert steps == CONFIG.rungs == [1, 4]


def test_the_test_mazes_of_a_model_are_like_those_it_was_trained_on(tmp_path, folder):
    train(CONFIG, tmp_path / "run", progress=False)
    stream = zoo.held_out(tmp_path / "run")
    assert stream == replace(CONFIG.mazes, split="test", questions=1)
    with pytest.raises(MazelibError, match="does not say what the model was trained"):
        zoo.held_out(folder)


def test_a_log_that_cannot_be_read_is_named(folder):
    assert zoo.read_log(folder) == []
    (folder / "log.jsonl").write_text("{")
    with pytest.raises(MazelibError, match=r"log.jsonl, line 1 is damaged"):
        zoo.read_log(folder)
    assert zoo.ladder(folder) == []
