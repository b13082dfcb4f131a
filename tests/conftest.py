"""A tiny maze, a tiny model and a generator of random numbers for the tests."""

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from no_skips import pytest_runtest_makereport  # noqa: F401 (a hook of pytest's)

from mazelib import __main__
from mazelib.dataset.stream import MazeSet, MazeStream, StreamConfig
from mazelib.evidence.threads import one_thread
from mazelib.mazes.generators import MazeConfig
from mazelib.mazes.maze import Maze
from mazelib.models.model import MazeModelConfig, build
from mazelib.training.loop import train
from mazelib.training.recipe import TrainConfig

settings.register_profile("laws", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("laws")
one_thread()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def maze() -> Maze:
    """A tree on 3×3 with one fork in the middle of its first column.

    ┼───┼───┼───┼
    │ 0   1   2 │
    ┼   ┼───┼   ┼
    │ 3   4 │ 5 │
    ┼   ┼───┼───┼
    │ 6   7   8 │
    ┼───┼───┼───┼
    """
    edges = [[0, 1], [1, 2], [2, 5], [0, 3], [3, 4], [3, 6], [6, 7], [7, 8]]
    return Maze.from_edges(3, np.array(edges))


@pytest.fixture
def post_example() -> str:
    """The worked 6×6 example of the post, as it stands there."""
    path = Path(__file__).parent / "post_example.txt"
    return " ".join(path.read_text(encoding="utf-8").split())


@pytest.fixture(scope="session")
def tiny_config() -> MazeModelConfig:
    return MazeModelConfig(side=4, layers=2, width=16, heads=2, max_positions=160)


@pytest.fixture
def tiny_model(tiny_config):
    return build(tiny_config, seed=1)


@pytest.fixture(scope="session")
def few() -> MazeSet:
    """Forty 4×4 depth-first mazes with three questions each."""
    config = StreamConfig(MazeConfig("dfs", 4), questions=3)
    return MazeStream(config).take(0, 40)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> str:
    """A model that has seen 3×3 mazes for a moment, saved as `train` saves it."""
    path = tmp_path_factory.mktemp("runs") / "dfs3"
    config = TrainConfig(
        StreamConfig(MazeConfig("dfs", 3), questions=4),
        MazeModelConfig(side=3, layers=2, width=32, heads=2),
        steps=60,
        batch=4,
        evaluate_every=60,
        validation=8,
    )
    train(config, path, progress=False)
    return str(path)


@pytest.fixture
def run(monkeypatch, capsys):
    """Call the command line; returns the exit code, standard output and error.

    stdin: bytes that come through a pipe, or None for the null device.
    """

    def call(*arguments: str, stdin: bytes | None = None):
        monkeypatch.setattr(sys, "argv", ["mazelib", *map(str, arguments)])
        with open(os.devnull) as nothing:
            pipe = nothing if stdin is None else io.TextIOWrapper(io.BytesIO(stdin))
            monkeypatch.setattr(sys, "stdin", pipe)
            try:
                code = __main__.main()
            except SystemExit as stop:
                code = stop.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return call
