import pytest
import torch

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.models.model import MazeModelConfig
from mazelib.training.lean import LeanLoss
from mazelib.training.losses import PlainLoss


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
