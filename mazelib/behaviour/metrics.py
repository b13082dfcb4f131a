"""How good a predicted path is: plain functions of a sample and the path.

In: a `Sample` (maze, origin, target, true path) and the predicted cells, origin first;
a predicted cell of -1 (`OUTSIDE`) lies outside the maze, and a last one of -2
(`NO_END`) says that something other than <PATH_END> came there. Out:

- `RATES`: a bool or a share. A perfect path scores 1 in each, an empty one 0.
- `FAULTS`: how often a rule was broken. A perfect path has none.
- `first_error` and `excess_length`: a number of steps, or None.

What compares with the true path (`exact` and the `node_` rates) needs a sample that has
one; all else asks the maze, and takes a bare prompt, too.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from mazelib.mazes.drawing import Cells
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Sample

OUTSIDE, NO_END = -1, -2


def cells_of(predicted: Cells) -> list[int]:
    """The cells that were printed, those outside the maze among them."""
    return [cell for cell in predicted if cell != NO_END]


def visited(predicted: Cells) -> list[int]:
    """The cells of the maze that were printed."""
    return [cell for cell in predicted if cell >= 0]


def steps_of(predicted: Cells) -> list[tuple[int, int]]:
    """The steps of a prediction, from cell to cell."""
    return list(pairwise(cells_of(predicted)))


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
    """Is the prediction valid, and is no way shorter? (In a tree: exact.)"""
    return excess_length(sample, predicted) == 0


def reached_target(sample: Sample, predicted: Cells) -> bool:
    """Is the target the prediction's last cell, however it got there?"""
    return len(predicted) > 0 and predicted[-1] == sample.target


def node_overlap(sample: Sample, predicted: Cells) -> float:
    """The share of the true path's cells that the prediction visits (recall)."""
    return len(set(predicted) & set(sample.path.tolist())) / len(sample.path)


def node_precision(sample: Sample, predicted: Cells) -> float:
    """The share of the prediction's cells, each counted once, that are on the path."""
    found = set(visited(predicted))
    return len(found & set(sample.path.tolist())) / max(1, len(found))


def node_jaccard(sample: Sample, predicted: Cells) -> float:
    """Cells on both the true path and the predicted one, over cells on either."""
    found, true = set(visited(predicted)), set(sample.path.tolist())
    return len(found & true) / len(found | true)


def legal_steps(sample: Sample, predicted: Cells) -> float:
    """The share of the prediction's steps that go through a passage.

    A single cell, which takes no step, has 1; nothing has 0.
    """
    legal = [is_open(sample.maze, a, b) for a, b in steps_of(predicted)]
    return sum(legal) / len(legal) if legal else float(len(predicted) > 0)


def adjacent_steps(sample: Sample, predicted: Cells) -> float:
    """The share of its steps that go to a lattice neighbour, passage or wall."""
    near = [is_lattice_step(sample.maze, a, b) for a, b in steps_of(predicted)]
    return sum(near) / len(near) if near else float(len(predicted) > 0)


def wall_jumps(sample: Sample, predicted: Cells) -> int:
    """Steps to a lattice neighbour that a wall parts from the cell."""
    maze = sample.maze
    return sum(
        is_lattice_step(maze, a, b) and not is_open(maze, a, b)
        for a, b in steps_of(predicted)
    )


def teleports(sample: Sample, predicted: Cells) -> int:
    """Steps to a cell that is no lattice neighbour, or out of the maze."""
    return sum(not is_lattice_step(sample.maze, a, b) for a, b in steps_of(predicted))


def revisits(sample: Sample, predicted: Cells) -> int:
    """Steps to a cell that the prediction has been to."""
    found = visited(predicted)
    return len(found) - len(set(found))


def backtracks(sample: Sample, predicted: Cells) -> int:
    """Steps back to the cell before the last one: a, b, a."""
    triples = zip(predicted, predicted[2:], strict=False)
    return sum(a == b >= 0 for a, b in triples)


def stops_early(sample: Sample, predicted: Cells) -> bool:
    """Does it end, by <PATH_END>, without having been to the target?"""
    return has_end(predicted) and sample.target not in predicted


def runs_on(sample: Sample, predicted: Cells) -> bool:
    """Does anything but the end follow the target?"""
    return bool(sample.target in predicted[:-1])


def has_end(predicted: Cells) -> bool:
    """Does <PATH_END> follow its last cell?"""
    return len(predicted) == 0 or bool(predicted[-1] != NO_END)


