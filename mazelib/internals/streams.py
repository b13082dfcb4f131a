"""The residual stream at chosen tokens, before the first layer and after each.

    found = streams_at(lens, mazes, {
        "fork": at_steps(path_steps(mazes, "fork")),
        "target": at_role("target"),
    })
    found["fork"]                       # [layers + 1, tokens, width]

The mazes are run once for all that is asked. Layer 0 is the embedding: before the first
layer.
"""

from collections.abc import Callable, Hashable, Mapping

import numpy as np
from jaxtyping import Float, Int

from mazelib.dataset.stream import MazeSet
from mazelib.internals.lens import Lens, Part, Site, activations
from mazelib.internals.plans import PathSteps

Where = Callable[[Part], tuple[Int[np.ndarray, "tokens"], Int[np.ndarray, "tokens"]]]
"""Of a part of the mazes: the rows of some tokens, and their positions in them."""


def stream_sites(lens: Lens) -> list[Site]:
    """The residual stream before the first layer and after each."""
    after = [Site("resid_post", layer) for layer in range(lens.layers)]
    return [Site("resid_pre", 0), *after]


def streams_at(
    lens: Lens, mazes: MazeSet, wheres: Mapping[Hashable, Where]
) -> dict[Hashable, Float[np.ndarray, "layers_and_1 tokens width"]]:
    """The residual stream at the tokens of each name, in the order of the mazes."""
    sites, found = stream_sites(lens), {name: [] for name in wheres}
    for part in activations(lens, mazes, sites):
        for name, where in wheres.items():
            row, position = where(part)
            read = [part.values[site][row, position].numpy() for site in sites]
            found[name].append(np.stack(read))
    return {name: np.concatenate(parts, 1) for name, parts in found.items()}


def at_steps(steps: PathSteps) -> Where:
    """The tokens of steps of paths, which are sorted by maze."""

    def where(part: Part):
        inside = slice(*np.searchsorted(steps.maze, (part.rows.start, part.rows.stop)))
        row = steps.maze[inside] - part.rows.start
        return row, part.roles.path_start[row] + 1 + steps.step[inside]

    return where


def at_role(role: str, index: Int[np.ndarray, "mazes"] | None = None) -> Where:
    """The token of a role (see `mazelib.internals.roles.Roles`), one a maze.

    index: which of them in each maze, for a role that a sequence has many times, such
    as an entry's "semicolon".
    """

    def where(part: Part):
        row, position = np.arange(len(part.batch.ids)), getattr(part.roles, role)
        if index is not None:
            position = position[row, index[part.rows]]
        return row, position

    return where
