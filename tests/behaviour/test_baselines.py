from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from samples import maze_sets, one_question

from mazelib.behaviour.baselines import (
    SOLVERS,
    floor,
    fork_chances,
    greedy_step,
    path_probability,
    random_step,
    shortest_probability,
    sighted_step,
    simulate,
    tries,
    walk,
    wall_step,
    wary_step,
)
from mazelib.behaviour.forks import forks_of
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.evidence.intervals import wilson
from mazelib.mazes.generators import MazeConfig
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Sample


def brute_force_chance(sample: Sample, step) -> float:
    """The chance of a shortest path, by following every choice."""
    least = len(sample.path)

    def follow(path: list[int]) -> float:
        if path[-1] == sample.target:
            return float(len(path) == least)
        options = [c for c in sample.maze.neighbours(path[-1]) if c not in path]
        came = path[-2:]
        chosen = step(sample.maze, came, options, sample.target) if options else []
        chances = [follow([*path, c]) for c in chosen if len(path) < least]
        return sum(chances) / max(1, len(chosen))

    return follow([sample.origin])


@pytest.mark.parametrize("solver", SOLVERS)
@given(mazes=maze_sets(grids=(2, 3), count=2))
def test_closed_form_agrees_with_following_every_choice(solver, mazes):
    step = SOLVERS[solver]
    for sample in mazes:
        chance = shortest_probability(sample, step)
        assert chance == pytest.approx(brute_force_chance(sample, step))
        own = path_probability(sample, step)
        assert own <= chance + 1e-12
        if sample.maze.is_tree:
            assert own == pytest.approx(chance)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("generator", ["dfs", "dfs_percolation", "open_field"])
def test_closed_form_agrees_with_simulation(solver, generator, rng):
    mazes = MazeStream(StreamConfig(MazeConfig(generator, 5), split="test"))
    samples, step = list(mazes.take(0, 1000)), SOLVERS[solver]
    expected = np.mean([shortest_probability(s, step) for s in samples])
    hits = simulate(samples, step, rng).sum()
    low, high = wilson(int(hits), 1000, confidence=0.999)
    assert low <= expected <= high


def test_the_baseline_of_the_post_agrees_on_as_many_mazes_as_are_reported(rng):
    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 5), split="test"))
    samples = list(mazes.take(0, 6000))
    chances = [path_probability(s, SOLVERS["random"]) for s in samples]
    hits = simulate(samples, SOLVERS["random"], rng).sum()
    low, high = wilson(int(hits), 6000)
    assert low <= np.mean(chances) <= high


def test_random_solver_divides_by_the_options(maze):
    sample = Sample(maze, 2, 8, maze.shortest_path(2, 8))
    assert maze.options(sample.path).tolist() == [2, 1, 1, 2, 1, 1]
    assert path_probability(sample, random_step) == 0.25
    assert fork_chances(sample, random_step) == [0.5, 0.5]


def test_greedy_solver_goes_where_the_target_is_nearer(maze):
    sample = Sample(maze, 2, 8, maze.shortest_path(2, 8))
    assert list(greedy_step(maze, [2], [1, 5], 8)) == [5]  # into the dead end
    assert shortest_probability(sample, greedy_step) == 0
    assert list(greedy_step(maze, [0], [1, 3], 4)) == [1, 3]  # a tie


def test_wary_solver_sees_a_dead_end_one_step_ahead(maze):
    assert list(wary_step(maze, [2], [1, 5], 8)) == [1]  # 5 is a dead end
    assert list(wary_step(maze, [2], [1, 5], 5)) == [5]  # unless it is the target
    assert list(wary_step(maze, [2], [4, 5], 8)) == [5]  # both are: as greedy


def test_wall_follower_turns_right_where_it_can(maze):
    assert list(wall_step(maze, [0, 3], [4, 6], 8)) == [6]  # coming down: straight on
    assert list(wall_step(maze, [6, 3], [0, 4], 8)) == [4]  # coming up: to the right
    assert list(wall_step(maze, [4, 3], [0, 6], 8)) == [0]  # coming left: up
    assert list(wall_step(maze, [3], [0, 4, 6], 8)) == [0, 4, 6]


