"""Heads are compared with others of their layers; what is measured is all written."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from samples import large

from experiments import heads
from mazelib.behaviour import shifts
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.evidence import records
from mazelib.evidence.intervals import bootstrap_mean
from mazelib.internals.attention import HeadScores
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel

STREAM = StreamConfig(MazeConfig("dfs", 4), split="test")
CYCLES = StreamConfig(MazeConfig("dfs_percolation", 4, p=0.2), split="test")


class Few:
    """Mazes with cycles."""

    @staticmethod
    def draw(count):
        return MazeStream(CYCLES).take(0, count), None


@pytest.fixture
def table(tiny_config, tmp_path, monkeypatch):
    """Where the table will be, of two random networks on a few small mazes."""
    config = replace(tiny_config, heads=4)
    seeds = {"dfs5": 3, "untrained": 1, "mixed5": 2}

    def network(name):
        model = large(config, seeds[name], times=6)
        return TrainedModel(model, tiny_config.tokenizer, {"questions": 7})

    def sets(chosen):
        return {"entries": [(1, 0), (1, 2)], "naming": [(0, 2)], heads.FULLY: [(0, 1)]}

    def jobless(chosen, heads):
        return [[(0, 3)] * len(heads), [(0, 0)] * len(heads)]

    monkeypatch.setattr(heads, "network", network)
    monkeypatch.setattr(heads, "NETWORKS", tuple(seeds))
    monkeypatch.setattr(heads, "without_a_job", jobless)
    monkeypatch.setattr(shifts, "shifts", lambda: {"cycles, p = 0.2": Few})
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(heads, "sets_of_heads", sets)
    for name, count in (("SCORED", 40), ("CHOOSING", 30), ("CLIMBING", 20)):
        monkeypatch.setattr(heads, name, count)
    monkeypatch.setattr(zoo, "held_out", lambda name: STREAM)
    monkeypatch.setattr(zoo, "ladder", lambda name: [])
    monkeypatch.setattr(zoo, "load", network)
    return tmp_path / heads.TABLE


def test_everything_is_measured_of_each_network(table):
    heads.main([])
    facts = json.loads(table.read_text())
    assert facts["weights"] == zoo.hashes(["dfs5", "mixed5"])
    ours, chance, cyclic = facts["rows"]
    assert chance["model"] == "untrained"
    assert not {"without", "search", "ladder"} & set(chance)
    assert set(cyclic) == {"model", "cuts"}
    for facts in (cyclic["cuts"], chance["cuts"], ours["bottlenecks"]):
        for name in ("raw", "partial", "within"):
            value, low, high = facts[name]
            assert -1 <= low <= value <= high <= 1
        assert np.shape(facts["heads"]) == (2, 4)
    assert np.shape(ours["scores"]["entries"]["mean"]) == (2, 4)
    (rung,) = ours["ladder"]
    assert np.shape(rung["scores"]["entries"]) == (2, 4)
    assert rung["n"] == 20
    for found in ours["without"].values():
        for way in (
            "all",
            "resampled",
            "resampled in the list",
            "averaged on the path",
        ):
            value, low, high = found[way]["legal"]
            assert low <= value <= high
        assert found["all"] == ours["without"]["entries"]["all"]
        assert [some["heads"][0] for some in found["jobless"]] == [[0, 3], [0, 0]]
    ways = [set(found["jobless"][0]) for found in ours["without"].values()]
    assert ways[:2] == [{"heads", "resampled"}] * 2
    assert ways[2] == set(found) - {"all", "jobless"}
    assert ours["search"][""]["lost"][0] == 0
    lost, low, high = ours["search"]["naming"]["lost"]
    assert low <= lost <= high
    assert np.shape(ours["search"]["naming"]["tokens"]) == (2, 4)
    others = ours["search"]["naming"]["others"]
    assert [found["heads"] for found in others] == [[[0, 0]], [[0, 1]], [[0, 3]]]
    for found in [*others, ours["search"]["naming in the list"]]:
        assert found["lost"][0] <= 1


def test_a_network_is_measured_again_and_others_are_kept(table):
    other = {"model": "dfs5", "scores": {}}
    table.write_text(json.dumps({"rows": [other], "weights": {"dfs5": "a"}}))
    heads.main(["untrained"])
    facts = json.loads(table.read_text())
    assert facts["rows"][0] == other
    assert [row["model"] for row in facts["rows"]] == ["dfs5", "untrained"]
    assert facts["weights"] == {"dfs5": "a"}


def test_an_unknown_network_is_refused(capsys):
    with pytest.raises(SystemExit):
        heads.main(["dfs7"])
    assert "no dfs7: take of dfs5, dfs5-seed1" in capsys.readouterr().err


def test_a_score_is_the_mean_with_its_interval(rng):
    values = rng.random((50, 2, 3))
    facts = heads.score_facts(HeadScores(*[values] * 14))["entries"]
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
    scores = np.zeros((14, 30, 2, 2))
    each = rng.random((30, 2, 2))
    scores[4:6] = each
    alike = heads.heeds_passages(HeadScores(*scores), (1, 0))
    assert alike[0] == 0
    scores[5] *= 3
    apart = heads.heeds_passages(HeadScores(*scores), (1, 0))
    assert apart == [0.5, 0.5, 0.5]
