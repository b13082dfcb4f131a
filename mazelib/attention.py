"""Attention over packed questions: who may look at whom, and a lean way to work it out.

    packing = pack(batch.segment)
    model.set_attn_implementation("lean")
    model(ids, position_ids=position, packing=packing)

A token sees what comes before it in its own question and in the edge list. Of the
square of all pairs of tokens that is a small part: the list with itself, each question
with the list, and a narrow band of each question with itself. `attend` works out these
three and nothing else. Its scores keep the values' precision; the "eager" attention of
transformers turns them into float32.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad
from transformers import AttentionInterface

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


class Packing(NamedTuple):
    """What to add to the scores of a packed batch, in two parts.

    head: the first tokens of every sequence, up to the end of the longest edge list,
    with each other. rest: the tokens after them, in blocks of `size`, each with the
    head, the block before and its own block.
    """

    head: Float[Tensor, "batch 1 head head"]
    rest: Float[Tensor, "batch 1 blocks size keys"]


def pack(segment: Int[np.ndarray, "batch pos"]) -> Packing:
    """The packing of a batch of segments (see `mazelib.dataset.Batch`)."""
    batch, head = len(segment), int((segment == LIST_SEGMENT).sum(1).max())
    questions = np.arange(1, segment.max() + 1)
    longest = (segment[:, :, None] == questions).sum(1).max()
    size = max(1, int(longest) - 1)
    segment = torch.from_numpy(segment)
    after = segment[:, head:]
    blocks = -(-after.shape[1] // size)
    after = pad(after, (0, blocks * size - after.shape[1]), value=PADDING_SEGMENT)
    before = pad(after, (size, 0), value=PADDING_SEGMENT)[:, : blocks * size]
    before, own = (x.view(batch, blocks, size) for x in (before, after))
    query = own[..., None]
    order = torch.ones(size, 2 * size, dtype=torch.bool).tril(size)
    seen_near = (torch.cat([before, own], -1)[:, :, None] == query) & order
    far = segment[:, None, None, :head]
    seen_far = (far == LIST_SEGMENT) | (far == query)
    hidden = ~torch.cat([seen_far, seen_near], -1)[:, None]
    first = attention_mask(segment[:, :head]).clamp(min=NEVER)
    return Packing(first, hidden.float() * NEVER)


def attend(module, query, key, value, mask, scaling, packing=None, **_):
    """Softmax attention, in the three parts of a `Packing` if there is one.

    Takes and returns what an attention function of transformers does; registered as
    "lean". Without a packing or a mask, every token sees all before it.
    """
    query, key = (x.to(value.dtype) for x in (query * scaling, key))
    if packing is not None:
        read = _attend_packed(query, key, value, packing)
    else:
        if mask is None:
            segment = torch.full((1, key.shape[2]), LIST_SEGMENT, device=key.device)
            mask = attention_mask(segment)[..., -query.shape[2] :, :]
        read = _read(_softmax(_scores(query, key) + mask.to(value.dtype)), value)
    return read.transpose(1, 2).contiguous(), None


def _attend_packed(query, key, value, packing: Packing):
    (batch, heads, pos, width), head = query.shape, packing.head.shape[-1]
    blocks, size = packing.rest.shape[2:4]
    first = _scores(query[:, :, :head], key[:, :, :head])
    first = _read(_softmax(first + packing.head.to(first.dtype)), value[:, :, :head])

    def blocked(x, before: int):
        """The tokens after the head in blocks, with `before` of those in front."""
        x = pad(x[:, :, head:], (0, 0, before, head + blocks * size - pos))
        return x.unfold(2, before + size, size).mT.reshape(
            batch, heads * blocks, before + size, width
        )

    asked = blocked(query, 0)
    far = _scores(asked.view(batch, heads, -1, width), key[:, :, :head])
    near = _scores(asked, blocked(key, size))
    shape = (batch, heads, blocks, size, -1)
    scores = torch.cat([far.view(shape), near.view(shape)], -1)
    weights = _softmax(scores + packing.rest.to(scores.dtype))
    far = weights[..., :head].reshape(batch, heads, blocks * size, head)
    near = weights[..., head:].reshape(batch, heads * blocks, size, 2 * size)
    rest = _read(far, value[:, :, :head])
    rest = rest + _read(near, blocked(value, size)).view(rest.shape)
    return torch.cat([first, rest[:, :, : pos - head]], 2)


def _scores(query, key):
    product = torch.bmm(query.flatten(0, 1), key.flatten(0, 1).mT)
    return product.unflatten(0, query.shape[:2])


def _read(weights, value):
    return torch.bmm(weights.flatten(0, 1), value.flatten(0, 1)).unflatten(
        0, value.shape[:2]
    )


def _softmax(scores):
    return torch._softmax(scores, -1, False)  # softmax() is autocast to float32


AttentionInterface.register("lean", attend)
