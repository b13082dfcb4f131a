import pytest
import torch

from mazelib.gradients import Gradients, autocast
from mazelib.model import inputs


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
    assert torch.allclose(Gradients(tiny_model).loss(batch), want, rtol=1e-5)


@pytest.mark.parametrize("parts", [2, 3])
def test_parts_give_the_gradient_of_the_whole(tiny_model, batch, parts, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    count = torch.tensor(100.0)
    parameters = list(tiny_model.parameters())
    losses, gradients = [], []
    for n in (1, parts, parts):
        tiny_model.zero_grad()
        losses.append(Gradients(tiny_model, n)(batch, count))
        gradients.append(torch.cat([p.grad.flatten() for p in parameters]))
    assert torch.allclose(losses[0], losses[1], rtol=1e-5)
    assert torch.allclose(gradients[0], gradients[1], atol=1e-6)
    assert torch.equal(gradients[1], gradients[2])


def test_threads_of_parts_leave_the_caller_its_cores(tiny_model, batch):
    before = torch.get_num_threads()
    Gradients(tiny_model, 2)(batch, torch.tensor(1.0))
    assert torch.get_num_threads() == before
