"""Heads are compared with others of their layers; what is measured is all written."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mazelib import zoo
from mazelib.checkpoint import TrainedModel
from mazelib.dataset import StreamConfig
from mazelib.errors import MazelibError
from mazelib.generators import MazeConfig
from mazelib.internals.attention import HeadScores
from mazelib.intervals import bootstrap_mean
from mazelib.model import build
from tools import heads

STREAM = StreamConfig(MazeConfig("dfs", 4), split="test")


@pytest.fixture
def facts(tiny_config, tmp_path, monkeypatch):
    """The table of two random networks on a few small mazes."""
    seeds, config = {"dfs5": 3, "untrained": 1}, replace(tiny_config, heads=4)

    def network(name):
        model = build(config, seeds[name])
        for matrix in model.parameters():
            matrix.data *= 6 if matrix.ndim == 2 else 1
        return TrainedModel(model, tiny_config.tokenizer, {"questions": 7})

    monkeypatch.setattr(heads, "network", network)
    monkeypatch.setattr(heads, "TRAINED", ("dfs5",))
    monkeypatch.setattr(heads, "RESULTS", tmp_path)
    monkeypatch.setattr(heads, "first_stage", lambda chosen: [(0, 2)])
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
    assert len(facts["ladder"]) == 1
    climbed = facts["ladder"][0]["scores"]["entries"]
    assert np.shape(climbed) == (2, 4)
    for name, found in ours["without"].items():
        excess, low, high = found["excess"]
        assert low <= excess <= high, name
        falls = [other["fall"] for other in found["others"]]
        fall = found["forks"][0] - found["forks"][1]
        assert excess == pytest.approx(fall - np.mean(falls), abs=2e-4)
    lost, low, high = ours["stages"]["lost"]
    assert low <= lost <= high
    tokens = np.array(ours["stages"]["tokens"])
    assert tokens.shape == (2, 2, 4)
    low, high = ours["bottlenecks"]["partial"][1:]
    assert -1 <= low <= ours["bottlenecks"]["partial"][0] <= high <= 1


def test_a_score_is_the_mean_with_its_interval(rng):
    values = rng.random((50, 2, 3))
    facts = heads.score_facts(HeadScores(*[values] * 9))["entries"]
    low, high = bootstrap_mean(values[:, 1, 2])
    assert facts["mean"][1][2] == pytest.approx(values[:, 1, 2].mean(), abs=1e-4)
    assert (facts["from"][1][2], facts["to"][1][2]) == pytest.approx(
        (low, high), abs=1e-4
    )


def test_others_are_as_many_heads_of_the_same_layers():
    found = heads.others_like([(2, 0), (2, 3), (5, 1)], per_layer=4)
    assert len(found) == 3
    for some in found:
        assert some[:2] == [(2, 1), (2, 2)]
        assert some[2] in [(5, 0), (5, 2), (5, 3)]
    crowded = heads.others_like([(1, 0), (1, 1), (1, 2)], per_layer=4)
    assert len(crowded) == 3
    assert all({(1, 0), (1, 1), (1, 2)} != set(some) for some in crowded)
    with pytest.raises(MazelibError, match="none is left"):
        heads.others_like([(1, 0), (1, 1)], per_layer=2)
    many = heads.others_like([(0, 0), (1, 0), (2, 0)], per_layer=4)
    assert len(many) == heads.DRAWS == len({tuple(some) for some in many})


def test_a_head_that_treats_neighbours_alike_heeds_no_passages(rng):
    scores = np.zeros((9, 30, 2, 2))
    each = rng.random((30, 2, 2))
    scores[7:] = each
    alike = heads.heeds_passages(HeadScores(*scores), (1, 0))
    assert alike[0] == 0
    scores[8] *= 3
    apart = heads.heeds_passages(HeadScores(*scores), (1, 0))
    assert apart == [0.5, 0.5, 0.5]
