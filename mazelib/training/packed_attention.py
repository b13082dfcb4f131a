"""Attention over packed questions: who may look at whom, and a lean way to work it out.

    plan = plan_attention(batch.segment, heads=4)
    read = Attend.apply(qkv, turn, plan)   # [token, 3 * width] → [token, width]

A token sees what comes before it in its own question and in the edge list. Of the
square of all pairs of tokens that is a small part: the list with itself, each question
with the list, and a narrow band of each question with itself. `Attend` works out these
three and nothing else, on the tokens that matter alone: those of all sequences follow
each other in one row, padded at its end alone, without the last token of each question,
which nothing is predicted from. Its gradient is written out, since most of what torch's
would do is to copy overlapping blocks back.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt64
from torch import Tensor

from mazelib.tokens.encoding import LIST_SEGMENT, PADDING_SEGMENT
from mazelib.training.packed_softmax import softmax_, softmax_gradient_

MULTIPLE = 128
"""Numbers of tokens are rounded up to a multiple of this: the library that multiplies
bfloat16 compiles code for each shape that it has not met, which takes milliseconds."""


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

    tokens: those that take part, as indices into the flattened batch, and then its last
    position, again and again up to a multiple of `MULTIPLE`; these read 0 and get no
    gradient. All else is in the order of the tokens. The edge lists are padded to one
    length, `listed`; the questions of a sequence follow each other in `blocks` blocks
    of `size` tokens, each of which sees the list, itself and the block before. ins,
    outs: the places of query, key and value, and of what is read. within, around: what
    the tokens of lists and of blocks see, the `ends` of
    `mazelib.training.packed_softmax.softmax_`. alone: for each of the tokens, whether
    its key and value learn from what it reads of itself alone; None if none does.
    """

    batch: int
    heads: int
    listed: int
    blocks: int
    size: int
    tokens: Int[Tensor, "token"]
    ins: Places
    outs: Places
    within: UInt64[np.ndarray, "batch listed 3"]
    around: UInt64[np.ndarray, "batch asked 3"]
    alone: Bool[Tensor, "token"] | None

    def by_list(self, blocks: Float[Tensor, "blocks size width"]) -> Tensor:
        """Blocks of the same sequence and head as one: [batch * heads, asked, width]"""
        return blocks.view(self.batch * self.heads, -1, blocks.shape[-1])

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
    alone: Bool[np.ndarray, "batch pos"] | None = None,
) -> Plan:
    """The plan for a batch of segments (see `mazelib.dataset.stream.Batch`).

    by_head: whether a token's query, key and value are laid out head by head, as in
        GPT-NeoX, or all queries first, as in GPT-2.
    alone: the tokens that no later token's gradient reaches, if there are such.
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
    tokens = rounded_up(np.flatnonzero(part), segment.size - 1)
    numbers = listed_number, asked_number, len(tokens), size
    return Plan(
        *(len(segment), heads, listed, blocks, size),
        torch.from_numpy(tokens),
        _places(*numbers, 3, heads, by_head),
        _places(*numbers, 1, heads, by_head),
        _within(listed_number >= 0),
        _around(owner, size, is_list.sum(1)),
        None if alone is None else torch.from_numpy(alone.ravel()[tokens]),
    )


def rounded_up(indices: Int[np.ndarray, "some"], filler: int):
    """Indices and as many fillers that their number is a multiple of `MULTIPLE`."""
    return np.pad(indices, (0, -len(indices) % MULTIPLE), constant_values=filler)


def _places(listed, asked, count, size, kinds, heads, by_head) -> Places:
    """The places of tokens given by number, in lists and in blocks of some size.

    count: of the tokens. Those with no place come from the first block's first, which
    holds nothing.
    """
    kind, head = np.arange(kinds)[:, None, None, None], np.arange(heads)[:, None]
    within = head * kinds + kind if by_head else kind * heads + head
    none = kinds * heads * count

    def rows(number):
        number = number[:, None]
        found = np.where(number < 0, none, number * kinds * heads + within)
        return found.reshape(kinds, -1)

    lists = rows(listed).ravel()
    blocks = np.pad(rows(asked), ((0, 0), (size, 0)), constant_values=none)
    spread = np.concatenate([lists, blocks.ravel()])
    gather = np.full(none + 1, len(lists))
    gather[spread] = np.arange(len(spread))
    return Places(torch.from_numpy(spread), torch.from_numpy(gather[:-1]))


def _within(is_listed: Bool[np.ndarray, "batch listed"]):
    """The ends of what each token of a list sees: the list up to itself."""
    ends = np.zeros((*is_listed.shape, 3), np.uint64)
    ends[..., 0] = is_listed.cumsum(1) * is_listed
    return ends


def _around(owner: Int[np.ndarray, "batch asked"], size: int, listed):
    """The ends of what each token of the blocks sees: the list, its question so far."""
    at = np.arange(owner.shape[1])
    is_first = np.diff(owner, axis=1, prepend=PADDING_SEGMENT) != 0
    first = np.maximum.accumulate(np.where(is_first, at, 0), 1)
    before = (at // size - 1) * size  # where the block before begins
    parts = np.broadcast_arrays(listed[:, None], first - before, at + 1 - before)
    ends = np.where(owner[..., None] == PADDING_SEGMENT, 0, np.stack(parts, -1))
    return ends.astype(np.uint64)


class Attend(torch.autograd.Function):
    """Softmax attention by a `Plan`: `Attend.apply(qkv, turn, plan)`.

    qkv [token, 3 * width] holds each token's query, key and value. turn, if given, is
    the rotary position: what qkv and qkv with the halves of each head swapped are
    multiplied with. The result is [token, width], 0 for what fills up the tokens.
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
        first = torch.bmm(query, key.mT)
        softmax_(first, first[..., :0], plan.within)
        torch.bmm(first, value, out=by_lists)
        query, near_key, near_value = blocks[0, 1:], *map(_windows, blocks[1:])
        far = torch.bmm(plan.by_list(query), key.mT)
        near = torch.bmm(query, near_key.mT)
        softmax_(far, near, plan.around)
        by_blocks[0] = 0
        torch.bmm(far, value, out=plan.by_list(by_blocks[1:]))
        by_blocks[1:].baddbmm_(near, near_value)
        ctx.plan = plan
        ctx.save_for_backward(lists, blocks, first, far, near, turn)
        return out.index_select(0, plan.outs.gather).view(len(qkv), -1)

    @staticmethod
    def backward(ctx, grad):
        """The gradient of qkv."""
        plan, (lists, blocks, *seen, turn) = ctx.plan, ctx.saved_tensors
        first, far, near = seen
        width = lists.shape[-1]
        rows = torch.cat([grad.reshape(-1, width), grad.new_zeros(1, width)])
        of_lists, of_blocks = plan.split(rows.index_select(0, plan.outs.spread), 1)
        of_lists, of_blocks = of_lists[0], of_blocks[0, 1:]
        found = rows.new_empty(len(plan.ins.spread), width)
        to_lists, to_blocks = plan.split(found, 3)
        query, key, value = lists
        scores = torch.bmm(of_lists, value.mT)
        softmax_gradient_(scores, scores[..., :0], first, first[..., :0], plan.within)
        torch.bmm(scores, key, out=to_lists[0])
        torch.bmm(scores.mT, query, out=to_lists[1])
        torch.bmm(first.mT, of_lists, out=to_lists[2])
        query, near_key, near_value = blocks[0, 1:], *map(_windows, blocks[1:])
        to_lists[2].baddbmm_(far.mT, plan.by_list(of_blocks))
        _fold(torch.bmm(near.mT, of_blocks), to_blocks[2])
        to_far = torch.bmm(plan.by_list(of_blocks), value.mT)
        to_near = torch.bmm(of_blocks, near_value.mT)
        softmax_gradient_(to_far, to_near, far, near, plan.around)
        to_lists[1].baddbmm_(to_far.mT, plan.by_list(query))
        _fold(torch.bmm(to_near.mT, query), to_blocks[1])
        to_blocks[0, 0] = 0
        torch.bmm(to_far, key, out=plan.by_list(to_blocks[0, 1:]))
        to_blocks[0, 1:].baddbmm_(to_near, near_key)
        for queries in (to_lists[0], to_blocks[0, 1:]):
            queries *= width**-0.5
        rows = found.index_select(0, plan.ins.gather).view(len(grad), -1)
        if plan.alone is not None:
            _from_itself(to_lists, lists[0], scores, first, of_lists)
            _from_itself(to_blocks[:, 1:], query, to_near, near, of_blocks)
            own = found.index_select(0, plan.ins.gather).view(len(grad), -1)
            rows = torch.where(plan.alone[:, None], own, rows)
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


def _from_itself(to, query, to_scores, weights, of) -> None:
    """Write the gradient of keys and values by what each token reads of itself alone.

    to: of queries, keys and values. to_scores: the gradient of scores, whose last
    columns are the queries' own tokens, as those of the weights. of: what is read.
    """
    at = weights.shape[2] - weights.shape[1]
    to[1] = to_scores.diagonal(at, 1, 2)[..., None] * query
    to[2] = weights.diagonal(at, 1, 2)[..., None] * of


def _fold(windows: Float[Tensor, "windows two_sizes width"], blocks) -> None:
    """Write to the blocks the sum of what windows hold of each."""
    size = blocks.shape[1]
    blocks[0] = 0
    blocks[1:] = windows[:, size:]
    blocks[:-1] += windows[:, :size]
