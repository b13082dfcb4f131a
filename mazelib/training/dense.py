"""The loss of a packed batch for a GPU: one shape, one mask, one compiled function.

    loss = DenseLoss(model, "path")(batch)    # the same as through the model's forward

A GPU is held up by what it is told one thing at a time, and does more than it needs to
in no time. So, other than `mazelib.training.lean`, this computes all tokens of all
sequences, padding too: sequences are filled up to one length, which only grows, so
that `torch.compile` makes the whole forward pass, and its gradient, once. Attention is
torch's fused one with a mask that is worked out once a batch from the segments. Weights
and what is multiplied with them are in `fast_dtype`; rotary angles, norms, the residual
stream and the loss in float32. A test holds loss and gradient equal to the model's own.
"""

from collections.abc import Callable
from functools import partial
from warnings import warn

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch._dynamo.exc import TorchDynamoException
from torch.nn.functional import cross_entropy
from torch.nn.functional import scaled_dot_product_attention as attention
from transformers import PreTrainedModel

from mazelib.dataset.stream import Batch
from mazelib.models.blocks import affine, blocks, last_norm, mlp, norm
from mazelib.models.mask import visible
from mazelib.models.model import (
    IGNORED,
    MYOPIC,
    fast_dtype,
    has_learned_positions,
    labels,
)
from mazelib.tokens.encoding import PADDING_SEGMENT

MULTIPLE = 128
"""Sequences are filled up to a multiple of this, the width of a fused kernel's tile."""
COMPILED = partial(torch.compile, dynamic=False, fullgraph=True)
"""For one shape, in one piece."""


