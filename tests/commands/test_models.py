"""The commands train, evaluate and models as a person meets them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mazelib.dataset.stream import StreamConfig
from mazelib.mazes.generators import GENERATORS, MazeConfig
from mazelib.models import zoo
from mazelib.models.model import MazeModelConfig
from mazelib.training.loop import train
from mazelib.training.recipe import TrainConfig


@pytest.mark.parametrize("generator", GENERATORS)
def test_scores_have_the_same_keys_for_every_generator(run, generator):
    for command, who in (("evaluate", ["dfs5"]), ("baseline", [])):
        flags = ["--grid", 5, "--count", 4, "--json"]
        code, out, _ = run(command, *who, "--generator", generator, *flags)
        facts = json.loads(out)
        assert code == 0
        assert (facts["generator"], facts["n"]) == (generator, 4)
        assert set(facts) == set(json.loads(run(command, *who, *flags)[1]))


def test_evaluate_prints_its_keys(run, folder):
    code, out, _ = run("evaluate", folder, "--count", 30, "--json")
    facts = json.loads(out)
    assert code == 0
    wanted = (
        "model generator grid n seed exact exact_ci valid reached_target node_overlap "
        "fork_accuracy"
    )
    assert set(wanted.split()) <= set(facts)
    assert (facts["model"], facts["grid"], facts["n"]) == (folder, 3, 30)
    assert facts["generator"] == "dfs"
    assert run("evaluate", folder, "--generator", "wilson", "--count", 5)[0] == 0


def test_train_writes_a_model_that_the_other_commands_take(run, tmp_path):
    out = tmp_path / "mine"
    flags = ["--grid=3", "--layers=1", "--width=16", "--heads=2", "--steps=3"]
    code, text, _ = run("train", "--out", out, *flags, "--validation", 8)
    assert code == 0
    assert "on 8 validation mazes" in text
    assert run("evaluate", out, "--count", 3)[0] == 0
    code, _, err = run("train", "--out", out, *flags)
    assert code == 2
    assert "mine.state holds a run with validation = 8, not 512" in err
    code, _, err = run("train", "--out", tmp_path, *flags)
    assert code == 2
    assert "exists: name another" in err


def test_train_tells_of_its_own_model_though_another_has_its_name(
    run, folder, monkeypatch
):
    monkeypatch.setattr(zoo, "MODELS", Path(folder).parent)
    monkeypatch.chdir(Path(folder).parent.parent)
    flags = ["--grid=3", "--layers=1", "--width=16", "--heads=2", "--steps=1"]
    code, text, _ = run("train", "--out=dfs3", *flags, "--validation=4", "--json")
    assert code == 0
    assert json.loads(text)["model"]["layers"] == 1


def test_models_lists_names_and_scores(run, folder, monkeypatch):
    monkeypatch.setattr(zoo, "MODELS", Path(folder).parent)
    code, out, _ = run("models")
    assert code == 0
    assert out.startswith("dfs3 ")
    assert json.loads(run("models", "--json")[1])[0]["name"] == "dfs3"


def test_evaluation_mazes_are_not_those_of_training(run, folder):
    assert np.isin(zoo.load(folder).card["training"]["mazes"]["split"], ["train"]).all()
    _, out, _ = run("evaluate", folder, "--count", 5, "--json")
    assert json.loads(out)["split"] == "test"


def test_evaluate_asks_what_the_model_was_trained_on(run, tmp_path):
    mazes = StreamConfig(
        MazeConfig("dfs_percolation", 3, p=0.2),
        endpoints="corners",
        min_steps=2,
        questions=2,
    )
    shape = MazeModelConfig(side=4, layers=1, width=16, heads=2)
    config = TrainConfig(mazes, shape, steps=2, batch=2, validation=4)
    train(config, tmp_path / "mine", progress=False)
    asked = json.loads(run("evaluate", tmp_path / "mine", "--count=4", "--json")[1])
    assert (asked["p"], asked["endpoints"], asked["grid"]) == (0.2, "corners", 3)
    same = json.loads(
        run("evaluate", tmp_path / "mine", "--grid=3", "--count=4", "--json")[1]
    )
    assert same == asked
    flags = ["--generator=wilson", "--count=4", "--json"]
    other = json.loads(run("evaluate", tmp_path / "mine", *flags)[1])
    assert (other["p"], other["endpoints"], other["grid"]) == (None, "uniform", 3)


def test_models_lists_the_others_beside_damaged_ones(
    run, folder, tmp_path, monkeypatch
):
    for name in ("a", "b", "c"):
        shutil.copytree(folder, tmp_path / name)
    for name in ("a", "b"):
        (tmp_path / name / "card.json").write_text("{}")
    monkeypatch.setattr(zoo, "MODELS", tmp_path)
    for flags in ([], ["--json"]):
        code, out, err = run("models", *flags)
        assert code == 2
        assert '"c"' in out if flags else out.startswith("c ")
        assert (err.count("/card.json is damaged: "), err.count("\n")) == (2, 1)
