"""Ways into a fork are those of the maze; what is planted of them is read."""

import numpy as np
import pytest
from samples import held_back

from experiments import ways
from mazelib.behaviour.forks import depth_beyond, ways_on
from mazelib.behaviour.metrics import manhattan
from mazelib.internals import readings
from mazelib.internals.plans import future, path_steps
from mazelib.internals.readings import Asked


@pytest.fixture(scope="module")
def mazes():
    return held_back(5, 500)


@pytest.fixture(scope="module")
def steps(mazes):
    return path_steps(mazes, "fork")


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(readings, "DRAWS", 50)


def test_labels_are_cells_two_and_three_steps_into_ways_and_others_as_near(
    mazes, steps
):
    right, wrong = ways.way_labels(mazes, steps)
    for at in range(0, len(steps.maze), 7):
        maze, _, _, path = mazes[int(steps.maze[at])]
        step = int(steps.step[at])
        fork, far = int(path[step]), maze.distances(int(path[step]))
        into = np.flatnonzero(right[at] == 1)
        assert set(path[step + 2 : step + 4]) <= set(into)
        for labels in (right, wrong):
            into = np.flatnonzero(labels[at] == 1)
            assert set(far[into]) <= {2, 3}
            others = np.flatnonzero(labels[at] == 0)
            assert (far[others] > 3).all()
            assert not set(others) & set(path[: step + 1])
            near = {manhattan(5, fork, c) for c in into.tolist()}
            assert {manhattan(5, fork, c) for c in others.tolist()} <= near
        assert not ((right[at] == 1) & (wrong[at] == 1)).any()
        deep = [
            depth_beyond(maze, fork, way) >= 2
            for way in ways_on(maze, path.tolist(), step)
            if way != path[step + 1]
        ]
        assert (wrong[at] == 1).any() == any(deep)


def test_a_way_that_is_planted_and_dropped_is_read_and_missed(mazes, steps, rng):
    """Both ways are written down in the middle, and only the right one at the end."""
    right, wrong = ways.way_labels(mazes, steps)
    asked = Asked.of(mazes, steps.maze, right)
    mixed = rng.normal(size=(25, 64))
    knows = np.stack([0 * right, (right == 1) | (wrong == 1), right == 1])
    features = knows @ mixed + 0.3 * rng.normal(size=(3, len(right), 64))
    facts = ways.Both(asked, wrong, features).facts()
    assert facts["wrong"]["layer"] == 1
    assert facts["wrong"]["read"][0] > 0.95
    value, low, high = facts["wrong"]["dropped"]
    assert low <= value <= high
    assert value > 0.3
    assert abs(facts["right"]["dropped"][0]) < 0.05
    near = ways.near_features(mazes, steps)
    assert near.shape == (len(right), 3 * 25 + 4)
    assert near[:, -4:].sum(1).min() >= 2


def test_cells_that_are_ruled_out_as_they_are_filled_are_seen(mazes, steps, rng):
    coming = future(mazes, steps)
    asked = Asked.of(mazes, steps.maze, coming)
    at = [
        ways.off_path(mazes, int(m), int(s), np.ones(25))
        for m, s in zip(*steps, strict=True)
    ]
    assert all((table[:, 1] > 0).all() for table in at)
    order = rng.normal(size=(25, 96))
    layers = []
    for layer in range(5):  # by layer k all that k rounds fill is ruled out
        known = coming.astype(float)
        for row, (m, s) in enumerate(zip(*steps, strict=True)):
            maze, _, target, path = mazes[int(m)]
            rounds = ways.pruned_in(maze, (int(path[s]), target))
            known[row] = (rounds == 0) | (rounds > layer)
        layers.append(known @ order + 0.1 * rng.normal(size=(len(known), 96)))
    found = ways.filled(mazes, steps, asked, np.array(layers))
    assert found["raw"][0] > 0.3
    value, low, high = found["partial"]
    assert low <= value <= high
    noise = rng.normal(size=(5, len(coming), 96))
    value, low, high = ways.filled(mazes, steps, asked, noise)["partial"]
    assert low < 0.1
