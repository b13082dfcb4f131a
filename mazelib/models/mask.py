"""Which tokens of a packed batch may attend to which, as a mask for any attention.

In: the segments of a batch (`mazelib.dataset.Batch`). Out: what is added to scores.

    mask = attention_mask(batch.segment)   # [batch, 1, pos, pos]
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mazelib.tokens.encoding import LIST_SEGMENT


def visible(segment: Int[Tensor, "batch pos"]) -> Bool[Tensor, "batch 1 pos pos"]:
    """Which tokens (last axis) each token may look at.

    Itself and what is before it in its own segment and in the edge list.
    """
    query, key = segment[:, None, :, None], segment[:, None, None, :]
    pos = segment.shape[1]
    before = torch.ones(pos, pos, dtype=torch.bool, device=segment.device).tril()
    return before & ((key == query) | (key == LIST_SEGMENT))


def attention_mask(
    segment: Int[Tensor, "batch pos"],
) -> Float[Tensor, "batch 1 pos pos"]:
    """What to add to attention scores: 0 where a token may look, else very little."""
    return (~visible(segment)).float() * torch.finfo(torch.float32).min
