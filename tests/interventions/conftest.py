"""A random network of either kind of positions, and small trees to ask it of."""

from dataclasses import replace

import pytest
from samples import held_back, large

from mazelib.interventions.network import Network
from mazelib.interventions.pairs import targets_moved
from mazelib.interventions.passages import edges_swapped
from mazelib.models.checkpoint import TrainedModel


@pytest.fixture(params=["rotary", "learned"])
def trained(request, tiny_config):
    config = replace(tiny_config, positions=request.param, layers=3)
    return TrainedModel(large(config, 2, times=6).eval(), config.tokenizer, {})


@pytest.fixture
def network(trained):
    return Network(trained)


@pytest.fixture
def trees():
    return held_back(4, 24)


@pytest.fixture(params=[targets_moved, edges_swapped])
def pairs(request, trees, trained, rng):
    return request.param(trees, trained.tokenizer, rng)
