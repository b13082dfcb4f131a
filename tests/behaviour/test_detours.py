"""Other ways are walked to the target where they lead there, else far enough."""

import numpy as np
import pytest

from mazelib.behaviour.detours import distances_without, steps_by, walks, way_cells
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Sample

# 0 - 1 - 2 - 3
# |           |       a ring around the middle; 5 - 6 hang on 1
# 4   5 - 6   7
# |   |       |
# 8   9   10- 11
# |           |
# 12- 13- 14- 15
RING = [[0, 1], [1, 2], [2, 3], [0, 4], [3, 7], [5, 6], [4, 8], [5, 9], [7, 11]]
RING += [[10, 11], [8, 12], [11, 15], [12, 13], [13, 14], [14, 15], [1, 5]]


@pytest.fixture
def ring():
    """From 0 to 15: by 1 or by 4, six steps each, with a way of three cells at 1."""
    maze = Maze.from_edges(4, np.array(RING))
    return Sample(maze, 0, 15, np.array([0, 1, 2, 3, 7, 11, 15]))


def test_distances_keep_clear_of_blocked_cells(ring):
    found = distances_without(ring.maze, {0, 2}, 1)
    assert found == {1: 0, 5: 1, 6: 2, 9: 2}


def test_the_steps_of_another_way(ring):
    assert steps_by(ring, 0, 4) == 6
    assert steps_by(ring, 1, 5) is None
    assert steps_by(ring, 5, 10) is None


def test_the_first_cells_of_a_way(ring):
    assert way_cells(ring, 0, 4, 3) == [4, 8, 12]
    assert way_cells(ring, 0, 4, 9) == [4, 8, 12, 13, 14, 15]
    assert way_cells(ring, 1, 5, 4) in ([5, 6], [5, 9])
    assert way_cells(ring, 5, 10, 4) == [10]


@pytest.mark.parametrize(
    ("step", "way", "answer", "least", "walked"),
    [
        (0, 4, [4, 8, 12, 13, 14, 15], 5, True),  # to the target
        (0, 4, [4, 8, 12, 13, 14], 5, False),  # it stops before
        (0, 4, [4, 8, 12, 14, 15], 5, False),  # through a wall
        (0, 4, [1, 2, 3, 7, 11, 15], 5, False),  # the path itself
        (1, 5, [5, 6], 5, True),  # to where it ends
        (1, 5, [5, 6, 10, 11], 5, True),  # what comes then is not asked
        (1, 5, [5, 1, 2], 5, False),  # back
        (1, 5, [5], 5, False),  # not to the end
        (1, 5, [5], 1, True),  # far enough
        (1, 5, [], 5, False),
        (5, 10, [10], 5, True),
    ],
)
def test_what_counts_as_walked(ring, step, way, answer, least, walked):
    assert walks(ring, step, way, answer, least) is walked
