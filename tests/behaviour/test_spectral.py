"""Near in the spectrum is near along a corridor, and mostly at a fork."""

from itertools import pairwise

import numpy as np
import pytest
from samples import held_back

from mazelib.behaviour.baselines import fork_chances, random_step, walk
from mazelib.behaviour.spectral import places, spectral_step
from mazelib.errors import MazelibError
from mazelib.mazes.maze import Maze


def test_a_corridors_passages_are_placed_in_order():
    corridor = Maze.from_edges(3, np.array([[0, 1], [1, 2], [2, 5], [5, 4], [4, 3]]))
    place = places(corridor, 1)[:, 0]
    edges = [frozenset(edge) for edge in corridor.edges().tolist()]
    path = [frozenset(e) for e in ([0, 1], [1, 2], [2, 5], [5, 4], [4, 3])]
    along = np.array([place[edges.index(edge)] for edge in path])
    assert (np.diff(along) > 0).all() or (np.diff(along) < 0).all()


def test_the_passage_into_the_target_is_taken(maze):
    """0-1-2-5, 0-3-4, 3-6-7-8: at 3, both ways and back."""
    for target, way in ((4, 4), (6, 6)):
        assert spectral_step(3)(maze, [0, 3], [4, 6], target) == [way]


def test_it_walks_legally_and_mostly_right(rng):
    mazes = held_back(5, 60)
    step = spectral_step(4)
    spectral = np.concatenate([fork_chances(sample, step) for sample in mazes])
    chance = np.concatenate([fork_chances(sample, random_step) for sample in mazes])
    assert spectral.mean() > chance.mean() + 0.1
    for sample in mazes[:10]:
        path = walk(sample, step, rng)
        assert len(set(path)) == len(path)
        for here, onward in pairwise(path):
            assert onward in sample.maze.neighbours(here)


def test_it_needs_an_eigenvector():
    with pytest.raises(MazelibError, match="0 eigenvectors"):
        spectral_step(0)
