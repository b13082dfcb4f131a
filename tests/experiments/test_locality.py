"""Changes that fall with the distance are told from such as fall with the order."""

import numpy as np
import pytest
from samples import held_back

from experiments import locality
from mazelib.interventions import edges_swapped


@pytest.fixture(scope="module")
def mazes():
    return held_back(4, 60)


@pytest.fixture(scope="module")
def pairs(network, mazes):
    return edges_swapped(mazes, network.tokenizer, np.random.default_rng(0))


@pytest.fixture(scope="module")
def far(network, mazes, pairs):
    place = network.tokenizer.place(4)[:, 0]
    tokens = {int(token): cell for cell, token in enumerate(place)}
    return locality.distances(pairs, mazes, tokens)


def test_the_changed_entry_is_at_no_distance(pairs, far):
    assert (far[np.arange(len(pairs)), pairs.changed_entry] == 0).all()
    assert far.max() > 3


def test_local_changes_are_found_at_equal_distance_in_tokens(pairs, far, rng):
    changed = pairs.changed_entry
    group = np.arange(len(pairs))
    order = np.arange(far.shape[1]) - changed[:, None]
    noise = 0.1 * rng.normal(size=far.shape)
    local, ordered = -far + 3.0 * order + noise, -3.0 * order + noise
    for size, least, most in ((local, -1, -0.7), (ordered, -0.35, 0.35)):
        found = locality.facts(np.stack([size] * 2), far, changed, group)
        value, low, high = found["middle"]
        assert least <= low <= value <= high <= most
        assert found["correlation"] == [value, value]


def test_entries_before_the_change_do_not_change(network, pairs):
    size = locality.sizes(network, pairs)
    changed = pairs.changed_entry
    before = np.arange(size.shape[2]) < changed[:, None]
    assert size.shape == (network.layers, len(pairs), 15)
    assert (size[:, before] == 0).all()
    assert (size[:, ~before] > 0).all()