class DenseLoss(nn.Module):
    """The negative log-likelihood of the tokens that count: their sum, in nats.

    model: a causal LM of `mazelib.models.model`, on any device.
    kind: which tokens count (see `mazelib.models.model.labels`), and whether some learn
        for themselves alone (see `mazelib.models.model.MYOPIC`).
    compiled: what compiles a function, or None to compute without. Where it fails a
        warning says why, and the loss is computed without it.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        kind: str = "path",
        compiled: Callable | None = COMPILED,
    ):
        super().__init__()
        self.model, self.kind, self.length = model, kind, 0
        self.compiled = compiled and compiled(self.loss)

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """The batch's loss."""
        longest = batch.ids.shape[1]
        self.length = max(self.length, -(-longest // MULTIPLE) * MULTIPLE)
        device = self.model.device
        given = to_device(filled_up(batch, self.kind, self.length), device)
        dtype = fast_dtype(device)
        try:
            return (self.compiled or self.loss)(given, dtype)
        except TorchDynamoException as error:
            reason = " ".join(str(error).split("\n")[:2]).strip()
            warn(
                f"torch.compile does not work here ({reason}): training goes on "
                "without it, more slowly",
                stacklevel=2,
            )
            self.compiled = None
            return self.loss(given, dtype)

    def loss(
        self, given: Int[Tensor, "4 batch pos"], dtype: torch.dtype
    ) -> Float[Tensor, ""]:
        """The loss of what `filled_up` gives, multiplied in `dtype`."""
        ids, position, segment, following = given
        x = self.model.get_input_embeddings()(ids)
        turn = None
        if has_learned_positions(self.model):
            x = x + self.model.transformer.wpe(position)
        else:
            turn = turns(self.model.gpt_neox.rotary_emb.inv_freq, position)
        heads = self.model.config.num_attention_heads
        hidden = ~visible(segment)
        mask = torch.zeros_like(hidden, dtype=dtype).masked_fill(hidden, -torch.inf)
        alone = None
        if self.kind in MYOPIC:
            alone = (following.roll(1, 1) != IGNORED) | (self.kind == "myopic")
        for block in blocks(self.model):
            qkv = affine(block.qkv, norm(block.attention_norm, x, dtype))
            x = x + affine(block.output, attend(qkv, turn, mask, heads, alone))
            x = x + mlp(block, x, dtype)
        x = norm(last_norm(self.model), x, dtype)
        logits = affine(self.model.get_output_embeddings(), x).float()
        return cross_entropy(
            logits.flatten(0, 1),
            following.long().flatten(),
            ignore_index=IGNORED,
            reduction="sum",
        )


def filled_up(batch: Batch, kind: str, length: int) -> Int[Tensor, "4 batch pos"]:
    """Ids, positions, segments, and the labels of the following tokens, as one tensor.

    All filled up to a length with what no loss counts.
    """
    parts = (*batch[:3], labels(batch, kind)[:, 1:].numpy())
    fillers = (0, 0, PADDING_SEGMENT, IGNORED)
    given = np.empty((len(parts), len(batch.ids), length), np.int32)
    for row, part, filler in zip(given, parts, fillers, strict=True):
        row[:, : part.shape[1]], row[:, part.shape[1] :] = part, filler
    return torch.from_numpy(given)


def to_device(given: Tensor, device: torch.device) -> Tensor:
    """The tensor on a device, for which nothing has to wait if it is a GPU."""
    if device.type == "cuda":
        return given.pin_memory().to(device, non_blocking=True)
    return given.to(device)


def turns(
    frequency: Float[Tensor, "half"], position: Int[Tensor, "batch pos"]
) -> tuple[Tensor, Tensor]:
    """The cosines and sines that turn queries and keys by their position.

    [batch, 1, pos, 2 * half] each (Su et al., arXiv 2104.09864).
    """
    angle = position[:, None, :, None] * frequency
    return angle.cos().repeat(1, 1, 1, 2), angle.sin().repeat(1, 1, 1, 2)


def attend(
    qkv: Float[Tensor, "batch pos columns"],
    turn: tuple[Tensor, Tensor] | None,
    mask: Float[Tensor, "batch 1 pos pos"],
    heads: int,
    alone: Bool[Tensor, "batch pos"] | None = None,
) -> Float[Tensor, "batch pos width"]:
    """What each token reads.

    turn: from `turns`, and then query, key and value are laid out head by head, as in
        GPT-NeoX; else all queries first, as in GPT-2. alone: the tokens that no later
        token's gradient reaches, if there are such.
    """
    batch, pos, columns = qkv.shape
    width = columns // (3 * heads)
    if turn is None:
        parts = qkv.view(batch, pos, 3, heads, width).unbind(2)
        query, key, value = (part.transpose(1, 2) for part in parts)
    else:
        parts = qkv.view(batch, pos, heads, 3 * width).transpose(1, 2)
        query, key, value = parts.split(width, -1)
        query, key = (turned(x, *turn).to(qkv.dtype) for x in (query, key))
    mask = mask.expand(batch, heads, pos, pos)
    if alone is None:
        read = attention(query, key, value, attn_mask=mask)
    else:
        read = attend_alone(query, key, value, mask, alone[:, None, :, None])
    return read.transpose(1, 2).reshape(batch, pos, heads * width)


def attend_alone(
    query: Float[Tensor, "batch heads pos width"],
    key: Float[Tensor, "batch heads pos width"],
    value: Float[Tensor, "batch heads pos width"],
    mask: Float[Tensor, "batch heads pos pos"],
    alone: Bool[Tensor, "batch 1 pos 1"],
) -> Float[Tensor, "batch heads pos width"]:
    """Attention; the gradient of some tokens' key and value is that by their own query.

    What others read of them is without a gradient.
    """
    scale = query.shape[-1] ** -0.5
    key_read, value_read = (torch.where(alone, x.detach(), x) for x in (key, value))
    own = torch.eye(mask.shape[-1], dtype=torch.bool, device=mask.device)
    scores = query @ key_read.mT * scale
    with_itself = (query * key).sum(-1, keepdim=True) * scale
    weights = torch.where(own, with_itself, scores).add(mask).softmax(-1)
    read = weights @ value_read
    return read + weights.diagonal(0, -2, -1)[..., None] * (value - value_read)


def turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Each head's vector turned by its position."""
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin
