import pytest
import torch

from mazelib.errors import MazelibError
from mazelib.models.model import inputs
from mazelib.training.gradients import Gradients
from mazelib.training.lean import LeanLoss
from mazelib.training.losses import PlainLoss, autocast

COUNT = torch.tensor(100.0)


@pytest.fixture
def batch(few, tiny_config):
    return few.encode(tiny_config.tokenizer)


def test_the_loss_is_that_of_the_path_tokens(tiny_model, batch):
    with autocast("cpu"):
        logits = tiny_model(**inputs(batch)).logits.float()
    chances = logits[:, :-1].log_softmax(-1)
    ids = torch.from_numpy(batch.ids).long()[:, 1:, None]
    answer = torch.from_numpy(batch.answer)[:, 1:]
    want = -chances.gather(2, ids)[..., 0][answer].sum()
    assert torch.allclose(PlainLoss(tiny_model)(batch), want, rtol=1e-5)


@pytest.mark.parametrize("piece", [1, 10**9])
def test_parts_give_the_gradient_of_the_whole(tiny_model, batch, piece, monkeypatch):
    """In every process, in pieces too, and after the weights have moved."""
    monkeypatch.setattr("mazelib.training.gradients.PIECE", piece)
    parameters = list(tiny_model.parameters())
    gradients = {parts: Gradients(LeanLoss(tiny_model), parts) for parts in (0, 1, 3)}
    before = torch.get_num_threads()
    for _ in range(2):
        found = {}
        for parts in (0, 1, 3, 3):
            tiny_model.zero_grad()
            loss = gradients[parts](batch, COUNT)
            found.setdefault(parts, []).append(
                torch.cat([loss[None], *(p.grad.flatten() for p in parameters)])
            )
        (whole,), (alone,), (once, again) = found.values()
        assert (whole - alone).norm() < 0.02 * whole.norm()
        assert (whole - once).norm() < 0.02 * whole.norm()
        assert torch.equal(once, again)
        with torch.no_grad():
            for parameter in parameters:
                parameter.add_(torch.randn_like(parameter))
    assert torch.get_num_threads() == before


def test_a_helper_that_is_gone_is_reported(tiny_model, batch):
    gradients = Gradients(LeanLoss(tiny_model), 2)
    gradients(batch, COUNT)
    gradients.helpers.processes[0].kill()
    with pytest.raises(MazelibError, match="a process that helped this one"):
        gradients(batch, COUNT)
