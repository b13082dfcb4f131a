"""How good a predicted path is: plain functions of a sample and the path.

In: a `Sample` (maze, origin, target, true path) and the predicted cells, origin first;
a predicted cell of -1 lies outside the maze. Out: a bool or a number from 0 to 1. A
perfect path scores 1 in each, an empty one 0.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from mazelib.drawing import Cells
from mazelib.maze import Maze
from mazelib.tokenizer import Sample


def is_exact(sample: Sample, predicted: Cells) -> bool:
    """Is the prediction the true path, cell for cell?"""
    return list(predicted) == sample.path.tolist()


def is_valid(sample: Sample, predicted: Cells) -> bool:
    """Does the prediction lead from origin to target by open passages alone?"""
    return (
        reached_target(sample, predicted)
        and predicted[0] == sample.origin
        and all(is_open(sample.maze, a, b) for a, b in pairwise(predicted))
    )


def is_shortest(sample: Sample, predicted: Cells) -> bool:
    """Is the prediction valid and as short as the true path? (In a tree: exact.)"""
    return is_valid(sample, predicted) and len(predicted) == len(sample.path)


def reached_target(sample: Sample, predicted: Cells) -> bool:
    """Is the target the prediction's last cell, however it got there?"""
    return len(predicted) > 0 and predicted[-1] == sample.target


def node_overlap(sample: Sample, predicted: Cells) -> float:
    """The share of the true path's cells that the prediction visits."""
    return len(set(predicted) & set(sample.path.tolist())) / len(sample.path)


def is_open(maze: Maze, a: int, b: int) -> bool:
    """Is there a passage between two cells? Never to or from cell -1."""
    return a >= 0 and b >= 0 and b in maze.neighbours(a)


def forks_right(sample: Sample, next_cells: Cells) -> list[bool]:
    """At each fork of the true path, is the cell chosen next the right one?

    next_cells: the cell chosen at each step of the true path, given the path so far. A
    cell is right if it is open and one step nearer to the target.
    """
    distance = sample.maze.distances(sample.target)
    path = sample.path.tolist()
    return [
        is_open(sample.maze, path[step], next_cells[step])
        and bool(distance[next_cells[step]] < distance[path[step]])
        for step in sample.maze.forks(path).tolist()
    ]


def pooled_rate(outcomes: Iterable[Sequence[bool | float]]) -> float | None:
    """The share of right outcomes over all samples together; None if there are none."""
    everything = np.concatenate([np.asarray(row, float) for row in outcomes] or [[]])
    return float(everything.mean()) if len(everything) else None
