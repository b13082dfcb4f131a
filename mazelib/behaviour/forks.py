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
    the target most a wrong one? others_end: see there. lookahead: how many steps one
    has to look ahead to know the right way on, the least k for which either the target,
    or the end of all but one of the ways on, is no more than k steps from the fork.
    The last two are None in a maze with cycles, whose ways meet.
    """
    maze, target, cells = sample.maze, sample.target, sample.path.tolist()
    distance, is_cyclic = maze.distances(target), has_cycle(maze, sample.origin)
    steps = maze.forks(sample.path).tolist()
    found = []
    for index, step in enumerate(steps):
        ways, to_target = ways_on(maze, cells, step), len(cells) - 1 - step
        right = [cell for cell in ways if distance[cell] < distance[cells[step]]]
        away = {cell: manhattan(maze.n, cell, target) for cell in ways}
        nearest = min(away.values())
        ends = None if is_cyclic else others_end(maze, cells[step], ways)
        found.append(
            {
                "step": step,
                "options": len(ways),
                "to_target": to_target,
                "forks_on": len(steps) - 1 - index,
                "misleading": all(away[cell] > nearest for cell in right),
                "others_end": ends,
                "lookahead": None if ends is None else min(to_target, ends),
            }
        )
    return found


def ways_on(maze: Maze, cells: list[int], step: int) -> list[int]:
    """The open neighbours of cells[step] that cells[:step] does not hold."""
    visited = set(cells[:step])
    return [cell for cell in maze.neighbours(cells[step]) if cell not in visited]


def has_cycle(maze: Maze, cell: int) -> bool:
    """Is there a cycle among the cells that can be reached from this one?"""
    reached = maze.distances(cell) >= 0
    return bool(maze.degree[reached].sum() // 2 >= reached.sum())


def others_end(maze: Maze, cell: int, ways: list[int]) -> int:
    """How many steps from a cell all of the ways on have ended but one, the longest.

    In a maze without cycles.
    """
    return sorted(depth_beyond(maze, cell, way) for way in ways)[-2]


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
