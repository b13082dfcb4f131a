"""Mazes and prompts unlike those that a model was trained on, each under a name.

    shift = shifts(grid=5, side=7)["wilson"]
    mazes, edges = shift.draw(1000)
    table = evaluate(model, tokenizer, mazes, edges=edges)

A shift changes how mazes are made, where questions begin and end, or how the list of
edges is written; nothing else. All mazes are of the test split. What has no right
answer at all (a target that is cut off, say) is made by `cut_off` and `same_ends`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from mazelib.behaviour.metrics import manhattan
from mazelib.dataset.stream import MazeSet, MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.mazes.generators import PERFECT, MazeConfig
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Edges, Sample

SEED = 2**31 - 2
"""That of all shifts: the same mazes for every model."""
REPEATED = 1 / 3
"""The share of edges that "duplicated" lists twice."""

Order = Callable[[Sample, Edges, np.random.Generator], Edges]
"""(sample, its edges in random order, a generator) → the edges as they are listed."""


def by_name(sample: Sample, edges: Edges, rng: np.random.Generator) -> Edges:
    """From the first row to the last, the lesser cell of each pair first."""
    edges = np.sort(edges, 1)
    return edges[np.lexsort(edges.T[::-1])]


def from_cell(cell: int, sample: Sample, edges: Edges) -> Edges:
    """From those near a cell to those far, the nearer cell of each pair first."""
    distance = sample.maze.distances(cell)
    turned = distance[edges[:, 0]] > distance[edges[:, 1]]
    edges = np.where(turned[:, None], edges[:, ::-1], edges)
    return edges[np.argsort(distance[edges[:, 0]], kind="stable")]


def from_origin(sample: Sample, edges: Edges, rng: np.random.Generator) -> Edges:
    """From the origin outwards."""
    return from_cell(sample.origin, sample, edges)


def from_target(sample: Sample, edges: Edges, rng: np.random.Generator) -> Edges:
    """From the target outwards."""
    return from_cell(sample.target, sample, edges)


def to_target(sample: Sample, edges: Edges, rng: np.random.Generator) -> Edges:
    """From the far ends towards the target, each pair as one would walk it."""
    return from_target(sample, edges, rng)[::-1, ::-1]


def padded(entries: int) -> Order:
    """So many entries, in random order: each edge once, then some of them again.

    Of fewer than there are edges, the path's and some of the others. Raises
    MazelibError if the path alone has more.
    """

    def order(sample: Sample, edges: Edges, rng: np.random.Generator) -> Edges:
        if entries < len(edges):
            return cut_to(entries, sample, edges)
        rounds = -(-entries // len(edges))
        again = np.concatenate([rng.permutation(edges) for _ in range(rounds)])
        return rng.permutation(again[:entries])

    return order


def cut_to(entries: int, sample: Sample, edges: Edges) -> Edges:
    """The first so many of the edges, but for the path's, which all stay."""
    steps = {frozenset(step) for step in pairwise(sample.path.tolist())}
    is_step = np.array([frozenset(edge) in steps for edge in edges.tolist()])
    spare = entries - is_step.sum()
    if spare < 0:
        raise MazelibError(
            f"entries is {entries}, but the path has {is_step.sum()} steps: ask for as "
            "many, or take mazes with shorter paths"
        )
    return edges[is_step | ((~is_step).cumsum() <= spare)]


def duplicated(sample: Sample, edges: Edges, rng: np.random.Generator) -> Edges:
    """Some edges listed twice."""
    return padded(len(edges) + round(REPEATED * len(edges)))(sample, edges, rng)


ORDERS = {
    "sorted": by_name,
    "from origin": from_origin,
    "from target": from_target,
    "to target": to_target,
    "duplicated": duplicated,
}


@dataclass(frozen=True)
class Shift:
    """One set of mazes.

    stream: how they are drawn. order: how their lists are written, one of `ORDERS`, or
    at random as in training. entries: how many there are in a list that is `padded`.
    distracting: are there passages, in the list as well, that no cell of the question's
    can be reached from?
    """

    stream: StreamConfig
    order: str | None = None
    entries: int | None = None
    distracting: bool = False

    def draw(
        self, count: int, walls: bool = False
    ) -> tuple[MazeSet, list[Edges] | None]:
        """So many mazes of the set, and their lists where these are not as usual.

        walls: list the pairs that a wall parts, for a tokenizer that does.
        """
        mazes = MazeStream(self.stream).take(0, count)
        if self.distracting:
            mazes = distract(mazes)
        order = padded(self.entries) if self.entries else ORDERS.get(self.order)
        return mazes, order and listed(mazes, order, walls)


