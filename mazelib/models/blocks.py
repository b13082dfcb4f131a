"""The parts of a transformer's blocks, and what each does, for losses written out here.

    x = model.get_input_embeddings()(ids)
    for block in blocks(model):
        x = x + mlp(block, x, torch.bfloat16)     # [..., width], in float32

Weights and what is multiplied with them are in the `dtype` that is given, norms and
the residual stream in float32.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, linear
from transformers import PreTrainedModel

from mazelib.models.model import has_learned_positions


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
    if has_learned_positions(model):
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


def last_norm(model: PreTrainedModel) -> nn.LayerNorm:
    """What the residual stream goes through before the unembedding."""
    if has_learned_positions(model):
        return model.transformer.ln_f
    return model.gpt_neox.final_layer_norm


def norm(
    module: nn.LayerNorm, x: Float[Tensor, "*tokens width"], dtype: torch.dtype
) -> Tensor:
    """LayerNorm in float32, its result as it will be multiplied."""
    x = layer_norm(x, module.normalized_shape, module.weight, module.bias, module.eps)
    return x.to(dtype)


def affine(module: nn.Module, x: Tensor) -> Tensor:
    """A Linear, or transformers' Conv1D, whose weight lies the other way round."""
    weight, bias = module.weight.to(x.dtype), module.bias
    if not isinstance(module, nn.Linear):
        weight = weight.mT
    return linear(x, weight, None if bias is None else bias.to(x.dtype))


def mlp(
    block: Block, x: Float[Tensor, "*tokens width"], dtype: torch.dtype
) -> Float[Tensor, "*tokens width"]:
    """What a block's MLP adds."""
    return affine(block.down, gelu(affine(block.up, norm(block.mlp_norm, x, dtype))))
