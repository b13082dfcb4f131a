"""An error that is planted a token before is foreseen there, and not by the input."""

import numpy as np
import pytest

from experiments import foreseen
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.internals.plans import START
from mazelib.mazes.generators import MazeConfig

COUNT = 1200


@pytest.fixture(scope="module")
def ground():
    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 5), split="test")).take(0, COUNT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foreseen, "COUNTS", {"dfs5": COUNT})
        patch.setattr(foreseen, "SHARES", (0.5, 0.25, 0.25))
        patch.setattr(foreseen, "mazes_of", lambda family, count: mazes[:count])
        return foreseen.Ground.of("dfs5")


def test_tokens_before_forks_are_on_the_way_to_them(ground):
    for tokens in foreseen.BEFORE:
        steps, kept = ground.earlier(tokens)
        assert (steps.step >= START).all()
        assert (steps.step + tokens == ground.forks.steps.step[kept]).all()
        assert (steps.maze == ground.forks.maze[kept]).all()
    assert kept.sum() < len(kept)


def test_the_preference_is_the_likeliest_wrong_way_less_the_right_one(ground):
    rng, (steps, kept) = np.random.default_rng(0), ground.earlier(3)
    scores = rng.normal(size=(2, len(steps.maze), 25))
    found = foreseen.preference(ground, kept, scores)
    ways = ground.forks.ways
    for row, fork in list(enumerate(np.flatnonzero(kept)))[::50]:
        own = ways[ways["fork"] == fork]
        right = own[own["right"]]["cell"].to_numpy()
        wrong = own[~own["right"]]["cell"].to_numpy()
        want = scores[:, row, wrong].max(1) - scores[:, row, right[0]]
        np.testing.assert_allclose(found[:, row], want)


def test_errors_are_told_by_a_plan_that_is_wrong_where_they_will_be_made(ground):
    rng, forks = np.random.default_rng(0), ground.forks
    is_wrong = rng.random(len(forks.right)) < 0.15
    noise = rng.normal(size=(3, len(is_wrong)))
    prefers = noise + 3 * np.array([[0], [1], [0]]) * is_wrong
    found = foreseen.told(ground, forks.maze, is_wrong, prefers)
    assert found["layer"] == 1
    value, low, high = found["told"]
    assert low < value < high
    assert value == found["by layer"][1] > 0.95
    assert found["by layer"][0] == pytest.approx(0.5, abs=0.1)
    doubt = rng.normal(size=len(is_wrong)) + 1.5 * is_wrong
    both = foreseen.ensemble(ground, is_wrong, doubt, 2.0 - is_wrong + noise[1] / 2)
    assert both["both"][0] > max(both["model"][0], both["probe"][0])


def test_the_input_alone_prefers_the_right_way_more_often_than_not(ground):
    steps, _ = ground.earlier(1)
    features = foreseen.passage_features(ground.mazes, steps)[None]
    prefers = foreseen.probed(ground, 1, features)
    assert (prefers < 0).mean() > 0.55


def test_the_right_way_is_preferred_as_often_as_was_planted(ground):
    """By the second of three layers at nine of ten forks; by the others at half."""
    rng, count = np.random.default_rng(0), len(ground.forks.right)
    prefers = rng.normal(size=(3, count))
    prefers[1] = np.where(rng.random(count) < 0.9, -1.0, 1.0)
    value, low, high = foreseen.right_way(ground, ground.forks.maze, prefers)
    assert low <= value <= high
    assert value == pytest.approx(0.9, abs=0.03)
