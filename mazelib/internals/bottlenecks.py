"""Do cells that many ways run through get more attention than others?

    given = received(lens, mazes).sum((1, 2)).ravel()      # by all heads, a cell a row
    correlation(given, cell_table(mazes))                  # other things equal

Such cells are named more often, are oftener on the path and lie nearer the middle, and
that is what has to be equal.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float

from mazelib.dataset.stream import MazeSet
from mazelib.evidence.intervals import partial_rank_correlation
from mazelib.internals.lens import MEMORY, Lens, Site, activations

OTHERS = ("on_path", "named", "from_origin", "to_target", "to_centre")
"""What is held equal."""
BETWEENNESS, ARTICULATION = "betweenness", "articulation"
"""What makes a cell a bottleneck: how many ways run through it, or that all do."""


def received(
    lens: Lens, mazes: MazeSet, memory: int = MEMORY
) -> Float[np.ndarray, "mazes layers heads cells"]:
    """The attention that each cell's tokens get from the question and the path.

    The mean over the tokens that look, so that all cells together get at most 1. Only
    tokens of the list count: those that look name the origin and target themselves.
    """
    sites = [Site("pattern", layer) for layer in range(lens.layers)]
    found = []
    for part in activations(lens, mazes, sites, memory):
        roles, segment = part.roles, torch.from_numpy(part.batch.segment)
        asks = (segment == 1).float() / (segment == 1).sum(1, keepdim=True)
        names = roles.cell[..., None] == np.arange(mazes.n**2)
        names &= (part.batch.segment == 0)[..., None]
        keys = torch.from_numpy(names.astype(np.float32))
        layers = [
            torch.einsum("bq,bhqk,bkc->bhc", asks, part.values[site], keys)
            for site in sites
        ]
        found.append(torch.stack(layers, 1).numpy())
    return np.concatenate(found)


def cell_table(mazes: MazeSet) -> pd.DataFrame:
    """One row a cell of each maze, by number: its betweenness, and what else matters.

    articulation: would the others fall apart without it? on_path, named (how often by
    the list), from_origin, to_target, to_centre: see `OTHERS`.
    """
    n = mazes.n
    row, col = np.divmod(np.arange(n * n), n)
    centre = abs(row - (n - 1) / 2) + abs(col - (n - 1) / 2)
    parts = []
    for index, (maze, origin, target, path) in enumerate(mazes):
        facts = {
            "maze": index,
            BETWEENNESS: maze.betweenness,
            ARTICULATION: np.isin(np.arange(n * n), maze.bottlenecks),
            "on_path": np.isin(np.arange(n * n), path),
            "named": maze.degree,
            "from_origin": maze.distances(origin),
            "to_target": maze.distances(target),
            "to_centre": centre,
        }
        parts.append(pd.DataFrame(facts))
    return pd.concat(parts, ignore_index=True).astype({"maze": int})


def correlation(
    given: Float[np.ndarray, "rows"],
    table: pd.DataFrame,
    equal: Sequence[str] = OTHERS,
    within: bool = False,
    neck: str = BETWEENNESS,
) -> float:
    """Spearman's correlation of what cells are given with being a bottleneck.

    equal: columns of the table that are held equal (partial rank correlation). within:
    rank the cells of each maze among themselves, so that no difference between mazes
    counts. neck: the column that says how much of a bottleneck a cell is.
    """
    columns = table[[neck, *equal]].astype(float).assign(given=given)
    if within:
        places = columns.groupby(table["maze"]).rank(pct=True)
        middle = places.groupby(table["maze"]).transform("mean")
        columns = (places - middle).round(9)  # equal places stay equal
    ranked = columns.to_numpy()
    return partial_rank_correlation(ranked[:, -1], ranked[:, 0], ranked[:, 1:-1])
