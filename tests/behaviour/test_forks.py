"""What is said of a fork is what looking at the maze, as far as needed, would show."""

import numpy as np
import pytest
from hypothesis import given
from samples import maze_sets

from mazelib.behaviour.baselines import fork_chances, greedy_step
from mazelib.behaviour.forks import depth_beyond, fork_table, forks_of, others_end
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Sample


def test_the_forks_of_a_known_path(maze):
    first, second = forks_of(Sample(maze, 2, 8, maze.shortest_path(2, 8)))
    # at 2, on to 1 or 5: cell 5 ends after one step
    assert first == {
        "step": 0,
        "options": 2,
        "to_target": 6,
        "forks_on": 1,
        "misleading": True,
        "others_end": 1,
        "lookahead": 1,
    }
    # at 3, on to 4 or 6: cell 4 ends after one step; both lie three from the target
    assert second["step"] == 3
    assert (second["to_target"], second["forks_on"]) == (3, 0)
    assert (second["misleading"], second["lookahead"]) == (False, 1)


def test_ways_are_as_deep_as_the_maze(maze):
    assert depth_beyond(maze, 3, 4) == 1
    assert depth_beyond(maze, 3, 6) == 3
    assert depth_beyond(maze, 3, 0) == 4


def seen_within(sample: Sample, step: int, steps: int) -> bool:
    """Does looking so many steps ahead tell the right way on, by brute force?"""
    maze, cells = sample.maze, sample.path.tolist()
    before, open_ways, target_seen = set(cells[:step]), 0, False
    for way in maze.neighbours(cells[step]):
        if way in before:
            continue
        edge, seen = [way], {cells[step], way}
        for _ in range(steps - 1):
            target_seen |= sample.target in edge
            edge = [c for e in edge for c in maze.neighbours(e) if c not in seen]
            seen |= set(edge)
        target_seen |= sample.target in edge and steps > 0
        goes_on = any(c not in seen for e in edge for c in maze.neighbours(e))
        open_ways += goes_on or sample.target in seen
    return target_seen or open_ways <= 1


@given(maze_sets(grids=(3, 4, 6)))
def test_lookahead_is_the_least_that_tells_the_ways_apart(mazes):
    for sample in mazes:
        if not sample.maze.is_tree:
            continue
        for fork in forks_of(sample):
            need = fork["lookahead"]
            assert seen_within(sample, fork["step"], need)
            assert need == 1 or not seen_within(sample, fork["step"], need - 1)


@given(maze_sets(grids=(3, 4, 6)))
def test_a_greedy_solver_fails_for_certain_where_a_fork_misleads(mazes):
    for sample in mazes:
        chances = fork_chances(sample, greedy_step)
        for fork, chance in zip(forks_of(sample), chances, strict=True):
            assert fork["misleading"] == (chance == 0)


def test_mazes_with_cycles_have_no_lookahead():
    square = Maze(np.ones((2, 1), bool), np.ones((1, 2), bool))
    [fork] = forks_of(Sample(square, 0, 3, square.shortest_path(0, 3)))
    assert (fork["others_end"], fork["lookahead"]) == (None, None)


def test_the_others_end_where_the_second_longest_does(maze):
    assert others_end(maze, 3, [4, 6]) == 1
    assert others_end(maze, 3, [0, 4, 6]) == 3


@given(maze_sets(grids=(3, 4)))
def test_the_table_has_a_row_for_every_fork(mazes):
    paths = [sample.path.tolist()[1:] for sample in mazes]
    table = fork_table(mazes, paths)
    forks = [len(sample.maze.forks(sample.path)) for sample in mazes]
    assert len(table) == sum(forks)
    if len(table):
        assert table["right"].all()
        counted = table.groupby("maze").size()
        assert counted.to_dict() == {i: n for i, n in enumerate(forks) if n}
    with pytest.raises(ValueError, match="zip"):
        fork_table(mazes, [*paths, []])
