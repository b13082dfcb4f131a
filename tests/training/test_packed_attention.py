import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from samples import maze_sets

from mazelib.models.mask import attention_mask
from mazelib.tokens.tokenizer import Tokenizer
from mazelib.training.packed_attention import MULTIPLE, Attend, plan_attention

HEADS, WIDTH = 3, 4
A_BATCH = st.one_of(maze_sets(questions=k) for k in (1, 2, 5))


@pytest.fixture(autouse=True)
def memory_that_shows():
    """What is read before it is written is no number."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def draw(mazes, seed: int):
    """Segments, the plan, and random queries, keys and values of its tokens."""
    segment = mazes.encode(Tokenizer("ut", mazes.n)).segment
    plan = plan_attention(segment, HEADS)
    generator = torch.Generator().manual_seed(seed)
    size = (len(plan.tokens), HEADS * 3 * WIDTH)
    return segment, plan, torch.randn(size, generator=generator, requires_grad=True)


def by_the_mask(qkv, segment, plan):
    """The same attention over the square of all pairs of tokens."""
    segment = torch.from_numpy(segment)
    whole = torch.zeros(segment.numel(), qkv.shape[1])
    whole = whole.index_put((plan.tokens,), qkv).view(*segment.shape, HEADS, 3, WIDTH)
    query, key, value = whole.permute(3, 0, 2, 1, 4)
    scores = query @ key.mT * WIDTH**-0.5 + attention_mask(segment)
    return (
        (scores.softmax(-1) @ value)
        .transpose(1, 2)
        .reshape(-1, HEADS * WIDTH)[plan.tokens]
    )


@given(mazes=A_BATCH, seed=st.integers(0, 2**32))
def test_attention_by_a_plan_is_the_masked_one_and_so_is_its_gradient(mazes, seed):
    segment, plan, qkv = draw(mazes, seed)
    lean, masked = Attend.apply(qkv, None, plan), by_the_mask(qkv, segment, plan)
    real = (plan.tokens != segment.size - 1)[:, None]
    assert torch.allclose(lean, masked * real, atol=1e-5)
    towards = torch.randn_like(lean)
    sides = (lean, towards), (masked, towards * real)
    gradients = [torch.autograd.grad(x, qkv, to)[0] for x, to in sides]
    assert torch.allclose(*gradients, atol=1e-4)


@given(mazes=A_BATCH)
def test_all_take_part_but_padding_and_the_last_token_of_each_question(mazes):
    segment, plan, _ = draw(mazes, 0)
    part = torch.zeros(segment.size, dtype=torch.bool)
    part[plan.tokens] = True
    part[-1] = False  # it fills up their number
    assert len(plan.tokens) % MULTIPLE == 0
    for numbers, taken in zip(segment, part.view(segment.shape).numpy(), strict=True):
        assert taken[numbers == 0].all()
        assert not taken[numbers < 0].any()
        for question in range(1, numbers.max() + 1):
            assert taken[numbers == question].tolist()[-2:] == [True, False]


def test_queries_first_or_head_by_head(few):
    """GPT-2 and GPT-NeoX lay a token's queries, keys and values out in two ways."""
    segment, plan, qkv = draw(few[:3], 0)
    kinds_first = qkv.unflatten(1, (HEADS, 3, WIDTH)).transpose(1, 2).flatten(1)
    other = plan_attention(segment, HEADS, by_head=False)
    same = Attend.apply(kinds_first, None, other)
    assert torch.equal(same, Attend.apply(qkv, None, plan))


@pytest.mark.parametrize("scale", [3.0, 10.0, 30.0])
def test_large_scores_are_no_exception(few, scale):
    """Those of trained heads reach 170; these reach some thousands."""
    segment, plan, qkv = draw(few[:3], 0)
    lean = Attend.apply(qkv * scale, None, plan)
    masked = by_the_mask(qkv * scale, segment, plan)
    masked = masked * (plan.tokens != segment.size - 1)[:, None]
    assert torch.allclose(lean, masked, rtol=1e-3, atol=1e-3)
    gradients = [torch.autograd.grad(x.square().sum(), qkv)[0] for x in (lean, masked)]
    assert (gradients[0] - gradients[1]).norm() < 1e-3 * gradients[1].norm()
