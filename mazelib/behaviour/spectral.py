"""A solver that goes where passages are near in the spectrum of the maze.

    walk(sample, spectral_step(4), rng)

Each passage is a node of the *line graph*, next to those that share a cell with it. The
eigenvectors of its Laplacian with the least eigenvalues give each passage a place; the
solver goes through the passage whose place is nearest to one of the target's. Two-layer
transformers that learn shortest paths seem to hold such places (Cohen et al., "Spectral
Journey", arXiv 2502.08794).
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float

from mazelib.behaviour.baselines import Step
from mazelib.errors import MazelibError
from mazelib.mazes.drawing import Cells
from mazelib.mazes.maze import Maze

DIGITS = 9
"""Distances that are equal to so many decimals are ties."""


@lru_cache(maxsize=1024)
def places(maze: Maze, count: int) -> Float[np.ndarray, "edges count"]:
    """The place of each passage: so many eigenvectors, after the constant one.

    Of the random walk's Laplacian on the line graph, the least eigenvalues first; fewer
    where the maze has no more passages.
    """
    edges = maze.edges()
    shared = (edges[:, None, :, None] == edges[None, :, None, :]).any((2, 3))
    near = shared & ~np.eye(len(edges), dtype=bool)
    degree = np.maximum(near.sum(1), 1)
    scaled = near / np.sqrt(degree[:, None] * degree)
    _, vectors = np.linalg.eigh(np.eye(len(edges)) - scaled)
    return vectors[:, 1 : count + 1] / np.sqrt(degree)[:, None]


def spectral_step(count: int) -> Step:
    """A solver that goes by so many eigenvectors; ties by chance.

    Raises MazelibError for fewer than one.
    """
    if count < 1:
        raise MazelibError(f"{count} eigenvectors place nothing: take 1 or more")

    def step(maze: Maze, came: Cells, options: Cells, target: int) -> Cells:
        place, edges = places(maze, count), maze.edges()
        number = {frozenset(edge): at for at, edge in enumerate(edges.tolist())}
        goal = place[(edges == target).any(1)]
        away = []
        for cell in options:
            own = place[number[frozenset((int(came[-1]), int(cell)))]]
            nearest = np.linalg.norm(goal - own, axis=1).min()
            away.append(round(float(nearest), DIGITS))
        return [c for c, far in zip(options, away, strict=True) if far == min(away)]

    return step