def first_error(sample: Sample, predicted: Cells) -> int | None:
    """The place, counted from 0, of the first cell that is on no shortest path.

    The prediction up to it is the beginning of a shortest path. One place after the
    last cell if it stops too early, and after the target if it runs on. None for a
    shortest path; 0 where there is none.
    """
    distance = sample.maze.distances(sample.target)
    expected = distance[sample.origin]
    if expected < 0:
        return 0
    for place, cell in enumerate(predicted):
        follows = place == 0 or is_open(sample.maze, predicted[place - 1], cell)
        is_nearer = cell >= 0 and distance[cell] == expected - place
        starts_right = place > 0 or cell == sample.origin
        if not (follows and is_nearer and starts_right):
            return place
    return None if len(predicted) == expected + 1 else len(predicted)


def excess_length(sample: Sample, predicted: Cells) -> int | None:
    """How many steps longer than a shortest path it is; None if it is not valid."""
    if not is_valid(sample, predicted):
        return None
    shortest = int(sample.maze.distances(sample.target)[sample.origin])
    return len(predicted) - 1 - shortest


def outcome(sample: Sample, predicted: Cells) -> str:
    """What became of the question: "solved", or one of six kinds of failure."""
    if is_shortest(sample, predicted):
        return "solved"
    if is_valid(sample, predicted):
        return "there by a detour"
    if reached_target(sample, predicted):
        is_jump = teleports(sample, predicted) or predicted[0] != sample.origin
        return "there by a jump" if is_jump else "there through a wall"
    if not has_end(predicted):
        return "does not stop"
    passed = sample.target in predicted
    return "passes the target" if passed else "stops elsewhere"


def departure(sample: Sample, predicted: Cells) -> str:
    """How the prediction first leaves the shortest ways: the kind of its `first_error`.

    "none"; "wrong turn", a legal step to a cell not visited yet; or a breach of a rule.
    """
    place = first_error(sample, predicted)
    if place is None:
        return "none"
    if place == len(predicted):
        return "stops early"
    cell, before = predicted[place], list(predicted[:place])
    if cell == NO_END:
        return "no end"
    if not before:
        return "starts elsewhere"
    if sample.target in before:
        return "runs on"
    if not is_lattice_step(sample.maze, before[-1], cell):
        return "jump"
    if not is_open(sample.maze, before[-1], cell):
        return "through a wall"
    return "turns back" if cell in before else "wrong turn"


RATES = {
    "exact": is_exact,
    "shortest": is_shortest,
    "valid": is_valid,
    "reached_target": reached_target,
    "node_overlap": node_overlap,
    "node_precision": node_precision,
    "node_jaccard": node_jaccard,
    "legal_steps": legal_steps,
    "adjacent_steps": adjacent_steps,
}
FAULTS = {
    "wall_jumps": wall_jumps,
    "teleports": teleports,
    "revisits": revisits,
    "backtracks": backtracks,
    "stops_early": stops_early,
    "runs_on": runs_on,
}


def measured(samples: Iterable[Sample], paths: Iterable[Cells]) -> pd.DataFrame:
    """One row a path: all measures above and the `steps` of the true path."""
    rows = [
        {
            **{name: rate(sample, path) for name, rate in RATES.items()},
            **{name: fault(sample, path) for name, fault in FAULTS.items()},
            "first_error": first_error(sample, path),
            "excess_length": excess_length(sample, path),
            "outcome": outcome(sample, path),
            "departure": departure(sample, path),
            "steps": len(sample.path) - 1,
        }
        for sample, path in zip(samples, paths, strict=True)
    ]
    counts = dict.fromkeys(("first_error", "excess_length"), "Int64")  # with gaps
    return pd.DataFrame(rows).astype(counts)


def is_open(maze: Maze, a: int, b: int) -> bool:
    """Is there a passage between two cells? Never to or from one outside the maze."""
    return a >= 0 and b >= 0 and b in maze.neighbours(a)


def is_lattice_step(maze: Maze, a: int, b: int) -> bool:
    """Are two cells next to each other in the grid? Never where one is outside it."""
    return a >= 0 and b >= 0 and manhattan(maze.n, a, b) == 1


def manhattan(n: int, a: int, b: int) -> int:
    """The Manhattan distance of two cells of a grid of side n."""
    return abs(a // n - b // n) + abs(a % n - b % n)


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


def forks_rolled(sample: Sample, predicted: Cells) -> list[bool]:
    """At each fork that the prediction comes to, does its next cell go the right way?

    Up to its first error: forks beyond it, or that it never comes to, are not counted.
    """
    place = first_error(sample, predicted)
    if place is None:
        return [True] * len(sample.maze.forks(predicted))
    cells = list(predicted[:place])
    if cells and cells[-1] != sample.target:  # the step that went wrong counts
        cells.append(cells[-1])
    return [step + 1 < place for step in sample.maze.forks(cells).tolist()]


def pooled_rate(outcomes: Iterable[Sequence[bool | float]]) -> float | None:
    """The share of right outcomes over all samples together; None if there are none."""
    everything = np.concatenate([np.asarray(row, float) for row in outcomes] or [[]])
    return float(everything.mean()) if len(everything) else None
