"""Minimal pairs: two prompts that differ in one thing, and are answered differently.

    pairs = targets_moved(mazes, tokenizer, rng)
    pairs.clean.ids[0], pairs.corrupted.ids[0]    # alike but for the target's token
    pairs.right[0], pairs.wrong[0]                # the next token of each

Both have a token of the same role in each column, so that what is inside a model while
it reads one can be put in the place of what is inside while it reads the other
(Heimersheim and Nanda, "How to use and interpret activation patching", arXiv
2404.15255). Mazes have one question each, no cycles, and tokens of one cell each.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int

from mazelib.behaviour.forks import ways_on
from mazelib.dataset.stream import MazeSet
from mazelib.errors import MazelibError
from mazelib.internals.plans import START, PathSteps, cell_at
from mazelib.internals.roles import KINDS, Roles, roles_of
from mazelib.internals.ways import token_of
from mazelib.interventions.network import Prompts
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Sample, Tokenizer


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of prompts, a row each, aligned token for token.

    maze: which of the mazes each was made of. step: at which step of its path both are
    asked. clean, corrupted: the prompts. right, wrong: the next token of the clean one
    and of the corrupted one. roles: of the clean one, with all of its path.
    """

    maze: Int[np.ndarray, "pairs"]
    step: Int[np.ndarray, "pairs"]
    clean: Prompts
    corrupted: Prompts
    right: Int[np.ndarray, "pairs"]
    wrong: Int[np.ndarray, "pairs"]
    roles: Roles

    def __len__(self) -> int:
        return len(self.maze)

    def those(self, some) -> "Pairs":
        """Some of them, in that order."""
        clean, corrupted = self.clean.those(some), self.corrupted.those(some)
        roles = Roles(*(part[some] for part in self.roles))
        rest = (self.right[some], self.wrong[some], roles)
        return Pairs(self.maze[some], self.step[some], clean, corrupted, *rest)

    @property
    def turned(self) -> "Pairs":
        """The same with clean and corrupted exchanged; roles stay the clean one's."""
        return replace(
            self,
            clean=self.corrupted,
            corrupted=self.clean,
            right=self.wrong,
            wrong=self.right,
        )

    @property
    def inside(self) -> Bool[np.ndarray, "pairs pos"]:
        """The columns up to the token that is asked."""
        return np.arange(self.clean.ids.shape[1]) <= self.clean.end[:, None]

    @property
    def differs(self) -> Bool[np.ndarray, "pairs pos"]:
        """The columns in which the two have different tokens."""
        return self.inside & (self.clean.ids != self.corrupted.ids)

    @property
    def changed_entry(self) -> Int[np.ndarray, "pairs"]:
        """Which entry of the list differs: the first that does, 0 where none does."""
        entry = self.roles.entry
        differs = np.take_along_axis(self.differs, entry.reshape(len(self), -1), 1)
        return differs.reshape(entry.shape).any(-1).argmax(1)

    def places(self) -> dict[str, Bool[np.ndarray, "pairs pos"]]:
        """The columns of each kind of token (`KINDS`), and of the token that is asked.

        That one, "asked", is not in its kind.
        """
        asked = np.arange(self.clean.ids.shape[1]) == self.clean.end[:, None]
        kind = self.roles.kind[:, : self.clean.ids.shape[1]]
        kept = self.inside & ~asked
        found = {name: kept & (kind == at) for at, name in enumerate(KINDS)}
        found["asked"] = asked
        return {name: mask for name, mask in found.items() if mask.any()}


def targets_moved(
    mazes: MazeSet, tokenizer: Tokenizer, rng: np.random.Generator
) -> Pairs:
    """At a fork of each maze: the same with the target somewhere in another way.

    Mazes without a fork are left out. Both are asked at the fork, after the same path.
    """
    rows, steps, targets = [], [], []
    for at, sample in enumerate(mazes):
        maze, path = sample.maze, sample.path.tolist()
        step, way = other_way(sample, rng)
        if way is None:
            continue
        rows.append(at)
        steps.append(step)
        targets.append(rng.choice(beyond(maze, path[step], way)))
    some = at_least_one(mazes[np.array(rows, int)], "a fork")
    moved = with_targets(some, np.array(targets))
    asked = PathSteps(np.arange(len(some)), np.array(steps))
    return pairs_of(np.array(rows), asked, some, moved, tokenizer)


