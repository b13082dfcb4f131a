import copy
from dataclasses import replace

import pytest
import torch

from mazelib.models.model import build
from mazelib.training.muon import (
    StackedMuon,
    hidden_matrices,
    make_optimizers,
    orthogonalize,
)


def test_stacked_muon_steps_as_torch_does():
    torch.manual_seed(0)
    shapes = [(8, 8), (24, 8), (8, 8), (8, 32), (24, 8), (8, 8)]
    mine = [torch.nn.Parameter(torch.randn(s)) for s in shapes]
    theirs = copy.deepcopy(mine)
    stacked = StackedMuon(mine, lr=0.05)
    plain = torch.optim.Muon(theirs, lr=0.05, momentum=0.95, weight_decay=0.0)
    for _ in range(5):
        for a, b in zip(mine, theirs, strict=True):
            a.grad = torch.randn(a.shape)
            b.grad = a.grad.clone()
        stacked.step()
        plain.step()
    for a, b in zip(mine, theirs, strict=True):
        # both multiply in bfloat16; batched products may round otherwise
        assert torch.allclose(a, b, atol=0.05 * 5 * 0.02)


def test_orthogonalize_brings_singular_values_near_one():
    torch.manual_seed(0)
    for shape in [(3, 16, 16), (2, 8, 32), (2, 32, 8)]:
        values = torch.linalg.svdvals(orthogonalize(torch.randn(shape)).float())
        assert values.min() > 0.3
        assert values.max() < 1.3


@pytest.mark.parametrize("muon_lr", [0.0, 0.02])
@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_every_parameter_has_one_optimizer(tiny_config, positions, muon_lr):
    model = build(replace(tiny_config, positions=positions), 0)
    groups = [
        {id(p) for group in o.param_groups for p in group["params"]}
        for o in make_optimizers(model, muon_lr, 0.003)
    ]
    assert len(groups) == (2 if muon_lr else 1)
    assert sum(map(len, groups)) == len(list(model.parameters()))
    assert set().union(*groups) == {id(p) for p in model.parameters()}
    assert len(hidden_matrices(model)) == 4 * tiny_config.layers


def test_parameters_without_gradient_stay():
    a, b = (torch.nn.Parameter(torch.ones(4, 4)) for _ in range(2))
    a.grad = torch.randn(4, 4)
    StackedMuon([a, b], lr=0.1).step()
    assert torch.equal(b, torch.ones(4, 4))
    assert not torch.equal(a, torch.ones(4, 4))
