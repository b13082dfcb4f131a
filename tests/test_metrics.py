import numpy as np
import pytest
from conftest import maze_sets
from hypothesis import given

from mazelib.behaviour import metrics
from mazelib.behaviour.evaluation import RATES
from mazelib.tokenizer import Sample


@pytest.fixture
def sample(maze) -> Sample:
    return Sample(maze, 4, 1, np.array([4, 3, 0, 1]))


@given(maze_sets())
def test_a_perfect_path_scores_one_and_an_empty_one_nothing(mazes):
    for sample in mazes:
        perfect = sample.path.tolist()
        assert all(rate(sample, perfect) == 1 for rate in RATES.values())
        assert all(rate(sample, []) == 0 for rate in RATES.values())
        assert all(metrics.forks_right(sample, perfect[1:]))


@given(maze_sets())
def test_another_shortest_path_is_shortest(mazes):
    for sample in mazes:
        for path in sample.maze.shortest_paths(sample.origin, sample.target):
            assert metrics.is_shortest(sample, path.tolist())
            assert all(metrics.forks_right(sample, sample.path[1:].tolist()))
            break


@pytest.mark.parametrize(
    ("predicted", "exact", "valid", "reached", "overlap"),
    [
        ([4, 3, 0, 1], 1, 1, 1, 1),
        ([4, 3, 6, 3, 0, 1], 0, 1, 1, 1),  # a detour, but legal
        ([4, 1], 0, 0, 1, 0.5),  # through a wall
        ([4, 3, 0], 0, 0, 0, 0.75),  # stops short
        ([4, 3, 0, 1, 2], 0, 0, 0, 1),  # runs on
        ([3, 0, 1], 0, 0, 1, 0.75),  # starts elsewhere
        ([4, -1, 1], 0, 0, 1, 0.5),  # leaves the grid
        ([8], 0, 0, 0, 0),
    ],
)
def test_scores_of_known_paths(sample, predicted, exact, valid, reached, overlap):
    assert metrics.is_exact(sample, predicted) == exact
    assert metrics.is_valid(sample, predicted) == valid
    assert metrics.reached_target(sample, predicted) == reached
    assert metrics.node_overlap(sample, predicted) == overlap


def test_forks_are_scored_where_there_is_a_choice(maze):
    sample = Sample(maze, 2, 8, maze.shortest_path(2, 8))  # forks at steps 0 and 3
    assert metrics.forks_right(sample, [1, 0, 3, 6, 7, 8]) == [True, True]
    assert metrics.forks_right(sample, [5, 9, 9, 4, 9, 9]) == [False, False]
    assert metrics.forks_right(sample, [1, 0, 3, 8, 7, 8]) == [True, False]
    assert metrics.forks_right(sample, [-1, 0, 3, -1, 7, 8]) == [False, False]


def test_pooled_rate_counts_every_fork_once():
    assert metrics.pooled_rate([[True, True, True], [False], []]) == 0.75
    assert metrics.pooled_rate([[], []]) is None
    assert metrics.pooled_rate([]) is None
