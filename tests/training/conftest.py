"""Networks and numbers that the losses are compared in."""

import pytest
import torch

from mazelib.models.model import MazeModelConfig, build


@pytest.fixture(params=["rotary", "learned"])
def model(request):
    """A network in which every part matters to every token."""
    config = MazeModelConfig(
        side=4, layers=3, width=16, heads=2, positions=request.param
    )
    network = build(config, 3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network


@pytest.fixture
def float32(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
