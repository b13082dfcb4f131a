"""Layers in which something is planted are the layers that are found."""

import numpy as np
import pytest
from samples import held_back, logits_that_turn

from mazelib.behaviour.forks import depth_beyond
from mazelib.internals.ways import Forks
from mazelib.tokens.tokenizer import Tokenizer

LAYERS = 6


@pytest.fixture(scope="module")
def mazes():
    return held_back(5, 300)


@pytest.fixture(scope="module")
def forks(mazes):
    return Forks(mazes, Tokenizer(side=7))


def test_the_ways_of_a_fork_are_those_of_its_maze(mazes, forks):
    assert len(forks.table) == len(forks.right) == forks.ways["fork"].nunique()
    options = forks.ways.groupby("fork").size().to_numpy()
    assert (options == forks.table["options"]).all()
    assert (forks.ways.groupby("fork")["right"].sum() == 1).all()
    for way in forks.ways.sample(40, random_state=0).itertuples():
        maze, _, _, path = mazes[int(forks.maze[way.fork])]
        step = int(forks.steps.step[way.fork])
        assert way.depth == depth_beyond(maze, int(path[step]), way.cell)
        assert way.token == Tokenizer(side=7).place(5)[way.cell, 0]
        assert way.right == (way.cell == path[step + 1])


def test_the_layer_that_decides_is_the_last_of_a_forks_wrong_ways(forks):
    rng = np.random.default_rng(0)
    at = rng.integers(0, LAYERS + 2, len(forks.ways))
    logits = logits_that_turn(forks, at, LAYERS)
    wrong = ~forks.ways["right"].to_numpy()
    fork = forks.ways["fork"].to_numpy()[wrong]
    want = np.zeros(len(forks.right), int)
    np.maximum.at(want, fork, at[wrong])
    assert forks.decided_in(logits).tolist() == want.tolist()


def test_ways_share_all_chances(forks):
    logits = logits_that_turn(forks, np.full(len(forks.ways), 3), LAYERS)
    for layer in forks.chances(logits):
        total = np.bincount(forks.ways["fork"], layer)
        np.testing.assert_allclose(total, 1)
