"""A random network, taken apart, for experiments on what is inside one."""

import pytest
from samples import large

from mazelib.interventions import Network
from mazelib.models.checkpoint import TrainedModel


@pytest.fixture(scope="module")
def network(tiny_config):
    model = large(tiny_config, 3, times=6).eval()
    return Network(TrainedModel(model, tiny_config.tokenizer, {}))
