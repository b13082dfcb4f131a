"""The loss of a packed batch, worked out with no more than it takes.

    loss = LeanLoss(model, "path")(batch)     # the same as through the model's forward

Hugging Face's forward pads every sequence, turns tensors to float32 and back, and works
out logits that nobody asks for. This one reads the same weights and does the same
mathematics on the tokens that matter, one after the other: no last token of a question,
and in the last block and after it only tokens that the loss looks at, filled up to a
multiple of `attention.MULTIPLE`. Weights and what is multiplied with them are in
`fast_dtype`, the residual stream, norms and the loss in float32. A test holds loss and
gradient equal to the model's own.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from mazelib.dataset.stream import Batch
from mazelib.models.blocks import affine, blocks, last_norm, mlp, norm
from mazelib.models.model import (
    IGNORED,
    MYOPIC,
    fast_dtype,
    has_learned_positions,
    labels,
)
from mazelib.training.packed_attention import Attend, plan_attention, rounded_up


class LeanLoss(nn.Module):
    """The negative log-likelihood of the tokens that count: their sum, in nats.

    model: a causal LM of `mazelib.models.model`, on the CPU.
    kind: which tokens count (see `mazelib.models.model.labels`), and whether some learn
        for themselves alone (see `mazelib.models.model.MYOPIC`).
    """

    def __init__(self, model: PreTrainedModel, kind: str = "path"):
        super().__init__()
        self.model, self.kind = model, kind
        self.is_learned = has_learned_positions(model)

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """The batch's loss."""
        heads = self.model.config.num_attention_heads
        alone = None
        if self.kind in MYOPIC:
            alone = batch.answer | (self.kind == "myopic")
        plan = plan_attention(batch.segment, heads, not self.is_learned, alone)
        # the token after the last is the first, which no loss counts
        following = labels(batch, self.kind).flatten().roll(-1)
        target = following[plan.tokens]
        counted = np.flatnonzero(target != IGNORED)
        wanted = torch.from_numpy(rounded_up(counted, 0))
        target = torch.from_numpy(rounded_up(target[counted].numpy(), IGNORED))
        ids, position = (
            torch.from_numpy(x.ravel()).long()[plan.tokens] for x in batch[:2]
        )
        logits = self.logits(ids, position, plan, wanted)
        return cross_entropy(logits, target, reduction="sum")

    def logits(
        self, ids: Int[Tensor, "token"], position, plan, wanted
    ) -> Float[Tensor, "wanted id"]:
        """The logits of the wanted tokens, in float32."""
        x = self.model.get_input_embeddings()(ids)
        if self.is_learned:
            x, turn = x + self.model.transformer.wpe(position), None
        else:
            turn = turns(self.model.gpt_neox.rotary_emb.inv_freq, position, plan.heads)
        dtype = fast_dtype(x.device)
        *_, last = parts = list(blocks(self.model))
        for block in parts:
            qkv = affine(block.qkv, norm(block.attention_norm, x, dtype))
            read = Attend.apply(qkv, turn, plan)
            if block is last:
                x, read = x[wanted], read[wanted]
            x = x + affine(block.output, read)
            x = x + mlp(block, x, dtype)
        x = norm(last_norm(self.model), x, dtype)
        return affine(self.model.get_output_embeddings(), x).float()


def turns(frequency, position, heads: int) -> Float[Tensor, "2 token columns"]:
    """What turns query and key by their position (Su et al., arXiv 2104.09864).

    Cosines, to multiply each token's qkv with, and signed sines, to multiply it with
    when the halves of each head's vector are swapped; values stay as they are.
    """
    angle = position[:, None] * frequency
    cos, sin, one = angle.cos(), angle.sin(), torch.ones_like(angle)
    parts = [[cos, cos, cos, cos, one, one], [-sin, sin, -sin, sin, 0 * one, 0 * one]]
    turn = torch.stack([torch.cat(part, 1).repeat(1, heads) for part in parts])
    return turn.to(fast_dtype(turn.device))
