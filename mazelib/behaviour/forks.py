"""The forks of true paths: one row a fork, with what makes it easy or hard.

    table = fork_table(mazes, next_cells(likeliest, tokenizer, mazes))
    table.query("misleading and lookahead >= 4")["right"].mean()

A fork is a step of the true path at which its cell has more than one open neighbour
that the path has not been to.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from mazelib.behaviour.metrics import forks_right, manhattan
from mazelib.dataset.stream import MazeSet
from mazelib.mazes.drawing import Cells
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Sample


def fork_table(
    mazes: MazeSet, next_cells: Sequence[Cells] | None = None
) -> pd.DataFrame:
    """One row a fork, `maze` counting the mazes from 0; see `forks_of`.

    next_cells: for each maze, the cell chosen at each step of the true path (see
    `mazelib.behaviour.evaluation.next_cells`); with it a column `right` says whether
    the cell chosen is nearer to the target.
    """
    forks = [forks_of(sample) for sample in mazes]
    rows = [{"maze": at, **fork} for at, found in enumerate(forks) for fork in found]
    table = pd.DataFrame(rows)
    if next_cells is None:
        return table
    right = [forks_right(*each) for each in zip(mazes, next_cells, strict=True)]
    return table.assign(right=np.concatenate(right).astype(bool))


def step_table(mazes: Iterable[Sample], next_cells: Sequence[Cells]) -> pd.DataFrame:
    """One row a step of the true paths, `maze` counting the mazes from 0.

    next_cells: as for `fork_table`. step: from 0. is_fork: is there a choice? legal: is
    the cell chosen open, and one the path has not been to? right: is it nearer to the
    target?
    """
    rows = []
    for index, (sample, chosen) in enumerate(zip(mazes, next_cells, strict=True)):
        maze, cells = sample.maze, sample.path.tolist()
        distance, forks = maze.distances(sample.target), maze.forks(cells).tolist()
        for step, cell in enumerate(chosen):
            legal = cell in ways_on(maze, cells, step)
            right = legal and bool(distance[cell] < distance[cells[step]])
            rows.append((index, step, step in forks, legal, right))
    return pd.DataFrame(rows, columns=["maze", "step", "is_fork", "legal", "right"])


def forks_of(sample: Sample) -> list[dict]:
    """Each fork of a sample's path, in order.

    step: its place on the path. options: ways on. to_target: steps from here. forks_on:
    forks after this one. misleading: is the way that lessens the Manhattan distance to
    the target most a wrong one? lookahead: see `lookahead`.
    """
    maze, target, cells = sample.maze, sample.target, sample.path.tolist()
    distance = maze.distances(target)
    steps = maze.forks(sample.path).tolist()
    found = []
    for index, step in enumerate(steps):
        ways = ways_on(maze, cells, step)
        right = [cell for cell in ways if distance[cell] < distance[cells[step]]]
        away = {cell: manhattan(maze.n, cell, target) for cell in ways}
        nearest = min(away.values())
        found.append(
            {
                "step": step,
                "options": len(ways),
                "to_target": len(cells) - 1 - step,
                "forks_on": len(steps) - 1 - index,
                "misleading": all(away[cell] > nearest for cell in right),
                "lookahead": lookahead(maze, cells, step),
            }
        )
    return found


def ways_on(maze: Maze, cells: list[int], step: int) -> list[int]:
    """The open neighbours of cells[step] that cells[:step] does not hold."""
    visited = set(cells[:step])
    return [cell for cell in maze.neighbours(cells[step]) if cell not in visited]


def lookahead(maze: Maze, cells: list[int], step: int) -> int | None:
    """How many steps one has to look ahead at a fork to know the right way on.

    The least k for which either the target, or the end of all but one of the ways on,
    is no more than k steps from the fork. None in a maze with cycles, whose ways meet.
    """
    reached = maze.distances(cells[step]) >= 0
    if maze.degree[reached].sum() // 2 >= reached.sum():
        return None
    ways = ways_on(maze, cells, step)
    depths = sorted(depth_beyond(maze, cells[step], cell) for cell in ways)
    return min(len(cells) - 1 - step, depths[-2])


def depth_beyond(maze: Maze, cell: int, way: int) -> int:
    """The steps from `cell` to the farthest cell that lies beyond its neighbour `way`.

    In a maze without cycles.
    """
    deepest, stack = 0, [(way, cell, 1)]
    while stack:
        here, before, depth = stack.pop()
        deepest = max(deepest, depth)
        stack += [(c, here, depth + 1) for c in maze.neighbours(here) if c != before]
    return deepest
