"""What weights alone say: which heads read what which others write, and by how much.

    scores = composition(open_lens(trained, folded=True), "K")     # [32, 32]
    scores[head_number(2, 0), head_number(5, 1)]

Give a folded lens: its weights act on the residual stream as it is. With rotary
positions a head's QK matrix is the one for two tokens at the same place; at a distance
it is turned.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mazelib.errors import MazelibError
from mazelib.internals.lens import Lens

KINDS = ("Q", "K", "V")


def composition(
    lens: Lens, kind: str, turn: Float[Tensor, "width width"] | None = None
) -> Float[np.ndarray, "layers heads layers heads"]:
    """How strongly each head (the last two axes) reads what each earlier one writes.

    The Frobenius norm of the product of the two heads' matrices over the product of
    their norms (Elhage et al., "A mathematical framework for transformer circuits",
    2021): OV of the one that writes and, of the one that reads, QK from the side of the
    query ("Q") or of the key ("K"), or OV ("V"). NaN where the writer is not in an
    earlier layer. turn: a rotation of the residual stream between the two, for a null.

    Raises MazelibError for another kind.
    """
    if kind not in KINDS:
        raise MazelibError(f"kind is {kind!r}, but must be one of {', '.join(KINDS)}")
    writes = flat(lens.bridge.OV.AB)
    reads = {"Q": lens.bridge.QK, "K": lens.bridge.QK.T, "V": lens.bridge.OV}[kind]
    reads = flat(reads.AB)
    moved = writes if turn is None else writes @ turn
    product = torch.einsum("aij,bjk->abik", moved, reads).norm(dim=(-2, -1))
    norms = writes.norm(dim=(-2, -1))[:, None] * reads.norm(dim=(-2, -1))
    scores = (product / norms).reshape(2 * (lens.layers, lens.heads))
    layer = torch.arange(lens.layers)
    is_earlier = layer[:, None] < layer
    scores = scores.masked_fill(~is_earlier[:, None, :, None], torch.nan)
    return scores.numpy()


def flat(matrices: Tensor) -> Float[Tensor, "heads width width"]:
    """The matrices of all heads in one row."""
    return matrices.detach().flatten(0, 1)


def composition_null(
    lens: Lens, kind: str, draws: int = 20, seed: int = 0
) -> Float[np.ndarray, "draws layers heads layers heads"]:
    """The same with what is written turned at random: no head is made for another.

    Each head keeps its singular values, which alone decide how large the score is by
    chance: small where much is written in few directions, or read from few.
    """
    generator = torch.Generator().manual_seed(seed)
    width = lens.bridge.cfg.d_model
    found = []
    for _ in range(draws):
        turn = torch.linalg.qr(torch.randn(width, width, generator=generator))[0]
        found.append(composition(lens, kind, turn))
    return np.stack(found)