def lists_reordered(
    mazes: MazeSet, tokenizer: Tokenizer, rng: np.random.Generator
) -> Pairs:
    """At a fork of each maze: the same with its list in another order.

    The answer is the same; `wrong` is another way on. Columns have the same role, but
    another entry's tokens.
    """
    found = [other_way(sample, rng) for sample in mazes]
    rows = np.array([at for at, (_, way) in enumerate(found) if way is not None], int)
    some = at_least_one(mazes[rows], "a fork")
    keys = rng.integers(0, 2**64, len(some), dtype=np.uint64)
    step, way = np.array([found[at] for at in rows]).T
    asked = PathSteps(np.arange(len(some)), step)
    pairs = pairs_of(rows, asked, some, replace(some, key=keys), tokenizer)
    return replace(pairs, wrong=token_of(some, asked.maze, way, tokenizer))


def origins_swapped(
    mazes: MazeSet, tokenizer: Tokenizer, rng: np.random.Generator
) -> Pairs:
    """Each maze, asked at <PATH_START>, and the same with another origin."""
    some, cells = at_least_one(mazes, "one"), mazes.n**2
    origin, target = some.origin[:, 0], some.target[:, 0]
    other = (origin + rng.integers(1, cells, len(some))) % cells
    other = np.where(other == target, (other + 1) % cells, other)
    other = np.where(other == origin, (other + 1) % cells, other)
    moved = with_targets(replace(some, origin=other[:, None]), target)
    asked = PathSteps(np.arange(len(some)), np.full(len(some), START))
    return pairs_of(asked.maze, asked, some, moved, tokenizer)


def other_way(sample: Sample, rng: np.random.Generator) -> tuple[int, int | None]:
    """One of a path's forks, and one of the ways on there that it does not take.

    None for the way, in a maze without a fork. Raises MazelibError where ways meet.
    """
    maze, path = sample.maze, sample.path.tolist()
    check_tree(sample)
    forks = maze.forks(sample.path)
    if not len(forks):
        return START, None
    step = int(rng.choice(forks))
    ways = [way for way in ways_on(maze, path, step) if way != path[step + 1]]
    return step, int(rng.choice(ways))


def check_tree(sample: Sample) -> None:
    """Raise MazelibError for a maze in which ways meet."""
    if not sample.maze.is_tree:
        raise MazelibError(
            "a maze has cycles, whose ways meet again: pairs are made of mazes without"
        )


def beyond(maze: Maze, cell: int, way: int) -> Int[np.ndarray, "cells"]:
    """The cells that are reached from a cell by its neighbour `way`, without cycles."""
    return np.flatnonzero(maze.distances(way) < maze.distances(cell))


def at_least_one(mazes: MazeSet, thing: str) -> MazeSet:
    """Mazes of one question each; raises MazelibError if there are none."""
    if not len(mazes):
        raise MazelibError(f"no maze has {thing}, so there is no pair: give more mazes")
    return mazes


def with_targets(mazes: MazeSet, target: Int[np.ndarray, "mazes"]) -> MazeSet:
    """The same mazes, asked the way from their origins to other targets."""
    path, length = np.full_like(mazes.path, -1), np.zeros_like(mazes.length)
    width = max(path.shape[2], mazes.n**2)
    path = np.full((*path.shape[:2], width), -1, path.dtype)
    for row, (sample, cell) in enumerate(zip(mazes, target.tolist(), strict=True)):
        cells = sample.maze.shortest_path(sample.origin, cell)
        path[row, 0, : len(cells)], length[row] = cells, len(cells)
    new = target.astype(mazes.target.dtype)[:, None]
    return replace(mazes, target=new, path=path, length=length)


def pairs_of(
    maze: Int[np.ndarray, "pairs"],
    asked: PathSteps,
    clean: MazeSet,
    corrupted: MazeSet,
    tokenizer: Tokenizer,
) -> Pairs:
    """The pairs of prompts of two sets of mazes, asked at the same steps of both."""
    batches = [mazes.encode(tokenizer) for mazes in (clean, corrupted)]
    roles = roles_of(batches[0], clean, tokenizer)
    end = roles.path_start + 1 + asked.step
    prompts = [Prompts(batch.ids.copy(), end).those(slice(None)) for batch in batches]
    tokens = [
        token_of(mazes, asked.maze, cell_at(mazes, asked, 1), tokenizer)
        for mazes in (clean, corrupted)
    ]
    return Pairs(maze, asked.step, *prompts, *tokens, roles)
