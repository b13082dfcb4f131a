"""All of the stream turns what a full patch turns; subspaces are scored on others."""

import numpy as np
import pytest
import torch
from samples import held_back

from experiments import aligned
from experiments.patched import pairs_right
from mazelib.interventions import Network, sweep, targets_moved
from mazelib.models import zoo


@pytest.fixture(scope="module")
def trained():
    return Network(zoo.load("memorizer4"))


@pytest.fixture(scope="module")
def pairs(trained):
    return pairs_right(trained, held_back(4, 300), targets_moved, 96)


def test_tokens_are_asked_after_some_of_the_layers():
    assert list(aligned.spots(8)) == [("target", 1), ("target_end", 4), ("asked", 7)]


def test_the_whole_stream_is_a_full_patch(trained, pairs):
    every, places = torch.eye(trained.width), pairs.places()
    swept = sweep(trained, pairs, places, ("stream",))
    for token, layer in aligned.spots(trained.layers):
        found = aligned.taken(trained, pairs, token, layer, every)
        patched = swept.patched["stream", token].is_clean[layer]
        assert (found == patched).mean() > 0.98


def test_a_row_has_each_size_beside_its_controls(trained, pairs, monkeypatch):
    monkeypatch.setattr(aligned, "RANKS", (1, 8))
    untrained = Network(zoo.untrained("memorizer4"))
    parts = pairs.those(np.arange(64)), pairs.those(np.arange(64, len(pairs)))
    group, spot = np.arange(len(parts[1])), ("target", 1)
    one, eight = aligned.by_rank(trained, untrained, parts, spot, group)
    assert one["rank"] == 1
    assert one["fitted"][0] < eight["fitted"][0]
    assert eight["fitted"][0] > max(eight["random"], eight["untrained"]) + 0.1