def shifts(grid: int = 5, side: int = 7) -> dict[str, Shift]:
    """Every shift from depth-first mazes of a grid in the corner of a larger one.

    "none" is the set that is as in training.
    """

    stream = partial(stream_of, grid)
    sizes = {f"{n}×{n}": Shift(stream(size=n)) for n in range(3, side + 1) if n != grid}
    kinds = [name for name in PERFECT if name != "dfs"] + ["forkless", "open_field"]
    found = {
        "none": Shift(stream()),
        **sizes,
        **{name: Shift(stream(name)) for name in kinds},
        "one obstacle": Shift(stream("open_field_obstacle")),
        **{
            f"cycles, p = {p}": Shift(stream("dfs_percolation", p=p))
            for p in (0.1, 0.2, 0.4)
        },
        "sparse": Shift(stream(cells=0.6)),
        "distractors": Shift(stream(cells=0.6), distracting=True),
        "offset": Shift(stream(spread=side)),
        "dead ends": Shift(stream(endpoints="dead_ends")),
        "far apart": Shift(stream(min_steps=3 * grid)),
    }
    orders = {f"list {name}": Shift(stream(), order=name) for name in ORDERS}
    return {**found, **orders}


def stream_of(
    grid: int, generator: str = "dfs", size: int = 0, p=None, cells=1.0, **options
) -> StreamConfig:
    """The test mazes of a shift: of the grid's size unless said, in its corner."""
    mazes = MazeConfig(generator, size or grid, p=p, accessible=cells)
    return StreamConfig(mazes, split="test", seed=SEED, **options)


def lengths(grid: int = 5, side: int = 7) -> dict[str, Shift]:
    """Shifts that tell the length of the list from what else comes with it.

    The same mazes with longer lists; smaller and sparse mazes with lists as long as
    those of the grid's own; larger ones of which as many cells are in use; smaller ones
    anywhere in the side; and more of the way to the open field.
    """
    stream, usual, field = partial(stream_of, grid), grid**2 - 1, 2 * grid * (grid - 1)
    larger = [size**2 - 1 for size in range(grid + 1, side + 1)]
    longer = sorted({(usual + field) // 2, field, *larger})
    smaller = range(3, grid)
    return {
        **{f"{n} entries": Shift(stream(), entries=n) for n in longer},
        **{
            f"{n}×{n}, {usual} entries": Shift(stream(size=n), entries=usual)
            for n in smaller
        },
        **{f"{n}×{n}, anywhere": Shift(stream(size=n, spread=side)) for n in smaller},
        "sparse, padded": Shift(stream(cells=0.6), entries=usual),
        **{
            f"{n}×{n}, {grid**2} cells": Shift(stream(size=n, cells=grid**2 / n**2))
            for n in range(grid + 1, side + 1)
        },
        **{
            f"cycles, p = {p}": Shift(stream("dfs_percolation", p=p))
            for p in (0.3, 0.6, 0.8)
        },
    }


def listed(mazes: MazeSet, order: Order, walls: bool = False) -> list[Edges]:
    """Each maze's passages (or walls), in an order; the same at each call."""
    rng = np.random.default_rng(SEED)
    lists = []
    for sample in mazes:
        edges = rng.permuted(rng.permutation(sample.maze.edges(walls)), axis=1)
        lists.append(order(sample, edges, rng))
    return lists


def distract(mazes: MazeSet) -> MazeSet:
    """The mazes with all passages open between cells that had none."""
    alone = np.ones((len(mazes), mazes.n, mazes.n), bool)
    alone[:, :, :-1] &= ~mazes.right
    alone[:, :, 1:] &= ~mazes.right
    alone[:, :-1] &= ~mazes.down
    alone[:, 1:] &= ~mazes.down
    right = mazes.right | (alone[:, :, :-1] & alone[:, :, 1:])
    down = mazes.down | (alone[:, :-1] & alone[:, 1:])
    return replace(mazes, right=right, down=down)


def cut_off(mazes: MazeSet) -> MazeSet:
    """The mazes with a wall before the target; `path` is as it was, now illegal."""
    right, down = mazes.right.copy(), mazes.down.copy()
    for index, sample in enumerate(mazes):
        closed = without_step(sample.maze, *sample.path[-2:].tolist())
        right[index], down[index] = closed.right, closed.down
    return replace(mazes, right=right, down=down)


def same_ends(mazes: MazeSet) -> MazeSet:
    """The mazes asked for the way from a cell to that cell."""
    path = np.full_like(mazes.path, -1)
    path[:, :, 0] = mazes.origin
    length = np.ones_like(mazes.length)
    return replace(mazes, target=mazes.origin, path=path, length=length)


def without_step(maze: Maze, a: int, b: int) -> Maze:
    """The maze with a wall between two cells."""
    right, down = maze.right.copy(), maze.down.copy()
    if manhattan(maze.n, a, b) == 1:
        across = abs(a - b) == 1
        (right if across else down)[divmod(min(a, b), maze.n)] = False
    return Maze(right, down)
