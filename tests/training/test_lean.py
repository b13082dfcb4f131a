import numpy as np
import pytest
import torch

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.mazes.generators import MazeConfig
from mazelib.models.model import MYOPIC, MazeModelConfig
from mazelib.training.dense import DenseLoss
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


def gradient(loss, batch):
    found = torch.autograd.grad(loss(batch), list(loss.parameters()))
    return torch.cat([g.flatten() for g in found])


def at_embeddings(loss, batch):
    """The size of the gradient at each token, where it enters the first block."""
    kept = []
    embeddings = loss.model.get_input_embeddings()
    hook = embeddings.register_forward_hook(lambda *given: kept.append(given[-1]))
    value = loss(batch)
    hook.remove()
    [entered] = kept
    [found] = torch.autograd.grad(value, [entered])
    return found.norm(dim=-1).numpy()


@pytest.mark.parametrize("kind", MYOPIC)
@pytest.mark.parametrize("questions", [1, 3])
def test_a_myopic_loss_is_the_same_by_another_gradient(model, kind, questions, float32):
    """The one worked out for packed tokens is that of attention with keys and values
    of others that have none."""
    stream = StreamConfig(MazeConfig("dfs", 4), questions=questions)
    batch = MazeStream(stream).take(0, 6).encode(MazeModelConfig(side=4).tokenizer)
    lean, dense = LeanLoss(model, kind), DenseLoss(model, kind, compiled=None)
    plain = PlainLoss(model)
    assert torch.allclose(lean(batch), plain(batch), rtol=1e-5)
    assert torch.allclose(dense(batch), plain(batch), rtol=1e-5)
    found, want, far = (gradient(loss, batch) for loss in (lean, dense, plain))
    assert (found - want).norm() < 1e-5 * want.norm()
    assert (found - far).norm() > 0.01 * far.norm()


def test_no_token_learns_to_help_a_later_one(model, few, float32):
    """The loss of one token of the path reaches the token before it, no other."""
    batch = few[:1].encode(MazeModelConfig(side=4).tokenizer)
    places = np.flatnonzero(batch.answer[0])
    for place in places[1:3]:
        only = batch._replace(answer=np.arange(batch.ids.shape[1])[None] == place)
        reached = at_embeddings(DenseLoss(model, "myopic", None), only)[0]
        assert np.flatnonzero(reached).tolist() == [place - 1]
        assert (at_embeddings(DenseLoss(model, "path", None), only)[0] > 0).sum() > 9


def test_the_prompt_alone_learns_to_help_where_the_path_is_myopic(model, few, float32):
    batch = few.encode(MazeModelConfig(side=4).tokenizer)
    is_last = np.roll(batch.segment, -1, 1) != batch.segment  # of a question: asked
    prompt = (batch.segment >= 0) & ~batch.answer & ~is_last
    before = prompt & ~np.roll(batch.answer, -1, 1)  # <PATH_START> answers itself
    reached = {
        kind: at_embeddings(DenseLoss(model, kind, None), batch)[:, : before.shape[1]]
        for kind in MYOPIC
    }
    assert not reached["myopic"][before].any()
    assert reached["myopic-path"][before].all()


@pytest.mark.parametrize("kind", MYOPIC)
def test_the_models_own_forward_is_not_myopic(model, kind):
    with pytest.raises(MazelibError, match=f"loss is '{kind}': take LeanLoss"):
        PlainLoss(model, kind)
