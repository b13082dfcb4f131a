"""Minimal pairs whose lists differ in one entry: a passage named in another's place.

    pairs = passages_added(mazes, network.tokenizer, rng)
    pairs.changed_entry[0]                 # which entry of the list differs

`edges_swapped` takes a passage of the path and adds one that leads another way;
`passages_added` and `passages_removed` do one of both, and name in its place, or add, a
passage on which nothing hangs.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from mazelib.behaviour.forks import ways_on
from mazelib.dataset.stream import MazeSet
from mazelib.internals.plans import PathSteps
from mazelib.internals.ways import token_of
from mazelib.interventions.pairs import (
    Pairs,
    at_least_one,
    beyond,
    check_tree,
    other_way,
    pairs_of,
)
from mazelib.tokens.tokenizer import Sample, Tokenizer

LEAST = 3
"""By how many steps a passage that is added shortens the path, at least, and one."""


class Swap(NamedTuple):
    """A passage to remove and one to add, and the way that is then taken at a step."""

    step: int
    way: int
    removed: tuple[int, int]
    added: tuple[int, int]


Find = Callable[[Sample, np.random.Generator], list[Swap]]


def edges_swapped(
    mazes: MazeSet, tokenizer: Tokenizer, rng: np.random.Generator
) -> Pairs:
    """At a fork of each maze: one passage beyond it removed, another added elsewhere.

    The removed one lies on the path, the added one joins what it cut off with another
    way of the fork, and stands in its place in the list. So the same target is now
    reached by that way. Mazes where no such passage could be are left out.
    """
    thing = "a fork at which a passage can be swapped"
    return with_swaps(mazes, tokenizer, rng, swaps_beyond, thing)


def passages_added(
    mazes: MazeSet, tokenizer: Tokenizer, rng: np.random.Generator
) -> Pairs:
    """At a step of each path: a passage through the wall beside it, to a later cell.

    It shortens the path by `LEAST` steps less one, and more, and stands in the list in
    place of one that joins two cells off the path.
    """
    thing = "a wall between two cells of its path, and a passage off the path"
    return with_swaps(mazes, tokenizer, rng, shortcuts, thing)


def passages_removed(
    mazes: MazeSet, tokenizer: Tokenizer, rng: np.random.Generator
) -> Pairs:
    """At a fork of each maze: the passage to the path's next cell removed.

    In its place stands one through a wall between two cells of one way off the path, so
    no other way leads to the target. `wrong` is another way on.
    """
    thing = "a fork, and a wall within a way off its path"
    return with_swaps(mazes, tokenizer, rng, cuts, thing)


def with_swaps(
    mazes: MazeSet,
    tokenizer: Tokenizer,
    rng: np.random.Generator,
    find: Find,
    thing: str,
) -> Pairs:
    """The pairs of mazes in which there is something to swap: one of all, by chance."""
    swaps: dict[int, Swap] = {}
    for at, sample in enumerate(mazes):
        if found := find(sample, rng):
            swaps[at] = found[rng.integers(len(found))]
    rows = np.array([*swaps], int)
    some = at_least_one(mazes[rows], thing)
    steps, ways, removed, added = map(np.array, zip(*swaps.values(), strict=True))
    asked = PathSteps(np.arange(len(some)), steps)
    pairs = pairs_of(rows, asked, some, some, tokenizer)
    ids, each = pairs.corrupted.ids, np.arange(len(some))
    named, roles = np.sort(pairs.roles.edges, -1), pairs.roles
    entry = (named == np.sort(removed, 1)[:, None]).all(-1).argmax(1)
    ends = rng.permuted(added, axis=1)
    for place, cell in zip((roles.first, roles.second), ends.T, strict=True):
        ids[each, place[each, entry]] = token_of(some, each, cell, tokenizer)
    return replace(pairs, wrong=token_of(some, each, ways, tokenizer))


def swaps_beyond(sample: Sample, rng: np.random.Generator) -> list[Swap]:
    """The swaps that a maze allows at one of its forks.

    Never of the fork's own passages, so that all ways stay open there.
    """
    maze, path = sample.maze, sample.path.tolist()
    step, way = other_way(sample, rng)
    if way is None:
        return []
    there = np.zeros(maze.n_cells, bool)
    there[beyond(maze, path[step], way)] = True
    walls, found = maze.edges(walls=True).tolist(), []
    for here, onward in zip(path[step + 1 : -1], path[step + 2 :], strict=True):
        cut = np.zeros(maze.n_cells, bool)
        cut[beyond(maze, here, onward)] = True
        joins = [(a, b) for a, b in walls if there[a] & cut[b] | there[b] & cut[a]]
        found += [Swap(step, way, (here, onward), wall) for wall in joins]
    return found


def shortcuts(sample: Sample, rng: np.random.Generator) -> list[Swap]:
    """The walls beside a path that could be a shortcut, each for a passage off it."""
    maze, place = sample.maze, places_on(sample.path.tolist())
    check_tree(sample)
    spare = [
        (a, b) for a, b in maze.edges().tolist() if a not in place and b not in place
    ]
    if not spare:
        return []
    found = []
    for wall in maze.edges(walls=True).tolist():
        if all(cell in place for cell in wall):
            step, later = sorted(place[cell] for cell in wall)
            if later - step >= LEAST:
                ends = (int(sample.path[step]), int(sample.path[later]))
                off = spare[rng.integers(len(spare))]
                found.append(Swap(step, ends[1], off, ends))
    return found


def cuts(sample: Sample, rng: np.random.Generator) -> list[Swap]:
    """The passages from a path's forks to its next cells, each for a wall off it."""
    maze, path = sample.maze, sample.path.tolist()
    check_tree(sample)
    place = places_on(path)
    root = np.argmin([maze.distances(cell) for cell in path], 0)
    spare = [
        (a, b)
        for a, b in maze.edges(walls=True).tolist()
        if a not in place and b not in place and root[a] == root[b]
    ]
    if not spare:
        return []
    found = []
    for step in maze.forks(sample.path).tolist():
        others = [w for w in ways_on(maze, path, step) if w != path[step + 1]]
        ends = (path[step], path[step + 1])
        wall = spare[rng.integers(len(spare))]
        found.append(Swap(step, int(rng.choice(others)), ends, wall))
    return found


def places_on(path: Sequence[int]) -> dict[int, int]:
    """The step at which each cell of a path is."""
    return {cell: step for step, cell in enumerate(path)}
