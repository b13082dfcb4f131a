"""A changed entry has places of its own; only what goes right both ways counts."""

import numpy as np
import pytest
from samples import held_back

from experiments import attributed, patched
from mazelib.interventions import (
    Network,
    attribute,
    edges_swapped,
    sweep,
    targets_moved,
)
from mazelib.models import zoo


@pytest.fixture(scope="module")
def mazes():
    return held_back(4, 150)


def test_the_changed_entrys_tokens_are_places_of_their_own(network, mazes, rng):
    pairs = edges_swapped(mazes, network.tokenizer, rng)
    places = patched.entry_places(pairs)
    total = sum(mask.astype(int) for mask in places.values())
    assert (total == pairs.inside).all()
    own = places["changed first"] | places["changed second"]
    assert (own | ~pairs.differs).all()
    for name in ("first", "connector", "second", "semicolon"):
        assert (places[f"changed {name}"].sum(1) == 1).all()


def test_only_pairs_that_go_right_both_ways_are_kept(mazes):
    network = Network(zoo.load("memorizer4"))
    pairs = patched.pairs_right(network, mazes, targets_moved, 1000)
    every = targets_moved(mazes, network.tokenizer, np.random.default_rng(0))
    effects = sweep(network, every, {"asked": every.places()["asked"]}, ("stream",))
    both = effects.base.is_corrupted & effects.source.is_clean
    assert 0 < both.sum() < len(every)
    assert pairs.maze.tolist() == every.maze[both].tolist()
    assert len(patched.pairs_right(network, mazes, targets_moved, 1)) == 1


def test_maps_and_shares_have_a_number_a_layer(network, mazes, rng):
    pairs = targets_moved(mazes[:30], network.tokenizer, rng)
    found = patched.facts(network, pairs, pairs.places(), mazes[:30])
    layers = network.layers
    assert len(found["recovery"]["stream"]["target"]) == layers + 1
    assert np.shape(found["recovery"]["heads"]["asked"]) == (layers, network.heads)
    assert found["recovery"]["stream"]["target"][0] == pytest.approx(1, abs=1e-3)
    assert found["noised"]["target"][0] == pytest.approx(1, abs=1e-3)
    assert len(found["turned"]["asked"]) == layers + 1


def test_what_the_targets_token_carries_has_an_interval(network, mazes):
    pairs = targets_moved(mazes, network.tokenizer, np.random.default_rng(0))
    found = patched.carried(network, pairs, pairs.those(np.arange(20)), mazes)
    value, low, high = found["share"]
    assert 0 <= low <= value <= high <= 1
    assert 1 <= found["layer"] <= network.layers


def test_shares_of_attribution_add_up(network, mazes):
    asked, others = (attribute(network, some, "fork") for some in (mazes, mazes[:60]))
    found = attributed.facts(asked, others, np.arange(len(mazes)))
    assert sum(value for value, *_ in found["parts"].values()) == pytest.approx(
        1, abs=0.01
    )
    assert len(found["best"]) == 3
    three = sum(found["parts"][name][0] for name in found["best"])
    assert found["three"][0] == pytest.approx(three, abs=1e-3)
    low, high = found["three"][1:]
    assert low <= found["three"][0] <= high
    heads = sum(v[0] for name, v in found["parts"].items() if "H" in name)
    assert np.sum(found["read off"]) == pytest.approx(heads, abs=0.01)
    parts = [v[0] for name, v in found["parts"].items() if "H" in name or "MLP" in name]
    assert min(parts) * 3 < found["chance"] <= sum(sorted(parts)[-3:]) + 1e-3
