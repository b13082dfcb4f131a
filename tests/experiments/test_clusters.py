"""What is measured of clusters is all written; groups and means are those of places."""

import json
from dataclasses import replace

import numpy as np
import pytest
from samples import large

from experiments import clusters
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.evidence import records
from mazelib.internals.clusters import PathTokens, path_tokens
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel


@pytest.fixture
def table(tiny_config, tmp_path, monkeypatch):
    """Where the table of two random networks on a few small mazes goes."""
    config = replace(tiny_config, max_positions=700)

    def network(name):
        return TrainedModel(large(config, seed=len(name)), config.tokenizer, {})

    def right(lens, mazes, predicted):
        tokens = path_tokens(lens, mazes, predicted=False)
        onward = tokens.true_onward.copy()
        onward[::50] = tokens.before[::50]  # a few that turn back
        return tokens._replace(onward=onward)

    def mazes():
        stream = StreamConfig(MazeConfig("dfs", 4), questions=240, split="test")
        return MazeStream(stream).take(0, 2), MazeStream(stream).take(2, 1)

    monkeypatch.setattr(clusters, "NETWORKS", ("dfs5", clusters.UNTRAINED))
    monkeypatch.setattr(clusters, "path_tokens", right)  # random ones seldom are
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(clusters, "mazes", mazes)
    monkeypatch.setattr(zoo, "load", network)
    monkeypatch.setattr(zoo, "untrained", lambda name: network(clusters.UNTRAINED))
    return tmp_path / clusters.TABLE


def test_everything_is_measured_of_each_network_and_layer(table):
    clusters.main([])
    rows = json.loads(table.read_text())["rows"]
    each = [(row["model"], row["layer"]) for row in rows]
    assert each == [(name, k) for name in clusters.NETWORKS for k in range(3)]
    for row in rows:  # the embedding and two blocks
        for name in ("cell", "path, centred", "onward", "silhouette"):
            low, high = row[name]["interval"]
            assert low <= row[name]["mean"] <= high
            assert row[name]["mazes"] == 2
        assert row["cell"]["mean"] <= row["cell"]["most"]
        assert ("shuffled" in row["silhouette"]) == row["is_best"]
    for name in clusters.NETWORKS:
        own = [row for row in rows if row["model"] == name]
        assert sum(row["is_best"] for row in own) == 1
        assert own[0]["cell"]["mean"] > 0.8
        assert abs(own[0]["onward"]["mean"]) < 0.05
        assert all(abs(row["silhouette"].get("shuffled", 0)) < 0.1 for row in own)
    assert rows[1]["wrong turns"]["true"]["n"] > 0
    assert "wrong turns" not in rows[-1]


def test_a_network_is_measured_again_and_others_are_kept(table):
    other = {"model": clusters.UNTRAINED, "layer": 0}
    table.write_text(json.dumps({"rows": [other], "weights": {}}))
    clusters.main(["dfs5"])
    facts = json.loads(table.read_text())
    assert other in facts["rows"]
    assert len(facts["rows"]) == 4
    assert facts["weights"] == zoo.hashes(["dfs5"])


def test_an_unknown_network_is_refused(capsys):
    with pytest.raises(SystemExit):
        clusters.main(["dfs7"])
    assert "no dfs7: take of dfs5, dfs5-seed1" in capsys.readouterr().err


def test_a_mean_draws_whole_mazes(rng):
    of_maze = np.repeat([0, 2, 5], [10, 10, 20])
    values = np.repeat([0.0, 1.0, 1.0], [10, 10, 20])
    found = clusters.averaged(values, of_maze)
    assert found["mean"] == 0.75
    assert found["interval"] == [0, 1]
    assert (found["n"], found["mazes"]) == (40, 3)
    heavier = clusters.averaged(values, of_maze, np.where(of_maze == 0, 3.0, 1.0))
    assert heavier["mean"] == 0.5
    assert clusters.averaged(values[:0], of_maze[:0])["mean"] is None


def test_groups_with_one_kind_are_taken_apart():
    groups = np.array([3, 3, 3, 5, 5, 7])
    found = clusters.with_several(groups, np.array([1, 1, 2, 4, 4, 1]))
    assert found[:3].tolist() == [3, 3, 3]
    assert len(set(found[3:].tolist()) - {3, 5, 7}) == 3


def test_at_errors_neighbours_of_the_same_target_are_left_out():
    """Two clouds: the errors lie among tokens that go the true way."""
    count = 60
    way = np.repeat([1, 2], count // 2)
    target = np.arange(count) % 6
    onward, at = way.copy(), np.array([0, 7])
    onward[at] = 2
    zeros = np.zeros(count, int)
    vectors = np.stack([way * 10.0, np.arange(count) / count], 1)[None]
    columns = (zeros, np.arange(count), zeros, zeros, onward, way, target)
    tokens = PathTokens(vectors, *columns)
    found = clusters.wrong_turns(tokens, 0)
    assert found["predicted"]["n"] == 2
    assert found["true"]["mean"] > 0.3
    assert found["predicted"]["mean"] < -0.3
    assert found["difference"]["mean"] > 0.6
    tokens = tokens._replace(target=zeros)  # nobody is left to compare with
    assert clusters.wrong_turns(tokens, 0)["true"]["n"] == 0


def test_one_number_is_the_same_where_rows_are(rng):
    columns = rng.integers(-1, 4, (3, 200))
    number = clusters.one_number(*columns)
    assert len(np.unique(number)) == len(np.unique(columns, axis=1).T)
    for value in np.unique(number):
        assert len(np.unique(columns[:, number == value], axis=1).T) == 1


def test_centred_vectors_have_no_mean_in_any_place(rng):
    place, vectors = rng.integers(5, size=60), rng.normal(size=(60, 3))
    found = clusters.centred(vectors, place)
    for value in range(5):
        assert np.allclose(found[place == value].mean(0), 0)
        gap = (vectors - found)[place == value]
        assert np.allclose(gap, gap[0])