@given(mazes=maze_sets(grids=(3, 4), count=2))
def test_wall_follower_chooses_at_its_origin_alone(mazes):
    for sample in mazes:
        chance = path_probability(sample, wall_step)
        first = 1 / sample.maze.degree[sample.origin]
        assert chance in (0, pytest.approx(first))


def test_greedy_solves_every_open_field():
    mazes = MazeStream(StreamConfig(MazeConfig("open_field", 6), split="test"))
    assert floor(mazes.take(0, 50), "greedy")["shortest"] == 1


def test_walks_are_legal_and_never_revisit(few, rng):
    for sample in few:
        path = walk(sample, random_step, rng)
        assert len(set(path)) == len(path)
        assert all(b in sample.maze.neighbours(a) for a, b in pairwise(path))


def test_tries_keep_the_rules_and_succeed_as_often_as_the_closed_form_says(few):
    one = one_question(few)
    table = tries(one, "random", seed=3)
    assert (table["legal_steps"] == 1).all()
    assert not table[["wall_jumps", "teleports", "revisits", "runs_on"]].any(axis=None)
    assert (table["exact"] == table["reached_target"]).all()
    chance = [path_probability(sample, random_step) for sample in one]
    low, high = wilson(int(table["exact"].sum()), len(one), confidence=0.999)
    assert low <= np.mean(chance) <= high


def test_floor_of_an_unknown_solver(few):
    with pytest.raises(MazelibError, match="no solver 'oracle': choose from random"):
        floor(few, "oracle")


@given(maze_sets(grids=(3, 4, 6)))
def test_a_solver_that_sees_one_step_is_the_wary_one(mazes):
    for sample in mazes:
        wary = fork_chances(sample, wary_step)
        assert fork_chances(sample, sighted_step(1)) == wary


@given(maze_sets(grids=(3, 4, 6)))
def test_a_solver_that_sees_as_far_as_it_takes_is_right(mazes):
    for sample in mazes:
        if not sample.maze.is_tree:
            continue
        for place, fork in enumerate(forks_of(sample)):
            for steps in (fork["lookahead"], fork["lookahead"] + 3):
                assert fork_chances(sample, sighted_step(steps))[place] == 1


@given(maze_sets(grids=(3, 4, 6)))
def test_a_solver_that_sees_from_both_ends_is_right_where_these_meet(mazes):
    for sample in mazes:
        if not sample.maze.is_tree:
            continue
        forks = forks_of(sample)
        for steps, back in ((1, 3), (2, 2), (3, 5)):
            chances = fork_chances(sample, sighted_step(steps, back))
            for fork, chance in zip(forks, chances, strict=True):
                meets = fork["to_target"] <= steps + back
                if meets or fork["others_end"] <= steps:
                    assert chance == 1


def test_a_solver_that_sees_back_from_the_target_heads_for_what_it_sees():
    """From 4 to 2, by 7, 8 and 5; by 3 and 0 one comes to 1, beside it, and no further.

    Two steps ahead both ways are as near; 5 is seen from the target.
    """
    right = np.array([[True, False], [True, False], [False, True]])
    down = np.array([[True, False, True], [False, True, True]])
    maze = Maze(right, down)
    assert sighted_step(2)(maze, [4], [3, 7], 2) == [3, 7]
    assert sighted_step(2, 1)(maze, [4], [3, 7], 2) == [7]
    assert sighted_step(3)(maze, [4], [3, 7], 2) == [7]  # it sees the other end


@given(maze_sets(grids=(3, 4)))
def test_where_all_is_seen_a_walk_astray_still_finds_an_open_cell(mazes):
    step, rng = sighted_step(2, 40), np.random.default_rng(0)
    for sample in mazes:
        path = walk(sample, step, rng)
        assert all(b in sample.maze.neighbours(a) for a, b in pairwise(path))
        if sample.maze.is_tree:
            assert path == sample.path.tolist()
