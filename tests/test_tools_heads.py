"""Heads are compared with others of their layers; what is measured is all written."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import large

from mazelib import zoo
from mazelib.checkpoint import TrainedModel
from mazelib.dataset import StreamConfig
from mazelib.generators import MazeConfig
from mazelib.internals.attention import HeadScores
from mazelib.intervals import bootstrap_mean
from tools import heads

STREAM = StreamConfig(MazeConfig("dfs", 4), split="test")


@pytest.fixture
def facts(tiny_config, tmp_path, monkeypatch):
    """The table of two random networks on a few small mazes."""
    seeds, config = {"dfs5": 3, "untrained": 1}, replace(tiny_config, heads=4)

    def network(name):
        model = large(config, seeds[name], times=6)
        return TrainedModel(model, tiny_config.tokenizer, {"questions": 7})

    def sets(chosen):
        return {"entries": [(1, 0), (1, 2)], "naming": [(0, 2)]}

    monkeypatch.setattr(heads, "network", network)
    monkeypatch.setattr(heads, "TRAINED", ("dfs5",))
    monkeypatch.setattr(heads, "RESULTS", tmp_path)
    monkeypatch.setattr(heads, "sets_of_heads", sets)
    for name, count in (("SCORED", 40), ("CHOOSING", 30), ("CLIMBING", 20)):
        monkeypatch.setattr(heads, name, count)
    monkeypatch.setattr(zoo, "held_out", lambda name: STREAM)
    monkeypatch.setattr(zoo, "ladder", lambda name: [])
    monkeypatch.setattr(zoo, "load", network)
    heads.main()
    return json.loads((tmp_path / "heads.json").read_text())


def test_everything_is_measured_of_each_network(facts):
    assert set(facts["networks"]) == {"dfs5", "untrained"}
    ours = facts["networks"]["dfs5"]
    assert np.shape(ours["scores"]["entries"]["mean"]) == (2, 4)
    (rung,) = facts["ladder"]
    assert np.shape(rung["scores"]["entries"]) == (2, 4)
    assert rung["n"] == 20
    for found in ours["without"].values():
        for way in ("all", "resampled", "resampled in the list", "averaged"):
            value, low, high = found[way]["legal"]
            assert low <= value <= high
        assert found["all"] == ours["without"]["entries"]["all"]
        mean, least = found["others"]["forks"]
        assert least <= mean
    assert ours["search"][""]["lost"][0] == 0
    lost, low, high = ours["search"]["naming"]["lost"]
    assert low <= lost <= high
    assert np.shape(ours["search"]["not naming"]["tokens"]) == (2, 4)
    value, low, high = ours["bottlenecks"]["partial"]
    assert -1 <= low <= value <= high <= 1
    assert -1 <= ours["bottlenecks"]["within"] <= 1


def test_a_score_is_the_mean_with_its_interval(rng):
    values = rng.random((50, 2, 3))
    facts = heads.score_facts(HeadScores(*[values] * 12))["entries"]
    low, high = bootstrap_mean(values[:, 1, 2])
    assert facts["mean"][1][2] == pytest.approx(values[:, 1, 2].mean(), abs=1e-4)
    assert (facts["from"][1][2], facts["to"][1][2]) == pytest.approx(
        (low, high), abs=1e-4
    )


def test_what_a_network_did_is_counted_over_its_steps():
    rows = [(0, 0, True, True, True), (0, 1, False, True, True)]
    rows += [(1, 0, True, False, False), (1, 1, True, True, False)]
    names = ["maze", "step", "is_fork", "legal", "right"]
    found = heads.did(pd.DataFrame(rows, columns=names))
    assert found["forks"][0] == pytest.approx(1 / 3, abs=1e-4)
    assert found["legal"][0] == 0.75
    assert found["right_if_legal"] == 0.5


def test_a_head_that_treats_neighbours_alike_heeds_no_passages(rng):
    scores = np.zeros((12, 30, 2, 2))
    each = rng.random((30, 2, 2))
    scores[4:6] = each
    alike = heads.heeds_passages(HeadScores(*scores), (1, 0))
    assert alike[0] == 0
    scores[5] *= 3
    apart = heads.heeds_passages(HeadScores(*scores), (1, 0))
    assert apart == [0.5, 0.5, 0.5]
