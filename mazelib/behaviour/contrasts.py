"""Contrast sets: mazes in which a rule of thumb and a search part company.

    mazes = two_ways(2000)                 # one way is shorter: which is taken?
    mazes = open_field()                   # a greedy solver is always right
    mazes = blocked()                      # and here it runs into the obstacle
    mazes, is_far = far_forks(stream, 40_000, least=9)     # a search has to go far
    mazes = seen_last("dfs5", 4000)        # of its training, with other questions

Each is a `MazeSet` of one question a maze, the same at each call. `two_ways` is of the
test split; open fields and those with an obstacle are so few that all are asked, with
every question.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from mazelib.behaviour.forks import fork_table
from mazelib.behaviour.metrics import manhattan
from mazelib.behaviour.shifts import SEED, stream_of, without_step
from mazelib.dataset.stream import CHUNK, MazeSet, MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.mazes.questions import TEST, splits_of
from mazelib.models import zoo
from mazelib.tokens.tokenizer import Sample


def two_ways(count: int, grid: int = 5, least: int = 2) -> MazeSet:
    """Depth-first mazes with one passage more, and so one cycle, and two ways to go.

    One of the two is at least `least` steps shorter than the other.
    """
    config = StreamConfig(MazeConfig("dfs", grid), split="any", seed=SEED)
    stream, rng = MazeStream(config), np.random.default_rng(SEED)
    parts, start, size = [], 0, 8 * CHUNK
    while sum(map(len, parts)) < count:
        trees = stream.take(start, size)
        mazes = stream.questioned(rng, *with_passage(trees.right, trees.down, rng))
        mazes = mazes[splits_of(mazes.right, mazes.down) == TEST]
        longer = np.array([other_way(sample) for sample in mazes])
        parts.append(mazes[longer >= mazes.length[:, 0] - 1 + least])
        start += size
    return MazeSet.concatenate(parts)[:count]


def with_passage(right, down, rng: np.random.Generator) -> tuple:
    """Mazes' passages and one more in each, in place of any of its walls."""
    flat = np.concatenate([part.reshape(len(right), -1) for part in (right, down)], 1)
    chosen = np.where(flat, -1, rng.random(flat.shape)).argmax(1)
    flat[np.arange(len(flat)), chosen] = True
    across = flat[:, : right[0].size]
    return across.reshape(right.shape), flat[:, right[0].size :].reshape(down.shape)


def other_way(sample: Sample) -> int:
    """In a maze with one cycle: the steps of the way on its other side; -1 if none."""
    maze, origin, target, path = sample
    steps = zip(path[:-1].tolist(), path[1:].tolist(), strict=True)
    rounds = [without_step(maze, *step).distances(target)[origin] for step in steps]
    return int(max(rounds))


def open_field(grid: int = 5, orders: int = 3) -> MazeSet:
    """The open field, with every question of two steps and more.

    Each is asked with so many orders of the list.
    """
    field = MazeStream(stream_of(grid, "open_field")).take(0, 1)
    return in_orders(every_question(field, least=2), orders)


def blocked(grid: int = 5, orders: int = 3) -> MazeSet:
    """Open fields with one obstacle, with every question whose way it lengthens.

    The fields are those that come up in 4,096 draws: all 81 there are on a 5×5 grid, of
    which 65 have such a question. Each question is asked with so many orders of the
    list.
    """
    drawn = MazeStream(stream_of(grid, "open_field_obstacle")).take(0, 16 * CHUNK)
    passages = [part.reshape(len(drawn), -1) for part in (drawn.right, drawn.down)]
    _, first = np.unique(np.concatenate(passages, 1), axis=0, return_index=True)
    asked = every_question(drawn[np.sort(first)], least=2)
    straight = np.array([manhattan(grid, s.origin, s.target) for s in asked])
    return in_orders(asked[asked.length[:, 0] - 1 > straight], orders)


def in_orders(mazes: MazeSet, orders: int) -> MazeSet:
    """All the mazes so many times over, each time with its list in an order of its own.

    The order is drawn from a sample's key, so keys are what is drawn here.
    """
    rng = np.random.default_rng(SEED)
    keys = rng.integers(0, 2**64, (orders, len(mazes)), dtype=np.uint64)
    return MazeSet.concatenate([replace(mazes, key=key) for key in keys])


def every_question(mazes: MazeSet, least: int = 1) -> MazeSet:
    """Each maze with each question whose answer has at least `least` steps."""
    parts = []
    for index, sample in enumerate(mazes):
        distance = np.stack([sample.maze.distances(c) for c in range(mazes.n**2)])
        ends = np.argwhere(distance >= least)
        path = np.full((len(ends), 1, mazes.n**2), -1)
        for row, pair in zip(path[:, 0], ends.tolist(), strict=True):
            found = sample.maze.shortest_path(*pair)
            row[: len(found)] = found
        again = mazes[np.full(len(ends), index)]
        origin, target = ends[:, :1], ends[:, 1:]
        length = (path >= 0).sum(-1)
        asked = {"origin": origin, "target": target, "path": path, "length": length}
        parts.append(replace(again, **asked))
    return MazeSet.concatenate(parts)


def far_forks(
    stream: StreamConfig, count: int, least: int
) -> tuple[MazeSet, Bool[np.ndarray, "forks"]]:
    """Of so many mazes of a stream those with a fork that takes far sight and misleads.

    And which of their forks (rows of `mazelib.behaviour.forks.fork_table`) are such:
    one has to look at least so many steps ahead, and a greedy solver goes wrong.
    """
    drawn = MazeStream(stream).take(0, count)
    long = drawn[drawn.length[:, 0] > least]  # a shorter path has no such fork
    table = fork_table(long)
    is_far = table["misleading"] & (table["lookahead"] >= least)
    kept = table.loc[is_far, "maze"].unique()
    return long[kept], is_far[table["maze"].isin(kept)].to_numpy()


def asked_again(stream: StreamConfig, start: int, count: int) -> MazeSet:
    """Mazes of a stream, with one new question each, and a new list order."""
    drawn, one = MazeStream(stream).take(start, count), replace(stream, questions=1)
    rng = np.random.default_rng(SEED)
    return MazeStream(one).questioned(rng, drawn.right, drawn.down)


def seen_last(model: str, count: int) -> MazeSet:
    """The last mazes that a model of data/models was trained on, asked again."""
    stream, training = zoo.trained_on(model), zoo.read_card(model)["training"]
    end = training["steps"] * training["batch"]
    return asked_again(stream, end - count, count)
