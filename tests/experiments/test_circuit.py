"""Another training's circuit is found where only its heads are named otherwise."""

import numpy as np
import pytest
from samples import held_back

from experiments import circuit
from mazelib.interventions import Graph, targets_moved


@pytest.fixture(scope="module")
def graph(network):
    return Graph.of(network)


def test_heads_named_otherwise_are_named_back(network, graph, rng):
    scores = np.where(graph.edges, rng.normal(size=graph.edges.shape), 0)
    own = circuit.top(graph, scores, 0.3)
    turned = circuit.renamed(graph, scores, {-1: (0, 1), 0: (1, 0), 1: (1, 0)})
    assert circuit.overlap(own, circuit.top(graph, turned, 0.3)) < 0.9
    back = circuit.renamed(graph, turned, {-1: (0, 1), 0: (1, 0), 1: (1, 0)})
    assert (back == scores).all()


def test_the_matching_finds_them(network, graph, rng, monkeypatch):
    scores = np.where(graph.edges, rng.normal(size=graph.edges.shape), 0)
    own = circuit.top(graph, scores, 0.3)
    turned = circuit.renamed(graph, scores, {-1: (0, 1), 0: (1, 0), 1: (1, 0)})
    monkeypatch.setattr(circuit.top, "__defaults__", (0.3,))
    found = circuit.matched(graph, own, turned, network.heads, network.layers)
    assert circuit.overlap(own, circuit.top(graph, found)) == 1


def test_halves_of_like_chunks_overlap_and_of_noise_do_not(graph, rng):
    signal = rng.normal(size=graph.edges.shape)
    alike = np.stack([signal] * 10)
    assert circuit.halved(graph, alike)[0] == 1
    other = rng.normal(size=(10, *graph.edges.shape))
    assert circuit.halved(graph, other)[0] < 0.5


def test_curves_of_an_order_and_of_chance(network, graph):
    mazes = held_back(4, 40)
    pairs = targets_moved(mazes, network.tokenizer, np.random.default_rng(0))
    scores = circuit.edge_scores(network, pairs, points=(0.5,))
    group = np.arange(len(pairs))
    found = circuit.curves(network, pairs, {"best": scores}, group)
    assert set(found) == {"best", "random"}
    assert found["best"]["curve"][-1] == pytest.approx(1, abs=1e-3)
    assert found["random"]["curve"][-1] == pytest.approx(1, abs=1e-3)
    value, low, high = found["best"]["CPR"]
    assert low <= value <= high


def test_chunks_are_parts_of_the_pairs(network, monkeypatch):
    monkeypatch.setattr(circuit, "CHUNK", 8)
    mazes = held_back(4, 40)
    pairs = targets_moved(mazes, network.tokenizer, np.random.default_rng(0))
    chunks = circuit.chunk_scores(network, pairs)
    assert len(chunks) == len(pairs) // 8
    if len(pairs) % 8 == 0:
        whole = circuit.edge_scores(network, pairs)
        np.testing.assert_allclose(chunks.mean(0), whole, atol=1e-3)
