"""Back-filling: a maze solved by filling its dead ends, some rounds of it.

    pruned_in(maze, (origin, target))     # the round in which each cell is filled
    backfilling_step(3)                   # a solver that goes by three rounds

In each round every cell that has no more than one neighbour left is filled, but for
the origin and the target; in a maze without cycles the path between the two is what is
left in the end. A recurrent network on pictures of mazes seems to do it (Knutson et
al., arXiv 2410.03020).
"""

from collections.abc import Collection

import numpy as np
from jaxtyping import Int

from mazelib.behaviour.baselines import Step, greedy_step
from mazelib.mazes.drawing import Cells
from mazelib.mazes.maze import Maze


def pruned_in(maze: Maze, kept: Collection[int]) -> Int[np.ndarray, "cells"]:
    """The round, from 1, in which each cell is filled; 0 for those that never are.

    kept: cells that are not filled, such as origin and target.
    """
    found = np.zeros(maze.n_cells, int)
    left = maze.degree.astype(int)
    now, number = [c for c in range(maze.n_cells) if left[c] <= 1 and c not in kept], 1
    while now:
        found[now] = number
        touched = {c for cell in now for c in maze.neighbours(cell) if not found[c]}
        for cell in touched:
            left[cell] = sum(not found[c] for c in maze.neighbours(cell))
        now = [c for c in touched if left[c] <= 1 and c not in kept]
        number += 1
    return found


def backfilling_step(rounds: int) -> Step:
    """A solver that goes into no way that so many rounds have filled.

    Of the ways left it takes the one nearest to the target in Manhattan distance, as a
    greedy solver does, ties by chance. Origin and target are kept; as seen from a cell
    of the true path, a way is left if the path goes there, or if what lies beyond it is
    deeper than `rounds`.
    """

    def step(maze: Maze, came: Cells, options: Cells, target: int) -> Cells:
        pruned = pruned_in(maze, {came[0], came[-1], target})
        left = [c for c in options if not 0 < pruned[c] <= rounds]
        return greedy_step(maze, came, left or options, target)

    return step
