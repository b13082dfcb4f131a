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

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, gelu, layer_norm, linear
from transformers import PreTrainedModel

from mazelib.dataset.stream import Batch
from mazelib.models.model import IGNORED, fast_dtype, labels
from mazelib.training.packed_attention import Attend, plan_attention, rounded_up


class Block(NamedTuple):
    """The parts of a transformer block, whatever their class calls them."""

    attention_norm: nn.LayerNorm
    qkv: nn.Module
    output: nn.Module
    mlp_norm: nn.LayerNorm
    up: nn.Module
    down: nn.Module


def blocks(model: PreTrainedModel) -> Iterator[Block]:
    """The blocks of a GPT2LMHeadModel or a GPTNeoXForCausalLM, in order."""
    if model.config.model_type == "gpt2":
        for part in model.transformer.h:
            mlp = part.mlp
            yield Block(
                *(part.ln_1, part.attn.c_attn, part.attn.c_proj),
                *(part.ln_2, mlp.c_fc, mlp.c_proj),
            )
    else:
        for part in model.gpt_neox.layers:
            attention, mlp = part.attention, part.mlp
            yield Block(
                *(part.input_layernorm, attention.query_key_value, attention.dense),
                *(part.post_attention_layernorm, mlp.dense_h_to_4h, mlp.dense_4h_to_h),
            )


class LeanLoss(nn.Module):
    """The negative log-likelihood of the tokens that count: their sum, in nats.

    model: a causal LM of `mazelib.models.model`, on the CPU.
    kind: which tokens count (see `mazelib.models.model.labels`).
    """

    def __init__(self, model: PreTrainedModel, kind: str = "path"):
        super().__init__()
        self.model, self.kind = model, kind
        self.is_learned = model.config.model_type == "gpt2"
        base = model.transformer if self.is_learned else model.gpt_neox
        self.last_norm = base.ln_f if self.is_learned else base.final_layer_norm

    def forward(self, batch: Batch) -> Float[Tensor, ""]:
        """The batch's loss."""
        heads = self.model.config.num_attention_heads
        plan = plan_attention(batch.segment, heads, by_head=not self.is_learned)
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
        *_, last = parts = list(blocks(self.model))
        for block in parts:
            qkv = affine(block.qkv, norm(block.attention_norm, x))
            read = Attend.apply(qkv, turn, plan)
            if block is last:
                x, read = x[wanted], read[wanted]
            x = x + affine(block.output, read)
            x = x + mlp(block, x)
        x = norm(self.last_norm, x)
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


def norm(module: nn.LayerNorm, x: Float[Tensor, "token width"]) -> Tensor:
    """LayerNorm in float32, its result as it will be multiplied."""
    x = layer_norm(x, module.normalized_shape, module.weight, module.bias, module.eps)
    return x.to(fast_dtype(x.device))


def affine(module: nn.Module, x: Tensor) -> Tensor:
    """A Linear, or transformers' Conv1D, whose weight lies the other way round."""
    weight, bias = module.weight.to(x.dtype), module.bias
    if not isinstance(module, nn.Linear):
        weight = weight.mT
    return linear(x, weight, None if bias is None else bias.to(x.dtype))


def mlp(block: Block, x: Float[Tensor, "token width"]) -> Tensor:
    """What a block's MLP adds."""
    return affine(block.down, gelu(affine(block.up, norm(block.mlp_norm, x))))
