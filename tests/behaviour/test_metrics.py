import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import maze_sets

from mazelib.behaviour import metrics
from mazelib.behaviour.metrics import FAULTS, RATES
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Sample


@pytest.fixture
def sample(maze) -> Sample:
    return Sample(maze, 4, 1, np.array([4, 3, 0, 1]))


@given(maze_sets())
def test_a_perfect_path_scores_one_and_an_empty_one_nothing(mazes):
    for sample in mazes:
        perfect = sample.path.tolist()
        assert all(rate(sample, perfect) == 1 for rate in RATES.values())
        assert all(rate(sample, []) == 0 for rate in RATES.values())
        assert not any(fault(sample, perfect) for fault in FAULTS.values())
        assert metrics.first_error(sample, perfect) is None
        assert metrics.first_error(sample, []) == 0
        assert metrics.excess_length(sample, perfect) == 0
        assert metrics.excess_length(sample, []) is None
        assert all(metrics.forks_right(sample, perfect[1:]))
        rolled = metrics.forks_rolled(sample, perfect)
        assert rolled == [True] * len(sample.maze.forks(sample.path))
        assert metrics.forks_rolled(sample, []) == []


@given(maze_sets())
def test_another_shortest_path_is_shortest(mazes):
    for sample in mazes:
        for path in sample.maze.shortest_paths(sample.origin, sample.target):
            assert metrics.is_shortest(sample, path.tolist())
            assert metrics.first_error(sample, path.tolist()) is None
            assert all(metrics.forks_right(sample, sample.path[1:].tolist()))
            break


def test_a_bare_prompt_is_enough_for_what_does_not_compare_with_its_path(sample):
    asks = {n: f for n, f in RATES.items() if n != "exact" and not n.startswith("node")}
    asks |= FAULTS | {n: getattr(metrics, n) for n in ("excess_length", "outcome")}
    for predicted in ([4, 3, 0, 1], [4, 3, 6, 3, 0, 1], [4, 3, 0, metrics.NO_END]):
        for ask in asks.values():
            bare = ask(sample._replace(path=None), predicted)
            assert bare == ask(sample, predicted)


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


@pytest.mark.parametrize(
    ("predicted", "legal", "adjacent", "precision", "jaccard"),
    [
        ([4, 3, 6, 3, 0, 1], 1, 1, 4 / 5, 4 / 5),
        ([4, 1], 0, 1, 1, 1 / 2),
        ([4, 3, 0], 1, 1, 1, 3 / 4),
        ([4, 3, 8, 7], 2 / 3, 2 / 3, 1 / 2, 1 / 3),
        ([4, -1, 1], 0, 0, 1, 1 / 2),
        ([4, 3, 0, -2], 1, 1, 1, 3 / 4),
        ([8], 1, 1, 0, 0),
        ([], 0, 0, 0, 0),
    ],
)
def test_shares_of_known_paths(sample, predicted, legal, adjacent, precision, jaccard):
    assert metrics.legal_steps(sample, predicted) == pytest.approx(legal)
    assert metrics.adjacent_steps(sample, predicted) == pytest.approx(adjacent)
    assert metrics.node_precision(sample, predicted) == pytest.approx(precision)
    assert metrics.node_jaccard(sample, predicted) == pytest.approx(jaccard)


@pytest.mark.parametrize(
    ("predicted", "faults", "first_error", "excess"),
    [
        ([4, 3, 6, 3, 0, 1], {"revisits": 1, "backtracks": 1}, 2, 2),
        ([4, 1], {"wall_jumps": 1}, 1, None),
        ([4, 3, 0], {"stops_early": 1}, 3, None),
        ([4, 3, 0, 1, 2], {"runs_on": 1}, 4, None),
        ([4, 3, 0, 1, -1], {"runs_on": 1, "teleports": 1}, 4, None),
        ([4, 3, 0, 1, -2], {"runs_on": 1}, 4, None),
        ([4, 3, -2], {}, 2, None),
        ([4, -1, -1], {"teleports": 2, "stops_early": 1}, 1, None),
        ([3, 0, 1], {}, 0, None),
        ([4, 8, 4, 3], {"teleports": 2, "revisits": 1, "backtracks": 1,
                        "wall_jumps": 0, "stops_early": 1}, 1, None),
        ([4, 7, -1], {"wall_jumps": 1, "teleports": 1, "stops_early": 1}, 1, None),
        ([], {"stops_early": 1}, 0, None),
    ],
)  # fmt: skip
def test_faults_of_known_paths(sample, predicted, faults, first_error, excess):
    found = {name: fault(sample, predicted) for name, fault in FAULTS.items()}
    assert found == {**dict.fromkeys(FAULTS, 0), **faults}
    assert metrics.first_error(sample, predicted) == first_error
    assert metrics.excess_length(sample, predicted) == excess


