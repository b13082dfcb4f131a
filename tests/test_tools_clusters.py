"""What is measured of clusters is all written; groups and means are those of places."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import large

from mazelib import zoo
from mazelib.checkpoint import TrainedModel
from mazelib.dataset import MazeStream, StreamConfig
from mazelib.generators import MazeConfig
from mazelib.internals.clusters import path_tokens
from tools import clusters


@pytest.fixture
def facts(tiny_config, tmp_path, monkeypatch):
    """The table of two random networks on a few small mazes."""
    config = replace(tiny_config, max_positions=700)

    def network(name):
        return TrainedModel(large(config, seed=len(name)), config.tokenizer, {})

    def right(lens, mazes, predicted):
        tokens = path_tokens(lens, mazes, predicted=False)
        return tokens._replace(onward=tokens.true_onward)

    def mazes():
        stream = StreamConfig(MazeConfig("dfs", 4), questions=240, split="test")
        return MazeStream(stream).take(0, 2), MazeStream(stream).take(2, 1)

    monkeypatch.setattr(clusters, "NETWORKS", ("dfs5", "untrained"))
    monkeypatch.setattr(clusters, "path_tokens", right)  # random ones seldom are
    monkeypatch.setattr(clusters, "RESULTS", tmp_path)
    monkeypatch.setattr(clusters, "mazes", mazes)
    monkeypatch.setattr(zoo, "load", network)
    monkeypatch.setattr(zoo, "untrained", lambda name: network("untrained"))
    clusters.main()
    return json.loads((tmp_path / "clusters.json").read_text())


def test_everything_is_measured_of_each_network_and_layer(facts):
    assert set(facts["networks"]) == {"dfs5", "untrained"}
    for found in facts["networks"].values():
        assert len(found["layers"]) == 3  # the embedding and two blocks
        assert found["best"] in range(3)
        for layer in found["layers"]:
            for name in ("cell", "path", "onward", "onward, came"):
                low, high = layer[name]["interval"]
                assert low <= layer[name]["mean"] <= high
        at_embedding = found["layers"][0]
        assert at_embedding["cell"]["mean"] > 0.8
        assert abs(at_embedding["onward"]["mean"]) < 0.05
    assert facts["networks"]["dfs5"]["layers"][1]["wrong turns"]["n"] == 0


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
