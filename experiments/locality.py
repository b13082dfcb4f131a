"""Are writes local? How an exchanged passage changes the rest of the list, by distance.

    python -m experiments.locality          # writes data/results/locality.json
    python -m experiments.locality dfs5     # this model again, the others as they are

One row a network. One passage of a maze's list is exchanged for another
(`mazelib.interventions.pairs.edges_swapped`). How much do the residual streams at later
entries' tokens change? `correlation`: by layer, the rank correlation of the change's
size, the mean over an entry's four tokens, with the entry's distance in the maze from
the nearest of the cells that the two passages join, at equal distance in tokens;
`middle`: that after half of the layers, with an interval over mazes. `by distance`: the
mean change there at each distance, over that at distance 0.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from experiments.families import (
    mazes_of,
    network_of,
    networks,
    rounded,
    write_table,
)
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.intervals import bootstrap_groups, partial_rank_correlation
from mazelib.internals.probes import groups_of
from mazelib.interventions import Network, Pairs, edges_swapped
from mazelib.interventions.patching import batches, runs_of

TABLE = "locality.json"
ASKED = ("dfs5", "dfs6-learned")
COUNT = 1000
FARTHEST = 8
"""The largest distance that is told apart from farther ones."""


def distances(
    pairs: Pairs, mazes: MazeSet, tokens: dict[int, int]
) -> Int[np.ndarray, "pairs entries"]:
    """How far each entry is, in the maze, from the cells that the change concerns.

    tokens: the cell that each token names.
    """
    edges, changed = pairs.roles.edges, pairs.changed_entry
    found = np.zeros(edges.shape[:2], int)
    for row, (at, entry) in enumerate(zip(pairs.maze, changed, strict=True)):
        maze = mazes[int(at)].maze
        places = [pairs.roles.first[row, entry], pairs.roles.second[row, entry]]
        added = [tokens[int(pairs.corrupted.ids[row, place])] for place in places]
        concerned = {*edges[row, entry].tolist(), *added}
        near = np.min([maze.distances(cell) for cell in concerned], 0)
        found[row] = near[edges[row]].min(1)
    return found


def sizes(network: Network, pairs: Pairs) -> Float[np.ndarray, "layers pairs entries"]:
    """How much the stream changes at each entry, the mean over its tokens, by layer."""
    entry = pairs.roles.entry
    found = np.zeros((network.layers, *entry.shape[:2]))
    for rows in batches(pairs):
        clean, corrupted = runs_of(network, pairs.those(rows), noising=True)
        at = entry[rows].reshape(len(rows), -1)
        each = np.arange(len(rows))[:, None]
        for layer in range(network.layers):
            change = clean.streams[layer + 1] - corrupted.streams[layer + 1]
            size = change.norm(dim=-1).numpy()[each, at]
            found[layer, rows] = size.reshape(len(rows), -1, entry.shape[2]).mean(-1)
    return found


def facts(
    size: Float[np.ndarray, "layers pairs entries"],
    far: Int[np.ndarray, "pairs entries"],
    changed: Int[np.ndarray, "pairs"],
    group: Int[np.ndarray, "pairs"],
) -> dict:
    """The correlations, at later entries alone, and the mean change by distance."""
    after = np.arange(far.shape[1]) - changed[:, None]  # in entries
    pair, entry = np.nonzero(after > 0)
    later = after[pair, entry].astype(float)[:, None]
    distance = far[pair, entry].astype(float)
    middle = len(size) // 2 - 1  # the stream after half of the layers

    def correlation(values: np.ndarray, rows=slice(None)) -> float:
        return partial_rank_correlation(values[rows], distance[rows], later[rows])

    own = size[:, pair, entry]
    ends = bootstrap_groups(
        group[pair], lambda rows: correlation(own[middle], rows), resamples=200
    )
    near = np.minimum(distance, FARTHEST)
    by = [own[middle][near == d].mean() for d in range(FARTHEST + 1)]
    return {
        "n": len(pair),
        "mazes": len(np.unique(group)),
        "correlation": rounded([correlation(values) for values in own]),
        "middle": rounded([correlation(own[middle]), *ends]),
        "by distance": rounded(np.array(by) / by[0]),
    }


def row(name: str, mazes: MazeSet) -> dict:
    """All that is measured of one network."""
    network = Network(network_of(name))
    pairs = edges_swapped(mazes, network.tokenizer, np.random.default_rng(0))
    pairs = pairs.those(np.arange(len(pairs))[:COUNT])
    place = network.tokenizer.place(mazes.n)[:, 0]
    tokens = {int(token): cell for cell, token in enumerate(place)}
    far = distances(pairs, mazes, tokens)
    group, size = groups_of(mazes)[pairs.maze], sizes(network, pairs)
    return {"model": name, **facts(size, far, pairs.changed_entry, group)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all networks, or those that are named, and write the table."""

    def asked_of(family: str) -> tuple[MazeSet, ...]:
        return (mazes_of(family, 2 * COUNT),)

    known = networks(families=ASKED)
    write_table(__doc__, TABLE, known, arguments, asked_of, row, n=COUNT)


if __name__ == "__main__":
    main()
