"""What weights alone say: their leading directions, and which heads read which others.

    lens = open_lens(trained, folded=True)
    table, vectors = singular_vectors(lens)        # a row a vector, [rows, width]
    profiles = on_cells(lens, vectors, n=5)        # what each makes of the 25 cells
    composition(lens, "K")[2, 0, 5, 1]             # how strongly L5H1's keys read L2H0

Give a folded lens: its weights act on the residual stream as it is. With rotary
positions a head's QK matrix is the one for two tokens at the same place; at a distance
it is turned.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformer_lens import FactoredMatrix

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
    drawn = turns(lens.bridge.cfg.d_model, draws, seed)
    return np.stack([composition(lens, kind, turn) for turn in drawn])


def turns(width: int, count: int, seed: int = 0) -> Iterator[Float[Tensor, "w w"]]:
    """Random rotations of the residual stream, none likelier than another."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        left, right = torch.linalg.qr(torch.randn(width, width, generator=generator))
        yield left * right.diagonal().sign()


SIDES = {
    "OV": ("reads", "writes"),
    "QK": ("asks", "is asked"),
    "W_in": ("reads",),
    "W_out": ("writes",),
}
"""The matrices of a layer, and the sides of each that lie in the residual stream."""


def matrices(lens: Lens) -> dict[str, FactoredMatrix | Tensor]:
    """Each kind of matrix, of all layers (and heads); rows are what comes in."""
    bridge = lens.bridge
    return {
        "OV": bridge.OV,
        "QK": bridge.QK,
        "W_in": bridge.W_in.detach(),
        "W_out": bridge.W_out.detach(),
    }


@torch.no_grad()
def spectra(lens: Lens) -> dict[str, Float[np.ndarray, "layers *heads rank"]]:
    """The singular values of each kind of matrix, largest first."""
    return {name: svd(matrix)[1].numpy() for name, matrix in matrices(lens).items()}


