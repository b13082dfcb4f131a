"""A stream that is moved to the other way's token chooses it, at that layer alone."""

import numpy as np
import pytest
from samples import held_back, large

from experiments import families, steered
from mazelib.behaviour.forks import depth_beyond
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.evidence import records, tables
from mazelib.internals import probes as probes_module
from mazelib.internals.lens import open_lens
from mazelib.internals.plans import PathSteps
from mazelib.internals.probes import SCORE, Probes, parts_of
from mazelib.internals.ways import Forks
from mazelib.mazes.generators import MazeConfig
from mazelib.models.checkpoint import TrainedModel


@pytest.fixture(scope="module")
def mazes():
    return held_back(4, 200)


@pytest.fixture
def lens(tiny_config):
    return open_lens(TrainedModel(large(tiny_config, 3), tiny_config.tokenizer, {}))


@pytest.fixture
def forks(mazes, lens):
    return Forks(mazes, lens.tokenizer)


def test_forks_are_one_a_maze_with_two_ways_to_move_between(mazes, forks):
    part = parts_of(mazes)
    rows = steered.one_fork_a_maze(forks, part, SCORE)
    assert len(set(forks.maze[rows])) == len(rows) > 20
    assert (part[forks.maze[rows]] == SCORE).all()
    assert (forks.table["options"].to_numpy()[rows] == 2).all()
    for fork in rows:
        for way in forks.ways[forks.ways["fork"] == fork].itertuples():
            assert way.depth >= 2


def test_moves_are_the_other_ways_probes_less_the_right_ones(mazes, forks, rng):
    rows = steered.one_fork_a_maze(forks, parts_of(mazes), SCORE)[:12]
    steps = PathSteps(forks.maze[rows], forks.steps.step[rows])
    probes = Probes(rng.normal(size=(3, 8, 16)), np.zeros((3, 16)), np.zeros((3, 16)))
    ways = forks.ways[~forks.ways["right"]].set_index("fork").loc[rows]
    found = steered.towards_other(mazes, steps, probes, ways["cell"].to_numpy())
    for row, (at, step) in enumerate(np.stack(steps, 1).tolist()):
        maze, _, _, path = mazes[at]
        fork, way = int(path[step]), int(ways["cell"].iloc[row])
        far = maze.distances(fork)
        into = [
            c for c in range(16) if far[c] in (2, 3) and maze.distances(way)[c] < far[c]
        ]
        want = probes.weights[:, :, into].sum(-1)
        want -= probes.weights[:, :, path[step + 2 : step + 4]].sum(-1)
        np.testing.assert_allclose(found[:, row], want, atol=1e-12)
        assert max(far[into]) == min(3, depth_beyond(maze, fork, way))


def test_nothing_moved_changes_nothing_and_the_unembedding_moves_all(
    mazes, lens, forks
):
    rows = steered.one_fork_a_maze(forks, parts_of(mazes), SCORE)[:20]
    some = mazes[forks.maze[rows]]
    steps = PathSteps(np.arange(len(rows)), forks.steps.step[rows])
    layers, width = lens.layers + 1, lens.bridge.cfg.d_model
    still = np.zeros((layers, len(rows), width))
    own = steered.choices_moved(lens, some, steps, still)
    assert (own == own[0]).all()
    unembedding = lens.bridge.unembed.W_U.detach().numpy()
    wanted = forks.right[rows]
    pushed = still.copy()
    pushed[-1] = 1000 * (unembedding[:, wanted] - unembedding.mean(1, keepdims=True)).T
    chosen = steered.choices_moved(lens, some, steps, pushed)
    assert (chosen[-1] == wanted).mean() > 0.9
    assert (chosen[:-1] == own[:-1]).all()


def test_a_model_is_moved_and_its_row_written(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(families, "COUNT", 400)
    monkeypatch.setattr(probes_module, "STRENGTHS", (10.0, 100.0))
    stream = MazeStream(StreamConfig(MazeConfig("dfs", 3), split="any"))
    monkeypatch.setattr(families, "mazes_of", lambda family, count: stream.take(0, 400))
    monkeypatch.setattr(steered, "networks", lambda untrained: {folder: folder})
    steered.main([folder])
    [row] = tables.read_table(steered.TABLE)["rows"]
    assert row["n"] > 0
    for kind in ("flips", "random", "lost"):
        value, low, high = row[kind]["best"]
        assert low <= value <= high
        assert len(row[kind]["by layer"]) == 3
