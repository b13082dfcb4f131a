"""The account's edges alone are cut; a cut circuit that is not used loses nothing."""

import numpy as np
import pytest
from samples import held_back

from experiments import arrows
from mazelib.internals.attention import head_scores
from mazelib.internals.lens import open_lens
from mazelib.interventions import Graph, circuit_effects, targets_moved
from mazelib.models import zoo


@pytest.fixture
def graph(network):
    return Graph.of(network)


def test_what_is_cut_is_from_senders_to_keys_or_values(graph):
    left = arrows.cut(graph, [(0, 1)], [(1, 0), (1, 1)], "k")
    gone = np.argwhere(graph.edges & ~left)
    assert [(graph.writers[w], graph.readers[r]) for w, r in gone] == [
        (("head", 0, 1), ("k", 1, 0)),
        (("head", 0, 1), ("k", 1, 1)),
    ]
    assert not (left & ~graph.edges).any()


def test_others_are_as_many_edges_of_the_same_layers(graph):
    roles = {"finding": [(1, 0)], "naming": [(0, 0)], "telling": [(0, 1)]}
    found = arrows.circuits_of(graph, roles, heads=2)
    count = {key: int((graph.edges & ~left).sum()) for key, left in found.items()}
    assert count == {
        "keys": 1,
        ("all", "keys"): 2,
        ("others", "keys", 0): 1,
        "values": 1,
        ("all", "values"): 2,
        ("others", "values", 0): 1,
        ("by MLPs", "from naming"): 2,
        ("by MLPs", "from telling"): 2,
        ("by MLPs", "to keys"): 1,
        ("by MLPs", "to values"): 1,
        "both": 2,
    }
    assert (found["others", "keys", 0] != found["keys"]).any()


def test_a_head_that_writes_nothing_loses_nothing(network, graph):
    pairs = targets_moved(held_back(3, 40), network.tokenizer, np.random.default_rng(0))
    every = [w[1:] for w in graph.writers if w[0] == "head"]
    circuits = {
        "all": graph.edges,
        "none": arrows.cut(graph, [], every, "v"),
        "cut": arrows.cut(graph, every, every, "v"),
    }
    effects = circuit_effects(network, pairs, circuits)
    assert effects.recovery("all") == pytest.approx(1, abs=1e-5)
    assert effects.recovery("none") == pytest.approx(1, abs=1e-5)
    assert effects.recovery("cut") != pytest.approx(1, abs=1e-3)


def test_heads_are_those_that_look_so():
    scores = head_scores(open_lens(zoo.load("memorizer4")), held_back(4, 40))
    roles = arrows.roles_of_heads(scores)
    for layer, head in roles["finding"]:
        assert scores.entries.mean(0)[layer, head] >= arrows.QUARTER
    for layer, head in roles["naming"]:
        assert scores.semicolon_to_first.mean(0)[layer, head] >= arrows.HALF
        assert layer < max(layer for layer, _ in roles["finding"])
