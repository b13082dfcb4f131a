"""Solvers that do not learn, in closed form and by simulation: the floors of a score.

All keep to open passages and never revisit a cell. `random_step` chooses uniformly
among the open cells not visited yet: the baseline solver of the post. `greedy_step`
chooses the one nearest to the target in Manhattan distance, ties by chance; `wary_step`
does so too, but sees a dead end that lies one step ahead. `wall_step` keeps its right
hand on the wall. `sighted_step(k)` sees k steps ahead and goes where it comes nearest;
`sighted_step(k, j)` sees j steps back from the target, too.

    shortest_probability(sample, random_step)      # of walking a shortest path
    walk(sample, greedy_step, rng)                 # one try
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool

from mazelib.behaviour.forks import ways_on
from mazelib.behaviour.metrics import is_shortest, manhattan, measured, pooled_rate
from mazelib.dataset.stream import MazeSet
from mazelib.errors import MazelibError
from mazelib.evidence.intervals import wilson
from mazelib.mazes.drawing import Cells
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Sample

Step = Callable[[Maze, Cells, Cells, int], Cells]
"""(maze, the one or two cells it came by, open cells not visited yet, target) → those
it chooses among, uniformly."""


def random_step(maze: Maze, came: Cells, options: Cells, target: int) -> Cells:
    """Every option."""
    return options


def greedy_step(maze: Maze, came: Cells, options: Cells, target: int) -> Cells:
    """The options nearest to the target in Manhattan distance."""
    away = [manhattan(maze.n, cell, target) for cell in options]
    return [c for c, d in zip(options, away, strict=True) if d == min(away)]


def wary_step(maze: Maze, came: Cells, options: Cells, target: int) -> Cells:
    """As greedy, but into no dead end but the target, where there is another way."""
    alive = [cell for cell in options if cell == target or maze.degree[cell] > 1]
    return greedy_step(maze, came, alive or options, target)


def wall_step(maze: Maze, came: Cells, options: Cells, target: int) -> Cells:
    """Rightmost as it comes, then straight on, then left; at the origin, every option.

    A right-hand wall follower that cannot turn round: it stops at the first dead end.
    """
    if len(came) == 1:
        return options
    before, cell = came
    down, right = cell // maze.n - before // maze.n, cell % maze.n - before % maze.n
    turns = [(right, -down), (down, right), (-right, down)]
    ways = [cell + rows * maze.n + cols for rows, cols in turns]
    return [next(way for way in ways if way in options)]


def sighted_step(steps: int, back: int = 0) -> Step:
    """A solver that sees so many steps ahead, and so many back from the target.

    Where it sees the target, or a cell that it sees from there, it goes there. Else it
    goes into no way that it sees end, and of the others into the one that comes nearest
    to a cell seen from the target, in Manhattan distance. Right in a tree at every fork
    from which the target is no more than `steps` + `back` steps away, or of whose ways
    on all but one end within `steps`: so, without `back`, where
    `mazelib.behaviour.forks.lookahead` is no more than `steps`. The same as `wary_step`
    for one step.
    """

    def step(maze: Maze, came: Cells, options: Cells, target: int) -> Cells:
        distance = maze.distances(target)
        here = distance[came[-1]]
        if here <= back and (nearer := [c for c in options if distance[c] < here]):
            return nearer
        goal = set(np.flatnonzero((distance >= 0) & (distance <= back)).tolist())
        looks = {way: look(maze, came[-1], way, goal, steps) for way in options}
        alive = [way for way in options if looks[way][0]] or options
        nearest = min(looks[way][1] for way in alive)
        return [way for way in alive if looks[way][1] == nearest]

    return step


def look(
    maze: Maze, cell: int, way: int, goal: set[int], steps: int
) -> tuple[bool, int]:
    """What is seen of a way on from a cell, so many steps ahead.

    Does it go on, or hold a cell of the goal? And how near to one does it come?
    """
    seen, edge = {cell, way}, [way]
    nearest = min(manhattan(maze.n, way, g) for g in goal)
    for _ in range(steps - 1):
        edge = [c for e in edge for c in maze.neighbours(e) if c not in seen]
        seen |= set(edge)
        nearest = min([nearest, *(manhattan(maze.n, c, g) for c in edge for g in goal)])
    goes_on = any(c not in seen for e in edge for c in maze.neighbours(e))
    return goes_on or bool(goal & seen), nearest


SOLVERS = {
    "random": random_step,
    "greedy": greedy_step,
    "wary": wary_step,
    "wall": wall_step,
}


def path_probability(sample: Sample, step: Step) -> float:
    """The chance that a solver walks the very path of the sample (exact).

    The product, over its steps, of one over the cells chosen among.
    """
    maze, _, target, path = sample
    chance = 1.0
    for t, cell in enumerate(path[:-1].tolist()):
        visited = set(path[: t + 1].tolist())
        options = [c for c in maze.neighbours(cell) if c not in visited]
        chosen = step(maze, path[max(0, t - 1) : t + 1].tolist(), options, target)
        chance *= (path[t + 1] in chosen) / len(chosen)
    return float(chance)


def shortest_probability(sample: Sample, step: Step) -> float:
    """The chance that a solver walks any shortest path (exact; in a tree the path).

    On a shortest path no cell but the one before is open and visited, so the chance
    from a cell on depends on that cell and the one before alone.
    """
    maze, origin, target, _ = sample
    distance = maze.distances(target)

    layers = [{origin: {-1}}]  # cell → the cells before it, one layer a step
    while target not in layers[-1]:
        layers.append({})
        for cell in layers[-2]:
            for nearer in maze.neighbours(cell):
                if distance[nearer] == distance[cell] - 1:
                    layers[-1].setdefault(nearer, set()).add(cell)
    chances = {(before, target): 1.0 for before in layers[-1][target]}
    for layer in reversed(layers[:-1]):
        for cell, before in ((c, b) for c, befores in layer.items() for b in befores):
            options = [c for c in maze.neighbours(cell) if c != before]
            came = [cell] if before < 0 else [before, cell]
            chosen = step(maze, came, options, target)
            total = sum(chances.get((cell, c), 0.0) for c in chosen)
            chances[before, cell] = total / len(chosen)
    return chances[-1, origin]


def fork_choices(sample: Sample, step: Step) -> list[Cells]:
    """At each fork of the true path: the cells that a solver chooses among."""
    maze, _, target, path = sample
    cells = path.tolist()
    return [
        step(maze, cells[max(0, t - 1) : t + 1], ways_on(maze, cells, t), target)
        for t in maze.forks(path).tolist()
    ]


def fork_chances(sample: Sample, step: Step) -> list[float]:
    """At each fork of the true path: the chance of a step nearer to the target."""
    distance = sample.maze.distances(sample.target)
    here = distance[sample.path[sample.maze.forks(sample.path)]].tolist()
    choices = fork_choices(sample, step)
    return [
        sum(distance[cell] < away for cell in chosen) / len(chosen)
        for chosen, away in zip(choices, here, strict=True)
    ]


def walk(sample: Sample, step: Step, rng: np.random.Generator) -> list[int]:
    """The cells of one try: until the target, or until no open cell is left."""
    maze, origin, target, _ = sample
    path, visited = [origin], {origin}
    while path[-1] != target:
        options = [c for c in maze.neighbours(path[-1]) if c not in visited]
        if not options:
            break
        chosen = step(maze, path[-2:], options, target)
        path.append(int(chosen[rng.integers(len(chosen))]))
        visited.add(path[-1])
    return path


def simulate(
    samples: Sequence[Sample], step: Step, rng: np.random.Generator
) -> Bool[np.ndarray, "samples"]:
    """For each sample: did one try walk a shortest path?"""
    return np.array([is_shortest(s, walk(s, step, rng)) for s in samples], bool)


def tries(mazes: MazeSet, solver: str, seed: int = 0) -> pd.DataFrame:
    """One try a maze, with all of `mazelib.behaviour.metrics`: a row a maze."""
    rng, step = np.random.default_rng(seed), SOLVERS[solver]
    return measured(mazes, [walk(sample, step, rng) for sample in mazes])


def floor(mazes: MazeSet, solver: str, seed: int = 0) -> dict:
    """What a solver scores on a set of mazes, with the keys of a model's summary.

    `exact`, `shortest` and `fork_accuracy` are in closed form; `simulated` is the share
    of shortest paths in one try a maze, with its Wilson interval. Raises MazelibError
    for an unknown solver.
    """
    if solver not in SOLVERS:
        names = ", ".join(SOLVERS)
        raise MazelibError(f"no solver {solver!r}: choose from {names}")
    step, samples, n = SOLVERS[solver], list(mazes), len(mazes)
    hits = int(simulate(samples, step, np.random.default_rng(seed)).sum())
    return {
        "n": n,
        "exact": float(np.mean([path_probability(s, step) for s in samples])),
        "shortest": float(np.mean([shortest_probability(s, step) for s in samples])),
        "simulated": hits / n,
        "simulated_ci": list(wilson(hits, n)),
        "fork_accuracy": pooled_rate([fork_chances(s, step) for s in samples]),
    }
