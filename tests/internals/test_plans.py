"""What probes are asked is what a walk along the path says."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from samples import maze_sets

from mazelib.errors import MazelibError
from mazelib.internals import plans
from mazelib.internals.plans import START, PathSteps, path_steps


def walked(mazes):
    """Each step of each path, from <PATH_START> on: the maze, the step, the rest."""
    return [
        (at, step, sample, sample.path[max(step, 0) :].tolist())
        for at, sample in enumerate(mazes)
        for step in range(START, len(sample.path) - 1)
    ]


def every_step(mazes) -> PathSteps:
    return PathSteps(*np.array([(at, step) for at, step, *_ in walked(mazes)]).T)


@given(maze_sets(grids=(2, 3, 5)))
def test_labels_are_what_a_walk_says(mazes):
    steps, n = every_step(mazes), mazes.n
    asked = zip(
        plans.future(mazes, steps),
        plans.cell_at(mazes, steps, 3),
        plans.directions(mazes, steps),
        plans.to_go(mazes, steps),
        plans.target_distances(mazes, steps),
        walked(mazes),
        strict=True,
    )
    turns = {-n: plans.UP, n: plans.DOWN, -1: plans.LEFT, 1: plans.RIGHT}
    for future, third, ways, left, distance, (_, step, sample, rest) in asked:
        ahead = sample.path[max(step + 2, 0) :].tolist()
        assert sorted(np.flatnonzero(future)) == sorted(ahead)
        if step + 3 < len(sample.path):
            assert third == sample.path[step + 3]
        else:
            assert third == -1
        want = np.full(n * n, plans.STAYS)
        for cell, onward in pairwise(rest):
            want[cell] = turns[onward - cell]
        assert ways.tolist() == want.tolist()
        assert left == len(sample.path) - 1 - step
        assert distance.tolist() == sample.maze.distances(sample.target).tolist()


@given(maze_sets(grids=(3, 4)))
def test_every_step_is_of_one_kind(mazes):
    forks, corridors = (path_steps(mazes, kind) for kind in ("fork", "corridor"))
    both = {*zip(*forks, strict=True), *zip(*corridors, strict=True)}
    assert len(both) == len(forks.maze) + len(corridors.maze)
    assert both == {(at, step) for at, step, *_ in walked(mazes) if step >= 0}
    for at, step in zip(*forks, strict=True):
        sample = mazes[int(at)]
        assert step in sample.maze.forks(sample.path)
    assert set(path_steps(mazes, "start").step) == {START}
    assert (np.diff(forks.maze) >= 0).all()
    every = path_steps(mazes, "any")
    assert [*zip(*every, strict=True)] == sorted(both)
    with pytest.raises(MazelibError, match="no kind 'bend' of step: take one of"):
        path_steps(mazes, "bend")


@given(maze_sets(grids=(2, 4)))
def test_features_of_the_input_say_the_question_and_the_maze(mazes):
    steps, n = every_step(mazes), mazes.n
    known = plans.passage_features(mazes, steps)
    asked = known[:, : 3 * n * n].reshape(-1, 3, n * n)
    assert (known[:, : 3 * n * n] == plans.question_features(mazes, steps)).all()
    for row, edges, (_, step, sample, rest) in zip(
        asked, known[:, 3 * n * n :], walked(mazes), strict=True
    ):
        here = [] if step == START else rest[:1]
        named = [np.flatnonzero(bits).tolist() for bits in row]
        assert named == [[sample.origin], [sample.target], here]
        assert edges.sum() == len(sample.maze.edges())
    assert len({tuple(row) for row in plans.passages(mazes)}) == len(
        set(map(hash, (sample.maze for sample in mazes)))
    )
