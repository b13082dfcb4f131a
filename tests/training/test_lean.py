import pytest
import torch

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.models.model import MazeModelConfig, build
from mazelib.training.gradients import PlainLoss
from mazelib.training.lean import LeanLoss


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


def losses_and_gradients(model, batch, kind):
    for loss in (PlainLoss(model, kind), LeanLoss(model, kind)):
        value = loss(batch)
        found = torch.autograd.grad(value, list(model.parameters()))
        yield value.detach(), torch.cat([g.flatten() for g in found])


@pytest.mark.parametrize("kind", ["path", "sequence"])
@pytest.mark.parametrize(
    ("generator", "questions"), [("dfs", 3), ("dfs", 1), ("percolation", 4)]
)
def test_it_is_the_loss_of_the_models_own_forward(
    model, generator, questions, kind, float32
):
    p = 0.5 if generator == "percolation" else None
    stream = StreamConfig(MazeConfig(generator, 4, p=p), questions=questions)
    batch = MazeStream(stream).take(0, 6).encode(MazeModelConfig(side=4).tokenizer)
    (plain, want), (lean, found) = losses_and_gradients(model, batch, kind)
    assert torch.allclose(plain, lean, rtol=1e-5)
    assert (want - found).norm() < 1e-5 * want.norm()


def test_in_bfloat16_it_is_as_close_as_autocast(model, few):
    batch = few.encode(MazeModelConfig(side=4).tokenizer)
    (plain, want), (lean, found) = losses_and_gradients(model, batch, "path")
    assert torch.allclose(plain, lean, rtol=0.02)
    assert (want - found).norm() < 0.1 * want.norm()
