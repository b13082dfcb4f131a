"""At a fork: can the way not taken be read off a model, too, and when is it dropped?

    python -m experiments.ways              # writes data/results/ways.json
    python -m experiments.ways dfs10        # this network again, the others as they are

One row a network, about the forks of the mazes of `experiments.families`. Probes are
fitted to tell the cells two and three steps into the right way from cells as near on
the grid that are farther off through the maze; `wrong` is how well the same probes tell
the cells two and three steps into a wrong way, layer by layer, beside what probes read
off the edges next to the fork, off the whole input, and off an untrained network. And
whether cells that back-filling fills early are those that early layers rule out.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from tqdm import tqdm

from experiments.families import (
    COUNT,
    Places,
    by_family,
    keep,
    networks,
    rounded,
    told,
)
from mazelib.behaviour.backfilling import pruned_in
from mazelib.behaviour.forks import ways_on
from mazelib.behaviour.metrics import manhattan
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.classification import NOT_ASKED
from mazelib.evidence.intervals import bootstrap_groups, partial_rank_correlation
from mazelib.evidence.threads import one_thread
from mazelib.internals.logit_lens import settled
from mazelib.internals.plans import (
    PathSteps,
    future,
    passage_features,
    question_features,
)
from mazelib.internals.probes import SCORE, groups_of
from mazelib.internals.readings import (
    Asked,
    Reading,
    interval_of,
    read_by,
    reading,
)
from mazelib.mazes.maze import Maze

TABLE = "ways.json"
INTO = (2, 3)
"""How many steps into a way the cells are that are asked about."""
Labels = Int[np.ndarray, "forks cells"]


def way_labels(mazes: MazeSet, steps: PathSteps) -> tuple[Labels, Labels]:
    """Of each fork: the cells of the right way, and of the wrong ones, that are asked.

    1 for those two and three steps into it; 0 for cells as far from the fork on the
    lattice as one of these, but more than three steps through the maze, which the path
    has not been to; -1 for all others.
    """
    found = np.full((2, len(steps.maze), mazes.n**2), NOT_ASKED)
    for row, (at, step) in enumerate(np.stack(steps, 1).tolist()):
        maze, _, _, path = mazes[at]
        cells = path.tolist()
        for way in ways_on(maze, cells, step):
            is_wrong = int(way != cells[step + 1])
            found[is_wrong, row, list(into(maze, cells[step], way))] = 1
        far = maze.distances(cells[step])
        off = np.array([manhattan(mazes.n, cells[step], c) for c in range(mazes.n**2)])
        free = (far > max(INTO)) & ~np.isin(np.arange(mazes.n**2), cells[: step + 1])
        for side in found[:, row]:
            side[free & np.isin(off, off[side == 1])] = 0
    return found[0], found[1]


def into(maze: Maze, fork: int, way: int) -> set[int]:
    """The cells of a way on that are `INTO` steps from its fork."""
    seen, edge, found = {fork}, {way}, set()
    for depth in range(1, max(INTO) + 1):
        if depth in INTO:
            found |= edge
        seen |= edge
        edge = {c for e in edge for c in maze.neighbours(e)} - seen
    return found


def near_features(mazes: MazeSet, steps: PathSteps) -> np.ndarray:
    """Origin, target and fork, and which of its four sides are open."""
    n, rows = mazes.n, []
    for at, step in np.stack(steps, 1).tolist():
        maze, cell = mazes[at].maze, int(mazes.path[at, 0, step])
        beside = maze.neighbours(cell)
        rows.append([cell + side in beside for side in (-n, n, -1, 1)])
    return np.concatenate([question_features(mazes, steps), np.array(rows, float)], 1)


class Both:
    """How well probes that are fitted on right ways tell right ways, and wrong ones."""

    def __init__(self, asked: Asked, wrong: Labels, features: np.ndarray):
        self.right = reading(asked, features)
        other = asked._replace(labels=wrong[:, asked.targets])
        self.wrong = read_by(other, self.right.probes.scores(features))

    def facts(self) -> dict[str, object]:
        """By layer, at the best layer, and how much is lost from there to the last."""
        return {
            side: {
                "by layer": rounded(found.by_site),
                "layer": found.best,
                "read": told(found),
                "dropped": dropped(found),
            }
            for side, found in (("right", self.right), ("wrong", self.wrong))
        }


def dropped(found: Reading) -> list[float]:
    """A reading at its best layer less that at the last, with its interval."""
    gap = found.drawn - found.by_draw[-1]
    return rounded([found.value - found.by_site[-1], *interval_of(gap)])


def filled(
    mazes: MazeSet, steps: PathSteps, asked: Asked, features: np.ndarray
) -> dict[str, list[float]]:
    """Are cells ruled out in early layers where back-filling fills them in few rounds?

    The rank correlation of the layer from which the probe has a cell less likely on the
    path than it is on average with the round in which it is filled; `partial`: at equal
    steps from the fork and distances on the lattice from fork and target. Of the cells
    that the path does not come to and has not been to, at the first fork of each maze.
    """
    probes = reading(asked, features).probes
    scored = np.flatnonzero(asked.part == SCORE)
    rows = scored[np.unique(steps.maze[scored], return_index=True)[1]]
    base = asked.labels[asked.part != SCORE].mean(0)
    scores = probes.scores(features[:, rows])
    layer = settled(np.log(base / (1 - base)) - scores)
    of_cell = np.full((len(rows), mazes.n**2), -1)
    of_cell[:, asked.targets] = layer
    group = groups_of(mazes)
    tables = [
        off_path(mazes, int(steps.maze[fork]), int(steps.step[fork]), layers)
        for fork, layers in zip(rows, of_cell, strict=True)
    ]
    maze, rounds, layer, *given = np.concatenate(tables).astype(float).T
    every, found = np.arange(len(maze)), {}
    for name, equal in {"raw": [0 * maze], "partial": given}.items():
        others = np.stack(equal, 1)

        def both(drawn: np.ndarray, others=others) -> float:
            return partial_rank_correlation(rounds[drawn], layer[drawn], others[drawn])

        ends = bootstrap_groups(group[maze.astype(int)], both, resamples=100)
        found[name] = rounded([both(every), *ends])
    return found


def off_path(mazes: MazeSet, at: int, step: int, layers: np.ndarray) -> np.ndarray:
    """Of each cell that the rest of a path leaves out and it has not been to: the maze,
    the round in which it is filled, the layer, and three distances."""
    maze, _, target, path = mazes[at]
    fork = int(path[step])
    rounds, far = pruned_in(maze, (fork, target)), maze.distances(fork)
    asked = (rounds > 0) & (layers >= 0)
    asked[path[: step + 1]] = False
    cells = np.flatnonzero(asked)
    columns = [np.full(len(cells), at), rounds[cells], layers[cells], far[cells]]
    for end in (fork, target):
        columns.append([manhattan(mazes.n, end, cell) for cell in cells.tolist()])
    return np.stack([np.asarray(column, int) for column in columns], 1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read all networks, or those that are named, and write the table."""
    one_thread()
    known = networks()
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.ways", "n": COUNT}
    for family, some in by_family(names, known):
        places = Places.of(family)
        mazes, steps = places.mazes, places.steps["fork"]
        right, wrong = way_labels(mazes, steps)
        asked, coming = (places.asked("fork", y) for y in (right, future(mazes, steps)))
        given = {
            "near": near_features(mazes, steps),
            "passages": passage_features(mazes, steps),
        }
        inputs = {
            name: Both(asked, wrong, features[None]).facts()
            for name, features in given.items()
        }
        for name in tqdm(some, family):
            features = places.streams(name).steps["fork"]
            facts = Both(asked, wrong, features).facts() | {
                "filled": filled(mazes, steps, coming, features),
                "inputs": inputs,
            }
            keep(TABLE, {"model": name, **facts}, **about)


if __name__ == "__main__":
    main()
