import pytest
import torch
from conftest import maze_sets
from hypothesis import given
from hypothesis import strategies as st

from mazelib.attention import attend
from mazelib.model import MazeModelConfig, build, inputs, packed_inputs


@pytest.fixture(scope="module", params=["rotary", "learned"])
def models(request):
    """The same network with transformers' attention, and with the lean one."""
    config = MazeModelConfig(
        side=6, layers=2, width=16, heads=2, max_positions=512, positions=request.param
    )
    plain, lean = build(config, 3), build(config, 3)
    lean.set_attn_implementation("lean")
    return config, plain, lean


@given(mazes=st.one_of(maze_sets(questions=k) for k in (1, 2, 5)))
def test_packed_attention_is_the_masked_one(models, mazes):
    config, plain, lean = models
    batch = mazes.encode(config.tokenizer)
    real = torch.from_numpy(batch.segment >= 0)
    with torch.no_grad():
        a = plain(**inputs(batch)).logits[real]
        b = lean(**packed_inputs(batch)).logits[real]
        c = lean(**inputs(batch)).logits[real]
    assert torch.allclose(a, b, atol=1e-5)
    assert torch.allclose(a, c, atol=1e-5)


def test_packed_gradients_are_the_masked_ones(models, few):
    config, plain, lean = models
    batch = few.encode(config.tokenizer)
    real = torch.from_numpy(batch.segment >= 0)
    gradients = []
    for model, arguments in ((plain, inputs(batch)), (lean, packed_inputs(batch))):
        model.zero_grad()
        model(**arguments).logits[real].logsumexp(-1).sum().backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    assert gradients[1].isfinite().all()
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-4)


def test_later_tokens_see_all_kept_keys():
    """Without a mask, queries are the last of the keys, as where keys are kept."""
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 3, 7, 4) for _ in range(3))
    whole, _ = attend(None, query, key, value, None, 0.5)
    last, _ = attend(None, query[:, :, -2:], key, value, None, 0.5)
    assert torch.allclose(whole[:, -2:], last, atol=1e-6)
