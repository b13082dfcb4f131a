"""What probes are asked about the path, and what could be known of it without a model.

    steps = path_steps(mazes, "fork")            # which steps of which mazes
    future(mazes, steps)                         # [tokens, cells]: still to come?
    directions(mazes, steps)                     # up, down, left, right, or not at all
    question_features(mazes, steps)              # origin, target and present cell
    passage_features(mazes, steps)               # those, and every passage as a bit

Steps are counted from 0, the origin's token; -1 is <PATH_START>, from which the origin
is one step ahead. Mazes have one question each.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from mazelib.dataset.stream import MazeSet
from mazelib.errors import MazelibError

START = -1
"""The step that <PATH_START> is."""
STAYS, UP, DOWN, LEFT, RIGHT = range(5)
"""How a path leaves a cell: not at all, or to the neighbour in a direction."""
KINDS = ("start", "origin", "fork", "corridor", "any")


class PathSteps(NamedTuple):
    """Steps of true paths: of which maze, and which step."""

    maze: Int[np.ndarray, "steps"]
    step: Int[np.ndarray, "steps"]

    def those(self, kept: Bool[np.ndarray, "steps"]) -> "PathSteps":
        """Some of them."""
        return PathSteps(self.maze[kept], self.step[kept])


def path_steps(mazes: MazeSet, kind: str) -> PathSteps:
    """All steps of a kind, from which the path goes on.

    kind: "start", <PATH_START>; "origin", the path's first cell; "fork", where there
    is a choice; "corridor", where there is none; "any", the last two. In order. Raises
    MazelibError for another.
    """
    if kind not in KINDS:
        raise MazelibError(f"no kind {kind!r} of step: take one of {', '.join(KINDS)}")
    each = np.arange(len(mazes))
    if kind in ("start", "origin"):
        return PathSteps(each, np.full(len(mazes), START if kind == "start" else 0))
    found = []
    for at, sample in enumerate(mazes):
        every = np.arange(len(sample.path) - 1)
        is_fork = np.isin(every, sample.maze.forks(sample.path))
        kept = {"fork": is_fork, "corridor": ~is_fork, "any": every >= 0}[kind]
        found += [(at, step) for step in every[kept]]
    return PathSteps(*np.array(found, int).reshape(-1, 2).T)


def to_go(mazes: MazeSet, steps: PathSteps) -> Int[np.ndarray, "steps"]:
    """How many steps of the path are left."""
    return mazes.length[steps.maze, 0] - 1 - steps.step


def cell_at(mazes: MazeSet, steps: PathSteps, ahead: int) -> Int[np.ndarray, "steps"]:
    """The path's cell so many steps on; -1 beyond its ends."""
    at = steps.step + ahead
    inside = (at >= 0) & (at < mazes.length[steps.maze, 0])
    cell = mazes.path[steps.maze, 0, np.where(inside, at, 0)]
    return np.where(inside, cell, -1).astype(int)


def future(
    mazes: MazeSet, steps: PathSteps, least: int = 2
) -> Int[np.ndarray, "steps cells"]:
    """1 for each cell that the path comes to, at least so many steps ahead; else 0."""
    found = np.zeros((len(steps.maze), mazes.n**2), int)
    each = np.arange(len(found))
    for ahead in range(least, int(to_go(mazes, steps).max(initial=0)) + 1):
        cell = cell_at(mazes, steps, ahead)
        found[each[cell >= 0], cell[cell >= 0]] = 1
    return found


def directions(mazes: MazeSet, steps: PathSteps) -> Int[np.ndarray, "steps cells"]:
    """How the rest of the path leaves each cell: `UP`, `DOWN`, `LEFT`, `RIGHT`.

    Or `STAYS`: the target, and cells that are not on it. It begins at the step's own.
    """
    n = mazes.n
    found = np.full((len(steps.maze), n * n), STAYS)
    each, turns = np.arange(len(found)), {-n: UP, n: DOWN, -1: LEFT, 1: RIGHT}
    for ahead in range(int(to_go(mazes, steps).max(initial=0))):
        cell, onward = (cell_at(mazes, steps, ahead + more) for more in (0, 1))
        for difference, turn in turns.items():
            goes = (cell >= 0) & (onward >= 0) & (onward - cell == difference)
            found[each[goes], cell[goes]] = turn
    return found


def target_distances(
    mazes: MazeSet, steps: PathSteps
) -> Float[np.ndarray, "steps cells"]:
    """How far each cell is from the target through the maze, in steps."""
    of_each = np.stack([sample.maze.distances(sample.target) for sample in mazes])
    return of_each[steps.maze].astype(float)


def question_features(
    mazes: MazeSet, steps: PathSteps
) -> Float[np.ndarray, "steps features"]:
    """Origin, target and present cell, each as a bit a cell; 3n² of them.

    At <PATH_START> no cell is the present one.
    """
    cells = np.arange(mazes.n**2)
    named = (
        mazes.origin[steps.maze, 0],
        mazes.target[steps.maze, 0],
        cell_at(mazes, steps, 0),
    )
    return np.concatenate([cell[:, None] == cells for cell in named], 1).astype(float)


def passages(mazes: MazeSet) -> Float[np.ndarray, "mazes edges"]:
    """Each passage that there may be as a bit; 2n(n - 1) of them."""
    parts = [part.reshape(len(mazes), -1) for part in (mazes.right, mazes.down)]
    return np.concatenate(parts, 1).astype(float)


def passage_features(
    mazes: MazeSet, steps: PathSteps
) -> Float[np.ndarray, "steps features"]:
    """Those of `question_features`, and every passage as a bit: all that a model is
    given, but for the order of the list."""
    known = passages(mazes)[steps.maze]
    return np.concatenate([question_features(mazes, steps), known], 1)


def onward_features(
    mazes: MazeSet, steps: PathSteps
) -> Float[np.ndarray, "steps features"]:
    """Those of `passage_features`, and the path's next cell as a bit a cell.

    What whoever prints the next cell knows, and no more of the path.
    """
    onward = cell_at(mazes, steps, 1)[:, None] == np.arange(mazes.n**2)
    return np.concatenate([passage_features(mazes, steps), onward], 1)
