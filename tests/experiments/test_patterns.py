"""Errors that familiar surroundings spare are told from those of easy forks."""

import numpy as np
import pytest

from experiments import patterns
from mazelib.behaviour.forks import fork_table
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig


@pytest.fixture(scope="module")
def forks():
    """Forks, how hard they are, and a third that goes with how hard they are."""
    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 5), split="test")).take(0, 3000)
    table, rng = fork_table(mazes), np.random.default_rng(0)
    strata = patterns.strata_of(table)
    easy = table["lookahead"].to_numpy() <= 2
    third = np.where(
        rng.random(len(table)) < 0.6, 2 * easy, rng.integers(0, 3, len(table))
    )
    return table["maze"].to_numpy(), strata, easy, third


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_what_is_spared_is_found_at_equal_difficulty(forks, share):
    maze, strata, easy, third = forks
    rng = np.random.default_rng(1)
    rate = np.where(easy, 0.1, 0.4) * np.where(third == 2, 1 - share, 1.0)
    wrong = rng.random(len(maze)) < rate
    found = patterns.facts(wrong, third, strata, maze)
    value, low, high = found["spared"]
    assert low < share < high
    assert low <= value <= high
    assert -0.1 < found["null"] < 0.2
    assert found["error"][0] > 2 * found["error"][2]
    assert sum(found["forks"]) == len(maze)


def test_thirds_are_of_each_cells_own_forks(monkeypatch):
    stream = MazeStream(StreamConfig(MazeConfig("dfs", 5), split="train"))
    monkeypatch.setattr(patterns, "TRAINED", 5000)
    monkeypatch.setattr(patterns, "MazeStream", lambda config: stream)
    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 5), split="test")).take(0, 2000)
    table = fork_table(mazes)
    third = patterns.thirds("dfs5", mazes, table)["3×3"]
    cell = mazes.path[table["maze"], 0, table["step"]]
    shares = third.groupby(cell).value_counts(normalize=True).unstack()
    assert shares[2].between(0.2, 0.5).all()
    assert shares.shape == (25, 3)
