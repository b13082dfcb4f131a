"""Attention over packed questions: who may look at whom, and a lean way to work it out.

    plan = plan_attention(batch.segment, heads=4)
    read = Attend.apply(qkv, turn, plan)   # [token, 3 * width] → [token, width]

A token sees what comes before it in its own question and in the edge list. Of the
square of all pairs of tokens that is a small part: the list with itself, each question
with the list, and a narrow band of each question with itself. `Attend` works out these
three and nothing else, on the tokens that matter alone: those of all sequences follow
each other in one row, without padding and without the last token of each question,
which nothing is predicted from. Its gradient is written out, since most of what torch's
would do is to copy overlapping blocks back.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mazelib.encoding import LIST_SEGMENT, PADDING_SEGMENT

NEVER = -30000.0
"""Added to the score of a pair that may not look: finite, so no row is empty."""


def attention_mask(
    segment: Int[Tensor, "batch pos"],
) -> Float[Tensor, "batch 1 pos pos"]:
    """What to add to attention scores: 0 where a token may look, else very little.

    It may look at itself and what is before it in its own segment and the edge list.
    """
    query, key = segment[:, None, :, None], segment[:, None, None, :]
    pos = segment.shape[1]
    before = torch.ones(pos, pos, dtype=torch.bool, device=segment.device).tril()
    visible = before & ((key == query) | (key == LIST_SEGMENT))
    return (~visible).float() * torch.finfo(torch.float32).min


class Places(NamedTuple):
    """Where rows go to attend to each other, and where they come back from.

    A row is one head's query, key, value or output of one token; rows without padding
    are in the order of tokens. spread: for each place its row, or the number of rows
    where nothing belongs. gather: for each row its place.
    """

    spread: Int[Tensor, "place"]
    gather: Int[Tensor, "row"]


class Plan(NamedTuple):
    """How the tokens of a packed batch attend to each other.

    tokens: those that take part, as indices into the flattened batch; all else is in
    their order. The edge lists are padded to one length, `listed`; the questions of a
    sequence follow each other in `blocks` blocks of `size` tokens, each of which sees
    the list, itself and the block before. What goes in (query, key, value) and what
    comes out have their places. The rest is added to the scores: of the lists with
    themselves, and of the blocks with what they see.
    """

    batch: int
    heads: int
    listed: int
    blocks: int
    size: int
    tokens: Int[Tensor, "token"]
    ins: Places
    outs: Places
    within: Float[Tensor, "batch listed listed"]
    around: Float[Tensor, "batch asked seen"]

    def by_list(self, blocks: Float[Tensor, "blocks size width"]) -> Tensor:
        """Blocks of the same sequence and head as one: [batch * heads, asked, width]"""
        return blocks.view(self.batch * self.heads, -1, blocks.shape[-1])

    def joined(self, far: Tensor, near: Tensor) -> Tensor:
        """What belongs to lists and what to blocks, as one.

        Shapes [batch * heads, asked, listed], [batch * heads * blocks, size, 2 * size]
        and [batch * heads, asked, seen].
        """
        return torch.cat([far, near.view(*far.shape[:2], -1)], -1)

    def parted(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """The two that `joined` has made one."""
        near = seen[..., self.listed :].reshape(-1, self.size, 2 * self.size)
        return seen[..., : self.listed].contiguous(), near

    def split(self, rows: Tensor, kinds: int) -> tuple[Tensor, Tensor]:
        """Rows at their places, as those of lists and those of blocks.

        Shapes [kinds, batch * heads, listed, width] and [kinds, 1 + batch * heads *
        blocks, size, width]; a kind's first block holds nothing.
        """
        end, width = kinds * self.batch * self.heads * self.listed, rows.shape[-1]
        lists = rows[:end].view(kinds, -1, self.listed, width)
        return lists, rows[end:].view(kinds, -1, self.size, width)


def takes_part(segment: Int[np.ndarray, "batch pos"]) -> Bool[np.ndarray, "batch pos"]:
    """All tokens of edge lists, and all but the last of each question."""
    following = np.full_like(segment, PADDING_SEGMENT)
    following[:, :-1] = segment[:, 1:]
    is_inside = (segment > LIST_SEGMENT) & (segment == following)
    return (segment == LIST_SEGMENT) | is_inside


def plan_attention(
    segment: Int[np.ndarray, "batch pos"],
    heads: int,
    by_head: bool = True,
) -> Plan:
    """The plan for a batch of segments (see `mazelib.dataset.Batch`).

    by_head: whether a token's query, key and value are laid out head by head, as in
        GPT-NeoX, or all queries first, as in GPT-2.
    """
    part, is_list = takes_part(segment), segment == LIST_SEGMENT
    number = np.where(part, part.cumsum().reshape(part.shape) - 1, -1)
    listed = int(is_list.sum(1).max())
    listed_number = np.where(is_list, number, -1)[:, :listed]
    is_asked = part & ~is_list
    questions = np.arange(1, segment.max() + 1)
    longest = ((segment * is_asked)[:, :, None] == questions).sum(1).max(initial=0)
    size = max(1, int(longest) - 1)
    blocks = max(1, -(-int(is_asked.sum(1).max()) // size))
    asked_number, owner = np.full((2, len(segment), blocks * size), PADDING_SEGMENT)
    there = np.nonzero(is_asked)[0], (is_asked.cumsum(1) - 1)[is_asked]
    asked_number[there], owner[there] = number[is_asked], segment[is_asked]
    is_empty = torch.from_numpy(listed_number < 0)
    far = is_empty[:, None].expand(-1, blocks * size, -1)
    around = torch.cat([far, ~_near(torch.from_numpy(owner), size)], -1)
    return Plan(
        *(len(segment), heads, listed, blocks, size),
        torch.from_numpy(np.flatnonzero(part)),
        _places(listed_number, asked_number, size, 3, heads, by_head),
        _places(listed_number, asked_number, size, 1, heads, by_head),
        attention_mask(-is_empty.int())[:, 0].clamp(min=NEVER),
        around.float() * NEVER,
    )


def _places(listed, asked, size, kinds, heads, by_head) -> Places:
    """The places of tokens given by number, in lists and in blocks of some size."""
    kind, head = np.arange(kinds)[:, None, None, None], np.arange(heads)[:, None]
    within = head * kinds + kind if by_head else kind * heads + head
    none = kinds * heads * (1 + max(listed.max(), asked.max(initial=0)))

    def rows(number):
        number = number[:, None]
        found = np.where(number < 0, none, number * kinds * heads + within)
        return found.reshape(kinds, -1)

    blocks = np.pad(rows(asked), ((0, 0), (size, 0)), constant_values=none)
    spread = np.concatenate([rows(listed).ravel(), blocks.ravel()])
    gather = np.empty(none + 1, np.int64)
    gather[spread] = np.arange(len(spread))
    return Places(torch.from_numpy(spread), torch.from_numpy(gather[:-1]))


def _near(owner: Int[Tensor, "batch asked"], size: int):
    """Which tokens of the block before and of their own the tokens of a block see."""
    own = owner.unflatten(1, (-1, size))
    before = torch.full_like(own, PADDING_SEGMENT)
    before[:, 1:] = own[:, :-1]
    order = torch.ones(size, 2 * size, dtype=torch.bool).tril(size)
    seen = (torch.cat([before, own], -1)[:, :, None] == own[..., None]) & order
    return seen.flatten(1, 2)


class Attend(torch.autograd.Function):
    """Softmax attention by a `Plan`: `Attend.apply(qkv, turn, plan)`.

    qkv [token, 3 * width] holds each token's query, key and value. turn, if given, is
    the rotary position: what qkv and qkv with the halves of each head swapped are
    multiplied with. The result is [token, width].
    """

    @staticmethod
    def forward(ctx, qkv, turn, plan):
        """What each token reads."""
        width = qkv.shape[1] // (3 * plan.heads)
        rows = qkv.new_zeros(plan.heads * 3 * len(qkv) + 1, width)
        if turn is not None:
            qkv = torch.addcmul(qkv * turn[0], _swapped(qkv, width), turn[1])
        rows[:-1] = qkv.view(-1, width)
        lists, blocks = plan.split(rows.index_select(0, plan.ins.spread), 3)
        for queries in (lists[0], blocks[0]):
            queries *= width**-0.5
        out = qkv.new_empty(len(plan.outs.spread), width)
        by_lists, by_blocks = (x[0] for x in plan.split(out, 1))
        query, key, value = lists
        first = _softmax(torch.bmm(query, key.mT), plan.within)
        torch.bmm(first, value, out=by_lists)
        query, near_key, near_value = blocks[0, 1:], *map(_windows, blocks[1:])
        far = torch.bmm(plan.by_list(query), key.mT)
        near = torch.bmm(query, near_key.mT)
        rest = _softmax(plan.joined(far, near), plan.around)
        far, near = plan.parted(rest)
        torch.bmm(far, value, out=plan.by_list(by_blocks[1:]))
        by_blocks[1:].baddbmm_(near, near_value)
        ctx.plan = plan
        ctx.save_for_backward(lists, blocks, first, rest, turn)
        return out.index_select(0, plan.outs.gather).view(len(qkv), -1)

    @staticmethod
    def backward(ctx, grad):
        """The gradient of qkv."""
        plan, (lists, blocks, first, rest, turn) = ctx.plan, ctx.saved_tensors
        width = lists.shape[-1]
        rows = torch.cat([grad.reshape(-1, width), grad.new_zeros(1, width)])
        of_lists, of_blocks = plan.split(rows.index_select(0, plan.outs.spread), 1)
        of_lists, of_blocks = of_lists[0], of_blocks[0, 1:]
        found = rows.new_empty(len(plan.ins.spread), width)
        to_lists, to_blocks = plan.split(found, 3)
        query, key, value = lists
        scores = _softmax_gradient(torch.bmm(of_lists, value.mT), first)
        torch.bmm(scores, key, out=to_lists[0])
        torch.bmm(scores.mT, query, out=to_lists[1])
        torch.bmm(first.mT, of_lists, out=to_lists[2])
        query, near_key, near_value = blocks[0, 1:], *map(_windows, blocks[1:])
        far, near = plan.parted(rest)
        to_lists[2].baddbmm_(far.mT, plan.by_list(of_blocks))
        _fold(torch.bmm(near.mT, of_blocks), to_blocks[2])
        far = torch.bmm(plan.by_list(of_blocks), value.mT)
        near = torch.bmm(of_blocks, near_value.mT)
        far, near = plan.parted(_softmax_gradient(plan.joined(far, near), rest))
        to_lists[1].baddbmm_(far.mT, plan.by_list(query))
        _fold(torch.bmm(near.mT, query), to_blocks[1])
        torch.bmm(far, key, out=plan.by_list(to_blocks[0, 1:]))
        to_blocks[0, 1:].baddbmm_(near, near_key)
        for queries in (to_lists[0], to_blocks[0, 1:]):
            queries *= width**-0.5
        rows = found.index_select(0, plan.ins.gather).view(len(grad), -1)
        if turn is not None:
            rows = (rows * turn[0]).add_(_swapped(rows * turn[1], width))
        return rows, None, None


def _swapped(qkv: Float[Tensor, "token columns"], width: int) -> Tensor:
    """With the two halves of each head's vector in each other's place."""
    halves = torch.arange(2 * qkv.numel() // width) ^ 1
    return qkv.view(-1, width // 2).index_select(0, halves).view_as(qkv)


def _windows(blocks: Float[Tensor, "blocks size width"]) -> Tensor:
    """Each block but the first with the one before, as a view."""
    count, size, width = blocks.shape
    return blocks.as_strided((count - 1, 2 * size, width), (size * width, width, 1))


def _fold(windows: Float[Tensor, "windows two_sizes width"], blocks) -> None:
    """Write to the blocks the sum of what windows hold of each."""
    size = blocks.shape[1]
    blocks[0] = 0
    blocks[1:] = windows[:, size:]
    blocks[:-1] += windows[:, :size]


def _softmax(scores: Float[Tensor, "list_heads query key"], hidden) -> Tensor:
    """Softmax in float32 of scores and what hides some of them."""
    whole = scores.float()
    whole.unflatten(0, (len(hidden), -1)).add_(hidden[:, None])
    return torch._softmax(whole, -1, False).to(scores.dtype)


def _softmax_gradient(gradient, weights) -> Tensor:
    return torch._softmax_backward_data(gradient, weights, -1, weights.dtype)
