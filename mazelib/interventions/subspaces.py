"""The few directions that carry an answer: distributed alignment search, linear.

    found = fit_subspace(network, pairs, Spot(2, places["target"]), rank=4)
    swapped(network, others, Spot(2, ...), found).patched["swapped"].is_clean.mean()

At some tokens, the corrupted run's stream is given the clean run's coordinates in a
subspace, its own in all others. The subspace is fitted so that the answer becomes the
clean one (Geiger et al., "Finding alignments between interpretable causal variables and
distributed neural representations", arXiv 2303.02536). What it does on pairs it was not
fitted on is to be compared with a subspace fitted to wrong answers (`arbitrary`), and
with one in an untrained network.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mazelib.errors import MazelibError
from mazelib.interventions.network import Network, Run
from mazelib.interventions.pairs import Pairs
from mazelib.interventions.patching import (
    Effects,
    Where,
    batches,
    in_parts,
    runs_of,
    said,
)

RATE, PASSES = 0.05, 20


class Spot(NamedTuple):
    """Where a subspace lies: before which layer, and at which columns of each pair."""

    layer: int
    where: Bool[np.ndarray, "pairs pos"]

    def those(self, rows: np.ndarray, columns: int) -> Where:
        """The tokens of some of the pairs."""
        return Where.of(self.where[rows, :columns])


def swapped_logits(
    network: Network, base: Run, source: Run, where: Where, layer: int, basis: Tensor
) -> Float[Tensor, "pairs id"]:
    """The logits of the base run with the source run's part in a subspace."""
    own, other = (run.streams[layer][where.row, where.column] for run in (base, source))
    streams = base.streams[layer][None, :, where.start :].clone()
    change = (other - own) @ basis @ basis.T
    streams[0, where.row, where.column - where.start] = own + change
    return network.resume(base, layer, where.start, streams)[0]


def swapped(
    network: Network, pairs: Pairs, spot: Spot, basis: Float[Tensor, "width rank"]
) -> Effects:
    """What is said of pairs with the subspace's content swapped: its "swapped"."""

    @torch.no_grad()
    def some(pairs: Pairs, rows: np.ndarray) -> Effects:
        base, source = runs_of(network, pairs, noising=False)
        where = spot.those(rows, pairs.clean.ids.shape[1])
        logits = swapped_logits(network, base, source, where, spot.layer, basis)
        found = {"swapped": said(logits, pairs)}
        return Effects(said(base.logits, pairs), said(source.logits, pairs), found)

    return in_parts(pairs, some)


def fit_subspace(
    network: Network,
    pairs: Pairs,
    spot: Spot,
    rank: int,
    passes: int = PASSES,
    seed: int = 0,
) -> Float[Tensor, "width rank"]:
    """An orthonormal basis of the subspace whose swap makes the clean answer likeliest.

    By Adam on the cross-entropy of the clean answer. Raises MazelibError for a rank
    that the stream does not have.
    """
    if not 1 <= rank <= network.width:
        raise MazelibError(f"rank is {rank}: take 1 to {network.width}, the width")
    generator = torch.Generator().manual_seed(seed)
    raw = torch.randn(network.width, rank, generator=generator).requires_grad_()
    optimizer = torch.optim.Adam([raw], RATE)
    parts = []
    for rows in batches(pairs):
        some = pairs.those(rows)
        where = spot.those(rows, some.clean.ids.shape[1])
        parts.append((some, where, *runs_of(network, some, noising=False)))
    for _ in range(passes):
        for at in torch.randperm(len(parts), generator=generator).tolist():
            some, where, base, source = parts[at]
            basis = torch.linalg.qr(raw)[0]
            logits = swapped_logits(network, base, source, where, spot.layer, basis)
            answer = torch.from_numpy(some.right).long()
            loss = torch.nn.functional.cross_entropy(logits, answer)
            optimizer.zero_grad()
            loss.backward(inputs=[raw])
            optimizer.step()
    return torch.linalg.qr(raw.detach())[0]


def arbitrary(pairs: Pairs, rng: np.random.Generator) -> Pairs:
    """The same pairs, each with another pair's answers, which nothing leads to."""
    order = rng.permutation(len(pairs))
    return replace(pairs, right=pairs.right[order], wrong=pairs.wrong[order])
