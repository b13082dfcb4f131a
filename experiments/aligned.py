"""How few directions carry the goal: a subspace of the stream, fitted and exchanged.

    python -m experiments.aligned          # writes data/results/aligned.json
    python -m experiments.aligned dfs5     # this model again, the others as they are

One row a model. Pairs of questions differ in their target alone, and another way is
right at a fork. In the run with the old target, the stream at one token is given the
coordinates that it has with the new target in a subspace of a few directions
(distributed alignment search, `mazelib.interventions.subspaces`), fitted on half of the
pairs; the other half are scored. `spots`: by token, after a number of `layers`: at what
share of forks the new way is taken, `whole` with all of the stream exchanged, by `rank`
with a `fitted` subspace, with one as large that is `random`, and with one fitted in an
`untrained` network. `arbitrary`: a subspace is fitted to other pairs' answers, which
nothing leads to, and scored on the very pairs that it was fitted on.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from experiments.families import (
    UNTRAINED,
    mazes_of,
    mean_over,
    network_of,
    networks,
    rounded,
    write_table,
)
from experiments.patched import pairs_right
from mazelib.dataset.stream import MazeSet
from mazelib.internals.probes import groups_of
from mazelib.interventions import Network, Pairs, targets_moved
from mazelib.interventions.subspaces import Spot, arbitrary, fit_subspace, swapped
from mazelib.models import zoo

TABLE = "aligned.json"
ASKED = ("dfs5", "dfs6-learned")
MAZES, COUNT = 1600, 1000
"""Mazes that pairs are made of, and pairs at most: half to fit, half to score."""
RANKS = (1, 2, 4, 8, 16)


def spots(layers: int) -> Iterator[tuple[str, int]]:
    """The tokens, and after how many layers each is asked."""
    yield from (("target", 1), ("target_end", layers // 2), ("asked", layers - 1))


def taken(
    network: Network, pairs: Pairs, token: str, layer: int, basis: Tensor
) -> np.ndarray:
    """At which forks the new way is taken with a subspace exchanged."""
    spot = Spot(layer, pairs.places()[token])
    return swapped(network, pairs, spot, basis).patched["swapped"].is_clean


def fitted(
    network: Network, pairs: Pairs, token: str, layer: int, rank: int
) -> Float[Tensor, "width rank"]:
    """The subspace that is fitted at a token."""
    return fit_subspace(network, pairs, Spot(layer, pairs.places()[token]), rank)


def drawn(width: int, rank: int) -> Float[Tensor, "width rank"]:
    """A subspace by chance."""
    generator = torch.Generator().manual_seed(0)
    return torch.linalg.qr(torch.randn(width, rank, generator=generator))[0]


def by_rank(
    network: Network, untrained: Network, parts: tuple[Pairs, Pairs], spot, group
) -> Iterator[dict]:
    """What is found with subspaces of each size at a token, after a layer."""
    first, second = parts
    wrong = arbitrary(first, np.random.default_rng(0))
    for rank in RANKS:
        own, bent, other = (
            fitted(net, pairs, *spot, rank)
            for net, pairs in ((network, first), (network, wrong), (untrained, first))
        )
        by_chance = drawn(network.width, rank)
        yield {
            "rank": rank,
            "fitted": mean_over(taken(network, second, *spot, own), group),
            "random": rounded(taken(network, second, *spot, by_chance).mean()),
            "untrained": rounded(taken(untrained, second, *spot, other).mean()),
            "arbitrary": rounded(taken(network, wrong, *spot, bent).mean()),
        }


def row(name: str, family: str, mazes: MazeSet) -> dict:
    """All that is measured of one model."""
    network = Network(zoo.load(name))
    untrained = Network(network_of(UNTRAINED + family))
    pairs = pairs_right(network, mazes, targets_moved, COUNT)
    half = len(pairs) // 2
    parts = pairs.those(np.arange(half)), pairs.those(np.arange(half, len(pairs)))
    group = groups_of(mazes)[parts[1].maze]
    every, found = torch.eye(network.width), {}
    for spot in spots(network.layers):
        token, layer = spot
        found[token] = {
            "layers": layer,
            "whole": rounded(taken(network, parts[1], *spot, every).mean()),
            "by rank": list(by_rank(network, untrained, parts, spot, group)),
        }
    return {
        "model": name,
        "fitted on": half,
        "n": len(parts[1]),
        "mazes": len(np.unique(group)),
        "spots": found,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit subspaces of all models, or those that are named, and write the table."""

    def asked_of(family: str) -> tuple[str, MazeSet]:
        return family, mazes_of(family, MAZES)

    known = networks(untrained=False, families=ASKED)
    write_table(__doc__, TABLE, known, arguments, asked_of, row)


if __name__ == "__main__":
    main()
