import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from mazelib.errors import MazelibError
from mazelib.training.packed_softmax import softmax_, softmax_gradient_

HEADS = 2
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])


def drawn(lists, queries, far, near, seed, scale=3.0):
    """Scores at both places, gradients of weights, the ends, and what they let see."""
    rng = np.random.default_rng(seed)
    shape = (lists * HEADS, queries)
    pairs = [
        [
            torch.from_numpy(rng.normal(0, s, (*shape, keys))).float()
            for keys in (far, near)
        ]
        for s in (scale, 1)
    ]
    end = rng.integers(0, far + 1, (lists, queries))
    start, stop = np.sort(rng.integers(0, near + 1, (2, lists, queries)), 0)
    at_far, at_near = np.arange(far), np.arange(near)
    is_near = (at_near >= start[..., None]) & (at_near < stop[..., None])
    is_seen = np.concatenate([at_far < end[..., None], is_near], -1)
    seen = torch.from_numpy(is_seen).repeat_interleave(HEADS, 0)
    return *pairs, np.stack([end, start, stop], -1).astype(np.uint64), seen


def by_torch(scores, seen):
    """Softmax over what is seen, 0 elsewhere and where nothing is."""
    return scores.masked_fill(~seen, -torch.inf).softmax(-1).nan_to_num()


SIZES = st.tuples(*(st.integers(1, 6) for _ in range(2)), *[st.integers(0, 40)] * 2)


@given(sizes=SIZES, seed=st.integers(0, 2**32), scale=st.sampled_from([0.1, 3, 300]))
def test_it_is_torchs_over_what_is_seen_and_so_is_its_gradient(sizes, seed, scale):
    scores, towards, ends, seen = drawn(*sizes, seed, scale)
    before = torch.cat(scores, -1).requires_grad_()
    right = by_torch(before, seen)
    softmax_(*scores, ends)
    weights = torch.cat(scores, -1)
    assert torch.allclose(weights, right, rtol=1e-5, atol=1e-7)
    assert not weights[~seen].any()
    [gradient] = torch.autograd.grad(right, before, torch.cat(towards, -1))
    softmax_gradient_(*towards, *scores, ends)
    assert torch.allclose(torch.cat(towards, -1), gradient, rtol=1e-4, atol=1e-5)


def test_in_bfloat16_it_is_the_same_rounded_to_the_nearest():
    scores, towards, ends, _ = drawn(3, 5, 70, 30, seed=0)
    scores, towards = ([x.bfloat16() for x in pair] for pair in (scores, towards))
    exact = [x.float() for x in scores]
    softmax_(*scores, ends)
    softmax_(*exact, ends)
    for mine, right in zip(scores, exact, strict=True):
        assert torch.equal(mine, right.bfloat16())
    exact, gradient = ([x.float() for x in pair] for pair in (scores, towards))
    softmax_gradient_(*towards, *scores, ends)
    softmax_gradient_(*gradient, *exact, ends)
    for mine, right in zip(towards, gradient, strict=True):
        assert torch.equal(mine, right.bfloat16())


@DTYPES
@pytest.mark.parametrize("wrong", [torch.nan, -torch.nan, torch.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_what_is_no_number_is_not_hidden(dtype, wrong, place):
    """A run that has gone wrong has to show it."""
    scores, towards, ends, _ = drawn(1, 4, 20, 9, seed=1)
    scores, towards = ([x.to(dtype) for x in pair] for pair in (scores, towards))
    ends[:] = 20, 0, 9
    weights = [x.clone() for x in scores]
    scores[place][0, 2, 7] = towards[place][0, 2, 7] = wrong
    softmax_(*scores, ends)
    softmax_(*weights, ends)
    softmax_gradient_(*towards, *weights, ends)
    for found in (scores, towards):
        row = torch.cat(found, -1)[0]
        assert row[2].isnan().any()
        assert not row[[0, 1, 3]].isnan().any()


def test_another_dtype_is_refused():
    scores, _, ends, _ = drawn(1, 1, 4, 4, seed=0)
    with pytest.raises(MazelibError, match=r"scores are torch\.float16"):
        softmax_(*(x.half() for x in scores), ends)


def test_a_row_that_sees_nothing_is_0_and_ends_are_left_as_they_are():
    (far, near), _, ends, _ = drawn(2, 3, 8, 8, seed=2)
    ends[1, 1] = 0
    before = ends.copy()
    softmax_(far, near, ends)
    assert_array_equal(ends, before)
    for head in range(HEADS, 2 * HEADS):
        assert not far[head, 1].any()
        assert not near[head, 1].any()