def svd(matrix: FactoredMatrix | Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """U[..., d, r], S[..., r] and Vh[..., r, d], r no more than a factor's width."""
    if isinstance(matrix, FactoredMatrix):
        left, size, right = matrix.svd()
        return left, size, right.mT  # TransformerLens gives V and calls it Vh
    return torch.linalg.svd(matrix, full_matrices=False)


@torch.no_grad()
def singular_vectors(
    lens: Lens, count: int = 2
) -> tuple[pd.DataFrame, Float[np.ndarray, "rows width"]]:
    """The leading singular vectors that lie in the residual stream, each of length 1.

    The table says of each which `matrix`, `layer` and `head` (-1 for an MLP) it is of,
    on which `side`, and its `rank` from 0.
    """
    rows, vectors = [], []
    for name, matrix in matrices(lens).items():
        left, _, right = svd(matrix)
        ends = {"left": left.mT[..., :count, :], "right": right[..., :count, :]}
        for side in SIDES[name]:
            end = ends["right" if side in ("writes", "is asked") else "left"]
            places = list(np.ndindex(*end.shape[:-1]))
            names = (
                ("layer", "head", "rank") if len(places[0]) == 3 else ("layer", "rank")
            )
            about = {"matrix": name, "head": -1, "side": side}
            rows += [about | dict(zip(names, place, strict=True)) for place in places]
            vectors.append(end.reshape(len(places), -1).numpy())
    return pd.DataFrame(rows), np.concatenate(vectors)


def cell_ids(lens: Lens, n: int) -> Int[np.ndarray, "cells"]:
    """The tokens of the cells of mazes of side n in the grid's corner."""
    return lens.tokenizer.place(n)[:, 0]


def cell_embeddings(lens: Lens, n: int) -> Float[np.ndarray, "cells width"]:
    """The embeddings of the cells of mazes of side n in the grid's corner."""
    return lens.bridge.W_E.detach().numpy()[cell_ids(lens, n)]


def on_cells(
    lens: Lens, vectors: Float[np.ndarray, "rows width"], n: int
) -> Float[np.ndarray, "rows cells"]:
    """What vectors make of the cells: products with their embeddings, mean 0 a row."""
    profile = vectors @ cell_embeddings(lens, n).T
    return profile - profile.mean(1, keepdims=True)


def lattice_parts(n: int, smoothest: int = 5) -> dict[str, Float[np.ndarray, "cells"]]:
    """What is plain on the grid: row, column, parity of their sum, and the smoothest
    modes of the lattice, each of length 1 and mean 0.

    Modes are eigenvectors of its Laplacian, products of cosines, the constant left out;
    "mode 1,0" has one half wave down and none across. Take as many as end no pair of
    equal smoothness in two (5, 7 or 8 of 5×5).
    """
    row, col = np.divmod(np.arange(n * n), n)
    wave = np.cos(np.pi * np.arange(n)[:, None] * (np.arange(n) + 0.5) / n)
    rate = 2 - 2 * np.cos(np.pi * np.arange(n) / n)
    order = np.argsort((rate[:, None] + rate).ravel(), kind="stable")[1 : smoothest + 1]
    parts = {"row": row, "column": col, "parity": (-1.0) ** (row + col)}
    for down, across in zip(*np.divmod(order, n), strict=True):
        parts[f"mode {down},{across}"] = np.outer(wave[down], wave[across]).ravel()
    plain = {name: part - part.mean() for name, part in parts.items()}
    return {name: part / np.linalg.norm(part) for name, part in plain.items()}


def lattice_basis(n: int, smoothest: int = 5) -> Float[np.ndarray, "cells parts"]:
    """An orthonormal basis of what is plain on the grid (see `lattice_parts`)."""
    parts = np.stack(list(lattice_parts(n, smoothest).values()), 1)
    left, size, _ = np.linalg.svd(parts, full_matrices=False)
    return left[:, size > 1e-9 * size[0]]


def explained(
    profiles: Float[np.ndarray, "rows cells"], basis: Float[np.ndarray, "cells parts"]
) -> Float[np.ndarray, "rows"]:
    """The share of each profile's variance over the cells that a basis explains."""
    return ((profiles @ basis) ** 2).sum(1) / (profiles**2).sum(1)


def random_vectors(
    lens: Lens, count: int = 2000, seed: int = 0
) -> Float[np.ndarray, "count width"]:
    """Random directions in the residual stream: singular vectors of random matrices."""
    drawn = np.random.default_rng(seed).normal(size=(count, lens.bridge.cfg.d_model))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def cosines(
    lens: Lens,
    vectors: Float[np.ndarray, "rows width"],
    ids: Sequence[int],
    unembedding: bool = False,
) -> Float[np.ndarray, "rows tokens"]:
    """The cosine of each vector with each token's embedding, or unembedding.

    The latter less its mean over all tokens, which changes no probability.
    """
    bridge = lens.bridge
    table = bridge.W_U.T - bridge.W_U.mean(1) if unembedding else bridge.W_E
    tokens = table.detach().numpy()[list(ids)]
    tokens = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
    return vectors @ tokens.T


@torch.no_grad()
def cell_circuit(
    lens: Lens,
    n: int,
    kind: str,
    head: tuple[int, int],
    through: tuple[int, int] | None = None,
    turn: Float[Tensor, "width width"] | None = None,
    rank: int | None = None,
    distance: int = 0,
) -> Float[np.ndarray, "cells cells"]:
    """A head's full circuit over the cells of side n, by their embeddings alone.

    "OV"[a, b]: what attention to a token of cell a adds to the logit of cell b.
    "QK"[a, b]: how much a token of cell a asks for one of cell b, `distance` tokens
    before it; up to what it asks of all alike, which the softmax takes away.
    through: an earlier head that wrote the name of cell a (or b, for "QK") to the token
    that is looked at, in place of its own name; turn: a rotation of the residual stream
    in between, for a null (see `turns`); rank: how many of the head's directions take
    part, the strongest first. Each name is normalized by itself, as LayerNorm would.

    Raises MazelibError for another kind, or a distance without rotary positions.
    """
    bridge, (layer, number) = lens.bridge, head
    cells = torch.from_numpy(cell_embeddings(lens, n))
    cells = cells / (cells.var(1, correction=0, keepdim=True) + bridge.cfg.eps).sqrt()
    looked_at = cells
    if through is not None:
        looked_at = cells @ bridge.OV.AB[through]
    if turn is not None:
        looked_at = looked_at @ turn
    if kind == "QK":
        asks = torch.cat([bridge.W_Q[layer, number], bridge.b_Q[layer, number][None]])
        asks = asks @ rotation(lens, distance) @ bridge.W_K[layer, number].T
        cells = torch.cat([cells, torch.ones(len(cells), 1)], 1)
        scores = cells @ truncated(asks, rank) @ looked_at.T
        return (scores / bridge.cfg.d_head**0.5).numpy()
    if kind != "OV":
        raise MazelibError(f"kind is {kind!r}, but must be OV or QK")
    written = looked_at @ truncated(bridge.OV.AB[layer, number], rank)
    return (written @ bridge.W_U[:, cell_ids(lens, n)]).numpy()


def truncated(matrix: Float[Tensor, "rows columns"], rank: int | None) -> Tensor:
    """The matrix of that rank which is nearest to a matrix; None: the matrix itself."""
    if rank is None:
        return matrix
    left, size, right = torch.linalg.svd(matrix, full_matrices=False)
    return (left * size)[:, :rank] @ right[:rank]


def rotation(lens: Lens, distance: int) -> Float[Tensor, "head head"]:
    """What rotary positions put between a query and a key so many tokens before it.

    The identity at distance 0 (Su et al., arXiv 2104.09864). Raises MazelibError for
    another distance where positions are learned.
    """
    size, model = lens.bridge.cfg.d_head, lens.bridge.original_model
    if distance and model.config.model_type != "gpt_neox":
        raise MazelibError(
            f"distance is {distance}, but positions are learned: only rotary ones turn "
            "by distance, so leave it at 0"
        )
    if not distance:
        return torch.eye(size)
    angle = distance * model.gpt_neox.rotary_emb.inv_freq
    cos, sin = angle.cos().diag(), angle.sin().diag()
    return torch.cat([torch.cat([cos, sin], 1), torch.cat([-sin, cos], 1)])
