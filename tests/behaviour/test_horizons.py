"""Where a model's choices fall to a guess's, and whose choices they resemble."""

import numpy as np
import pytest

from mazelib.behaviour.baselines import fork_chances, random_step, sighted_step
from mazelib.behaviour.forks import fork_table
from mazelib.behaviour.horizons import FORKS, agreement, horizon
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig


def test_the_horizon_is_where_it_falls_to_chance(rng):
    lookahead = np.repeat(np.arange(1, 21), 2000)
    guess = np.full(len(lookahead), 0.5)
    coins = rng.random(len(lookahead)) < 0.5
    for sight in (1, 4, 12):
        right = np.where(lookahead <= sight, True, coins)
        assert horizon(right, guess, lookahead) == sight + 1
    assert horizon(coins, guess, lookahead) == 1


def test_what_sees_to_the_end_has_no_horizon():
    lookahead = np.repeat(np.arange(1, 11), FORKS)
    right = np.ones(len(lookahead), bool)
    assert horizon(right, right / 2, lookahead) == 11
    assert horizon(right[:-1], right[:-1] / 2, lookahead[:-1]) == 10  # too few at 10


@pytest.fixture(scope="module")
def mazes():
    return MazeStream(StreamConfig(MazeConfig("dfs", 6), split="test")).take(0, 1000)


@pytest.mark.parametrize("sight", [2, 3, 5])
def test_a_solvers_horizon_is_at_the_end_of_its_sight(mazes, sight):
    """Where it does not see to the end, it goes where misleading forks mislead."""
    forks = fork_table(mazes)
    misleading = forks["misleading"].to_numpy()
    lookahead = forks["lookahead"].to_numpy()[misleading]
    random, sighted = (
        np.concatenate([fork_chances(s, step) for s in mazes])[misleading]
        for step in (random_step, sighted_step(sight))
    )
    assert horizon(sighted == 1, random, lookahead) in (sight, sight + 1)


def test_a_solver_agrees_with_itself_most(mazes, rng):
    two = (fork_table(mazes)["options"] == 2).to_numpy()
    chances = {
        steps: np.concatenate([fork_chances(s, sighted_step(steps)) for s in mazes])[
            two
        ]
        for steps in (1, 2, 4)
    }
    right = rng.random(two.sum()) < chances[2]  # ties by chance
    agrees = {steps: agreement(right, each) for steps, each in chances.items()}
    assert max(agrees, key=agrees.get) == 2
    guess = np.full(two.sum(), 0.5)
    assert agreement(right, guess) == 0.5
