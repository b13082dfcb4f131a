"""Twins differ in their loss alone, and each is asked what checkpoints are asked."""

import sys
from dataclasses import asdict, replace

import pytest
from samples import held_back

from experiments import families, growth, myopic
from mazelib.behaviour.forks import fork_table
from mazelib.dataset.stream import StreamConfig
from mazelib.evidence import records, tables
from mazelib.internals import hidden_probes, readings
from mazelib.internals import probes as probes_module
from mazelib.internals.ways import Forks
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo
from mazelib.training.recipe import TrainConfig


def test_twins_differ_in_their_loss_and_trainings_in_their_seed():
    configs = myopic.configs()
    assert len(configs) == len(myopic.LOSSES) * len(myopic.SEEDS)
    for seed in myopic.SEEDS:
        twins = [configs[f"{loss}-seed{seed}"] for loss in myopic.LOSSES]
        assert [twin.loss for twin in twins] == [*myopic.LOSSES]
        assert all(replace(twin, loss="path") == twins[0] for twin in twins)
        again = replace(twins[0], mazes=replace(twins[0].mazes, seed=0))
        assert again == configs["path-seed0"]


def test_every_training_has_a_row(tiny_config, tmp_path, monkeypatch):
    mazes = held_back(4, 300)
    stream = StreamConfig(MazeConfig("dfs", 4), questions=2)
    short = TrainConfig(stream, tiny_config, steps=2, batch=2, validation=4)
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(myopic, "RESULTS", tmp_path)
    monkeypatch.setattr(myopic, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(myopic, "SHORT", short)
    monkeypatch.setattr(myopic, "SEEDS", (0, 1))
    monkeypatch.setattr(myopic, "mazes_of", lambda family, count: mazes)
    monkeypatch.setattr(families, "mazes_of", lambda family, count: mazes)
    monkeypatch.setattr(growth, "Forks", lambda *_: Forks(mazes, short.model.tokenizer))
    monkeypatch.setattr(growth, "FAR", 2)
    monkeypatch.setattr(readings, "DRAWS", 10)
    monkeypatch.setattr(hidden_probes, "STEPS", 5)
    monkeypatch.setattr(probes_module, "STRENGTHS", (10.0, 100.0))
    monkeypatch.setattr(sys, "argv", ["myopic", "--jobs", "1"])
    myopic.main()
    found = tables.read_table(myopic.TABLE)
    assert [(r["seed"], r["loss"]) for r in found["rows"]] == [
        (seed, loss) for seed in (0, 1) for loss in myopic.LOSSES
    ]
    far = fork_table(mazes).query("misleading and lookahead >= 2")
    assert found["guess"] == pytest.approx((1 / far["options"]).mean(), abs=1e-4)
    for row in found["rows"]:
        assert row["n"] == len(far)
        assert len(row["by layer"]) == short.model.layers + 1
    trained = zoo.trained_on(tmp_path / "runs" / "myopic-seed1")
    assert asdict(trained) == asdict(replace(short.mazes, seed=1))