@pytest.mark.parametrize(
    ("predicted", "outcome"),
    [
        ([4, 3, 0, 1], "solved"),
        ([4, 3, 6, 3, 0, 1], "there by a detour"),
        ([4, 1], "there through a wall"),
        ([4, 8, 1], "there by a jump"),
        ([3, 0, 1], "there by a jump"),
        ([4, 3, 0], "stops elsewhere"),
        ([], "stops elsewhere"),
        ([4, 3, 0, 1, 2], "passes the target"),
        ([4, 3, -1], "stops elsewhere"),
        ([4, 3, -2], "does not stop"),
        ([4, 3, 0, 1, -2], "does not stop"),
    ],
)
def test_outcomes_of_known_paths(sample, predicted, outcome):
    assert metrics.outcome(sample, predicted) == outcome


@pytest.mark.parametrize(
    ("predicted", "departure"),
    [
        ([4, 3, 0, 1], "none"),
        ([4, 3, 6, 7, 4], "wrong turn"),
        ([4, 1], "through a wall"),
        ([4, 8, 1], "jump"),
        ([4, -1], "jump"),
        ([4, 3, 4, 1], "turns back"),
        ([3, 0, 1], "starts elsewhere"),
        ([4, 3, 0], "stops early"),
        ([], "stops early"),
        ([4, 3, 0, -2], "no end"),
        ([4, 3, 0, 1, -2], "no end"),
        ([4, 3, 0, 1, 2], "runs on"),
    ],
)
def test_departures_of_known_paths(sample, predicted, departure):
    assert metrics.departure(sample, predicted) == departure


def test_without_a_way_the_first_cell_is_wrong():
    walls = Maze(np.zeros((2, 1), bool), np.ones((1, 2), bool))
    assert metrics.first_error(Sample(walls, 0, 1, np.array([0, 1])), [0, 1]) == 0


@given(maze_sets(), st.data())
def test_steps_are_legal_or_jump_or_teleport(mazes, data):
    for sample in mazes:
        cells = st.integers(-1, sample.maze.n_cells - 1)
        predicted = data.draw(st.lists(cells, min_size=2, max_size=9))
        steps = len(predicted) - 1
        legal = metrics.legal_steps(sample, predicted) * steps
        adjacent = metrics.adjacent_steps(sample, predicted) * steps
        assert adjacent - legal == pytest.approx(metrics.wall_jumps(sample, predicted))
        assert steps - adjacent == pytest.approx(metrics.teleports(sample, predicted))


def test_forks_are_scored_where_there_is_a_choice(maze):
    sample = Sample(maze, 2, 8, maze.shortest_path(2, 8))  # forks at steps 0 and 3
    assert metrics.forks_right(sample, [1, 0, 3, 6, 7, 8]) == [True, True]
    assert metrics.forks_right(sample, [5, 9, 9, 4, 9, 9]) == [False, False]
    assert metrics.forks_right(sample, [1, 0, 3, 8, 7, 8]) == [True, False]
    assert metrics.forks_right(sample, [-1, 0, 3, -1, 7, 8]) == [False, False]


def test_a_rollout_is_asked_at_forks_up_to_its_first_error(maze):
    sample = Sample(maze, 2, 8, maze.shortest_path(2, 8))  # forks at steps 0 and 3
    path = sample.path.tolist()
    wrong = next(c for c in maze.neighbours(path[3]) if c not in path[2:5])
    assert metrics.forks_rolled(sample, path) == [True, True]
    assert metrics.forks_rolled(sample, [*path[:4], wrong]) == [True, False]
    assert metrics.forks_rolled(sample, path[:4]) == [True, False]  # stops there
    assert metrics.forks_rolled(sample, path[:3]) == [True]
    assert metrics.forks_rolled(sample, [2, 8]) == [False]
    assert metrics.forks_rolled(sample, [*path, path[-2]]) == [True, True]  # runs on
    assert metrics.forks_rolled(sample, path[1:]) == []  # starts elsewhere


def test_pooled_rate_counts_every_fork_once():
    assert metrics.pooled_rate([[True, True, True], [False], []]) == 0.75
    assert metrics.pooled_rate([[], []]) is None
    assert metrics.pooled_rate([]) is None
